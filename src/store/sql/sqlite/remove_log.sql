-- no parameters
PRAGMA journal_mode = DELETE;
