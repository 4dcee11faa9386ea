-- no parameters
SELECT count(*)
FROM outbox
WHERE kind = 'message' AND state = 'held';
