-- Events of a conversation, the oldest first.
-- $1 conversation
SELECT at_ms, kind, text, message_id
FROM conversation_events
WHERE conversation_id = $1
ORDER BY id;
