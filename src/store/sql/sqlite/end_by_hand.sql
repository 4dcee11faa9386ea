-- Ends rows without sending them.
-- $1 ids with reasons
UPDATE messages
SET outbox_state = 'dead', send_error = item.value->>'reason', error_code = NULL
FROM json_each($1) AS item
JOIN outbox ON outbox.id = item.value->>'id'
WHERE messages.id = outbox.message_id AND outbox.kind = 'message';

UPDATE media
SET error = item.value->>'reason'
FROM json_each($1) AS item
JOIN outbox ON outbox.id = item.value->>'id'
WHERE media.message_id = outbox.message_id AND +outbox.kind = 'download';

DELETE FROM outbox
WHERE id IN (SELECT value->>'id' FROM json_each($1));
