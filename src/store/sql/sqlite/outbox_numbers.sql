-- Phone numbers with queued messages: one step through the index for each.
-- no parameters
WITH RECURSIVE numbers (number) AS (
    SELECT min(phone_number_id)
    FROM outbox
    WHERE kind = 'message' AND state = 'queued'
    UNION ALL
    SELECT (
        SELECT min(phone_number_id)
        FROM outbox
        WHERE kind = 'message' AND state = 'queued' AND phone_number_id > number
    )
    FROM numbers
    WHERE number IS NOT NULL
)
SELECT number
FROM numbers
WHERE number IS NOT NULL;
