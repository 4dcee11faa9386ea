-- Drops the queued replies and all actions of the copy; downloads stay.
-- $1 last row of the copy, $2 conversations with their new state, $3 now
UPDATE messages
SET outbox_state = 'expired', send_error = 'it stood queued in a restored copy and was dropped'
FROM outbox
WHERE messages.id = outbox.message_id
    AND outbox.kind = 'message'
    AND outbox.state = 'queued'
    AND outbox.id <= $1;

UPDATE actions
SET
    ended_at_ms = $3,
    outcome = json_object('failed', 'it stood queued in a restored copy and was dropped')
FROM outbox
WHERE outbox.conversation_id = actions.conversation_id
    AND outbox.action_number = actions.number
    AND outbox.kind = 'action'
    AND outbox.id <= $1;

DELETE FROM outbox
WHERE id <= $1 AND (kind = 'action' OR (kind = 'message' AND state = 'queued'));

UPDATE messages
SET decision = 'unsupported'
WHERE decision = 'pending'
    AND conversation_id IN (SELECT value->>'id' FROM json_each($2));

UPDATE conversations
SET state = item.value->>'state', next_timer_ms = item.value->>'next_timer_ms'
FROM json_each($2) AS item
WHERE conversations.id = item.value->>'id';
