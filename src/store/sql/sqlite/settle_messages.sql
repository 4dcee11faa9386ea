-- Records the result of sends in messages whose claim token still matches: token, state, reason,
-- code, class, wamid, key. A row that is queued again, or held, does not become unknown any more.
UPDATE messages
SET
    outbox_state = settlement.column2,
    send_error = settlement.column3,
    error_code = settlement.column4,
    error_class = settlement.column5,
    wamid = coalesce(settlement.column6, wamid),
    message_key = CASE
        WHEN EXISTS (
            SELECT 1
            FROM messages AS other
            WHERE other.message_key = settlement.column7
        ) THEN message_key
        ELSE coalesce(settlement.column7, message_key)
    END
FROM (VALUES (?, ?, ?, ?, ?, ?, ?)) AS settlement
JOIN outbox ON outbox.claim_token = settlement.column1
WHERE messages.id = outbox.message_id
    AND messages.direction = 'out'
    AND (settlement.column2 <> 'unknown' OR outbox.state = 'sending');
