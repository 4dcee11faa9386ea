-- $1 since
SELECT count(*)
FROM messages
WHERE outbox_state IN ('dead', 'expired') AND stored_at_ms >= $1;
