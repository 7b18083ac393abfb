DROP TABLE certificate_challenges;
DROP TABLE certificate_records;
DROP FUNCTION gatehouse_tell_certificates();
