DROP TABLE leases;
DROP TABLE shared_settings;
DROP TABLE shared_secrets;
DROP FUNCTION gatehouse_tell_secrets();
DROP FUNCTION gatehouse_clock();
