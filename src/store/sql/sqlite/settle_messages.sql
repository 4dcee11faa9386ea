-- Records the result of sends in messages whose claim token still matches. A refusal because the
-- contact has not written for 24 hours closes the window, and one because it has stopped marketing
-- is remembered.
-- $1 settlements, $2 now
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

UPDATE conversations
SET window_closed_ms = $2
WHERE id IN (
    SELECT outbox.conversation_id
    FROM json_each($1) AS settlement
    CROSS JOIN outbox ON outbox.claim_token = settlement.value->>'claim_token'
    WHERE outbox.kind = 'message' AND settlement.value->>'code' = 131047
);

UPDATE contacts
SET marketing_opted_out_ms = coalesce(marketing_opted_out_ms, $2)
WHERE id IN (
    SELECT conversations.contact_id
    FROM json_each($1) AS settlement
    CROSS JOIN outbox ON outbox.claim_token = settlement.value->>'claim_token'
    CROSS JOIN conversations ON conversations.id = outbox.conversation_id
    WHERE outbox.kind = 'message' AND settlement.value->>'code' = 131050
);
