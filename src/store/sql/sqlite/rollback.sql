-- Ends a transaction without its writes.
-- no parameters
ROLLBACK;
