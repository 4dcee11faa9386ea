-- Ends the queued actions of contacts that opted out, and decides the messages that waited for
-- them.
-- $1 conversations, $2 now
UPDATE messages
SET decision = 'opted_out'
WHERE decision = 'pending'
    AND conversation_id IN (SELECT value FROM json_each($1));

UPDATE actions
SET ended_at_ms = $2, outcome = json_object('failed', 'the contact has opted out of all messages')
FROM outbox
WHERE outbox.conversation_id = actions.conversation_id
    AND outbox.action_number = actions.number
    AND outbox.kind = 'action'
    AND outbox.state = 'queued'
    AND outbox.conversation_id IN (SELECT value FROM json_each($1));

DELETE FROM outbox
WHERE kind = 'action'
    AND state = 'queued'
    AND conversation_id IN (SELECT value FROM json_each($1));
