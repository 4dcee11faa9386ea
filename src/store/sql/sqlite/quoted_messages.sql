-- Messages that others quote, as one-row JSON.
-- $1 keys of the quoted messages
SELECT json_group_array(json_object('key', message_key, 'text', text, 'origin', origin))
FROM messages
WHERE message_key IN (SELECT value FROM json_each($1));
