-- Number of messages that wait for an operator, read from an index alone.
-- no parameters
SELECT count(*)
FROM outbox
WHERE kind = 'message' AND state = 'held';
