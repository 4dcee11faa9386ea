-- Records that contacts refuse marketing, as WhatsApp says when it does not deliver a message.
-- $1 keys of messages, $2 now
UPDATE contacts
SET marketing_opted_out_ms = coalesce(marketing_opted_out_ms, $2)
WHERE id IN (
    SELECT conversations.contact_id
    FROM json_each($1) AS failed
    CROSS JOIN messages ON messages.message_key = failed.value
    CROSS JOIN conversations ON conversations.id = messages.conversation_id
    WHERE messages.direction = 'out'
);
