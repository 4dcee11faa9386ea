-- Commits a transaction.
-- no parameters
COMMIT;
