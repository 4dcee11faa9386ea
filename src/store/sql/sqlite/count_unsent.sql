-- Number of rows that delivery has not finished.
-- no parameters
SELECT count(*)
FROM outbox
WHERE state IN ('queued', 'sending', 'unknown');
