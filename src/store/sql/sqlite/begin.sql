-- Starts a transaction and takes the write lock.
-- no parameters
BEGIN IMMEDIATE;
