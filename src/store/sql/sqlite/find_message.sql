-- $1 keys of the message with each phone number
SELECT coalesce(reply_to_id, id) AS id, conversation_id
FROM messages
WHERE message_key IN (SELECT value FROM json_each($1))
LIMIT 1;
