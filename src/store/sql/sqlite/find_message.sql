-- Inbound message by its key or by that of a reply to it. The keys have an index, the ids of
-- WhatsApp have none.
-- $1 keys of the message with each phone number
SELECT coalesce(reply_to_id, id) AS id, conversation_id
FROM messages
WHERE message_key IN (SELECT value FROM json_each($1))
LIMIT 1;
