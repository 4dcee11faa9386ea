-- Reports `ok` or the damage of the file and of its indexes.
-- no parameters
PRAGMA integrity_check(1);
