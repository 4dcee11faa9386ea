-- Reports `ok` or the damage of the file, after the connection's cache is emptied.
-- no parameters
PRAGMA shrink_memory;

PRAGMA quick_check(1);
