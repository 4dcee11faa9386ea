-- Sets which stored message a reply answers.
-- ? ids of replies with the keys of the messages
UPDATE messages
SET reply_to_id = inbound.id
FROM json_each(?) AS answer
CROSS JOIN messages AS inbound ON inbound.message_key = answer.value->>'message_key'
WHERE messages.id = answer.value->>'id';
