-- Newest account events of some fields, in the order of Meta's times.
-- $1 fields, $2 limit
SELECT *
FROM (
    SELECT account_events.id, field, waba_id, occurred_at_ms, raw
    FROM json_each($1) AS wanted
    CROSS JOIN account_events ON field = wanted.value
    ORDER BY occurred_at_ms DESC, account_events.id DESC
    LIMIT $2
) AS latest
ORDER BY occurred_at_ms, id;
