-- no parameters
PRAGMA cache_size = 1;
