-- Number of messages that were refused for good or expired since a time.
-- $1 since
SELECT count(*)
FROM messages
WHERE outbox_state IN ('dead', 'expired') AND stored_at_ms >= $1;
