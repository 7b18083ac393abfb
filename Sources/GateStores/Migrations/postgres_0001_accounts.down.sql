DROP TABLE login_failures;
DROP TABLE revocations;
DROP TABLE sessions;
DROP TABLE memberships;
DROP TABLE organisations;
DROP TABLE users;
