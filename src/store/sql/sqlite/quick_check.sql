-- no parameters
PRAGMA shrink_memory;

PRAGMA quick_check(1);
