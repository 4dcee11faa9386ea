-- Expires the queued replies of contacts that opted out.
-- $1 conversations
UPDATE messages
SET outbox_state = 'expired', send_error = 'the contact has opted out of all messages'
FROM outbox
WHERE messages.id = outbox.message_id
    AND outbox.kind = 'message'
    AND outbox.state = 'queued'
    AND outbox.conversation_id IN (SELECT value FROM json_each($1));

DELETE FROM outbox
WHERE kind = 'message'
    AND state = 'queued'
    AND conversation_id IN (SELECT value FROM json_each($1));
