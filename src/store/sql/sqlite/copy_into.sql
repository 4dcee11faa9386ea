-- Copies one snapshot into a file that is missing or empty, while writers go on.
-- $1 path
VACUUM INTO $1;
