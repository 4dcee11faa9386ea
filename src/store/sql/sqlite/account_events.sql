-- Latest account events, the oldest first.
-- $1 field or an empty text, $2 limit
SELECT *
FROM (
    SELECT id, field, phone_number_id, summary, received_at_ms, raw
    FROM account_events
    WHERE $1 = '' OR field = $1
    ORDER BY id DESC
    LIMIT $2
) AS latest
ORDER BY id;
