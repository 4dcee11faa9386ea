-- Makes every read go to the file.
-- no parameters
PRAGMA cache_size = 1;
