-- Hosts with an action to run: one step through the index for each.
-- $1 now
WITH RECURSIVE hosts (name) AS (
    SELECT min(host)
    FROM outbox
    WHERE kind = 'action'
    UNION ALL
    SELECT (SELECT min(host) FROM outbox WHERE kind = 'action' AND host > name)
    FROM hosts
    WHERE name IS NOT NULL
)
SELECT name
FROM hosts
WHERE EXISTS (
    SELECT 1
    FROM outbox
    WHERE kind = 'action'
        AND host = name
        AND due_at_ms <= $1
        AND (state = 'queued' OR (state = 'sending' AND lease_until_ms <= $1))
);
