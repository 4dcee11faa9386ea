-- Time at which the next row becomes due.
-- $1 now
SELECT min(at)
FROM (
    SELECT min(due_at_ms) AS at
    FROM outbox
    WHERE kind = 'message'
        AND state = 'queued'
        AND due_at_ms > $1
    UNION ALL
    SELECT min(due_at_ms)
    FROM outbox
    WHERE kind = 'read_mark'
        AND state = 'queued'
        AND due_at_ms > $1
);
