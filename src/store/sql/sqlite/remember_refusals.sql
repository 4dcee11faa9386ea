-- Remembers what refusals say of contacts: 131047 closes the window, unless the contact has written
-- since the message was decided; after 131050 the contact gets no marketing.
-- $1 settlements, $2 now
UPDATE conversations
SET window_closed_ms = $2
FROM json_each($1) AS settlement
JOIN outbox ON outbox.claim_token = settlement.value->>'claim_token'
WHERE settlement.value->>'code' = 131047
    AND conversations.id = outbox.conversation_id
    AND NOT EXISTS (
        SELECT 1
        FROM messages AS later
        WHERE later.conversation_id = outbox.conversation_id
            AND later.id > outbox.message_id
            AND later.direction = 'in'
    );

UPDATE contacts
SET marketing_opted_out_ms = coalesce(marketing_opted_out_ms, $2)
WHERE id IN (
    SELECT conversations.contact_id
    FROM json_each($1) AS settlement
    CROSS JOIN outbox ON outbox.claim_token = settlement.value->>'claim_token'
    CROSS JOIN conversations ON conversations.id = outbox.conversation_id
    WHERE settlement.value->>'code' = 131050
);
