-- Time at which the next message becomes due.
-- $1 now
SELECT min(due_at_ms)
FROM outbox
WHERE kind = 'message'
    AND state = 'queued'
    AND due_at_ms > $1;
