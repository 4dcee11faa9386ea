-- Records that WhatsApp refused messages because their contacts have not written for 24 hours, unless
-- a contact has written since the message was decided.
-- $1 settlements, $2 now
UPDATE conversations
SET window_closed_ms = $2
FROM json_each($1) AS settlement
JOIN outbox ON outbox.claim_token = settlement.value->>'claim_token'
WHERE conversations.id = outbox.conversation_id
    AND NOT EXISTS (
        SELECT 1
        FROM messages AS later
        WHERE later.conversation_id = outbox.conversation_id
            AND later.id > outbox.message_id
            AND later.direction = 'in'
    );
