-- Number of messages that wait for an operator, read from an index alone.
-- no parameters
SELECT count(*)
FROM outbox
WHERE state = 'held' AND lease_until_ms IS NOT NULL;
