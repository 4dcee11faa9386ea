-- Folds the write-ahead log into the file and deletes it.
-- no parameters
PRAGMA journal_mode = DELETE;
