-- no parameters
PRAGMA integrity_check(1);
