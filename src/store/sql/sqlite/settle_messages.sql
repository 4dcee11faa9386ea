-- Records the result of sends in messages whose claim token still matches.
-- $1 settlements
UPDATE messages
SET
    outbox_state = settlement.value->>'state',
    send_error = settlement.value->>'reason',
    error_code = settlement.value->>'code',
    error_class = settlement.value->>'class',
    wamid = coalesce(settlement.value->>'wamid', wamid),
    message_key = CASE
        WHEN EXISTS (
            SELECT 1
            FROM messages AS other
            WHERE other.message_key = settlement.value->>'message_key'
        ) THEN message_key
        ELSE coalesce(settlement.value->>'message_key', message_key)
    END
FROM json_each($1) AS settlement
JOIN outbox ON outbox.claim_token = settlement.value->>'claim_token'
WHERE messages.id = outbox.message_id AND messages.direction = 'out';
