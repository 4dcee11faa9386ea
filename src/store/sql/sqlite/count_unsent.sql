-- no parameters
SELECT count(*)
FROM outbox
WHERE state IN ('queued', 'sending', 'unknown');
