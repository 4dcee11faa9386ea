-- Moves everything of `from` to `to`, contacts and conversations, and deletes `from`. The ids of `to`
-- are written afterwards.
-- $1 pairs of contacts, $2 pairs of conversations with the joined state
UPDATE messages
SET conversation_id = pair.value->>'to'
FROM json_each($2) AS pair
WHERE messages.conversation_id = pair.value->>'from';

UPDATE outbox
SET conversation_id = pair.value->>'to', action_number = action_number + (pair.value->>'shift')
FROM json_each($2) AS pair
WHERE outbox.conversation_id = pair.value->>'from';

UPDATE OR IGNORE read_marks
SET conversation_id = pair.value->>'to'
FROM json_each($2) AS pair
WHERE read_marks.conversation_id = pair.value->>'from';

DELETE FROM read_marks
WHERE conversation_id IN (SELECT value->>'from' FROM json_each($2));

UPDATE conversation_events
SET conversation_id = pair.value->>'to'
FROM json_each($2) AS pair
WHERE conversation_events.conversation_id = pair.value->>'from';

UPDATE actions
SET conversation_id = pair.value->>'to', number = number + (pair.value->>'shift')
FROM json_each($2) AS pair
WHERE actions.conversation_id = pair.value->>'from';

UPDATE conversations AS t
SET
    inbound_count = t.inbound_count + f.inbound_count,
    last_inbound_ms = max(
        coalesce(t.last_inbound_ms, f.last_inbound_ms),
        coalesce(f.last_inbound_ms, t.last_inbound_ms)
    ),
    window_closed_ms = CASE
        WHEN max(coalesce(t.window_closed_ms, 0), coalesce(f.window_closed_ms, 0))
            > max(coalesce(t.last_inbound_ms, 0), coalesce(f.last_inbound_ms, 0))
            THEN max(coalesce(t.window_closed_ms, 0), coalesce(f.window_closed_ms, 0))
    END,
    state = pair.value->>'state',
    next_timer_ms = pair.value->>'next_timer_ms',
    opted_out_ms = pair.value->>'opted_out_ms',
    last_message_ms = max(t.last_message_ms, f.last_message_ms)
FROM json_each($2) AS pair
JOIN conversations AS f ON f.id = pair.value->>'from'
WHERE t.id = pair.value->>'to';

DELETE FROM conversations
WHERE id IN (SELECT value->>'from' FROM json_each($2));

UPDATE conversations
SET contact_id = pair.value->>'to'
FROM json_each($1) AS pair
WHERE contact_id = pair.value->>'from';

UPDATE contacts AS t
SET
    name = coalesce(t.name, f.name),
    username = coalesce(t.username, f.username),
    marketing_opted_out_ms = coalesce(t.marketing_opted_out_ms, f.marketing_opted_out_ms),
    opted_out_ms = coalesce(t.opted_out_ms, f.opted_out_ms),
    first_seen_ms = min(t.first_seen_ms, f.first_seen_ms)
FROM json_each($1) AS pair
JOIN contacts AS f ON f.id = pair.value->>'from'
WHERE t.id = pair.value->>'to';

DELETE FROM contact_phones
WHERE contact_id IN (SELECT value->>'from' FROM json_each($1));

DELETE FROM contact_user_ids
WHERE contact_id IN (SELECT value->>'from' FROM json_each($1));

DELETE FROM contacts
WHERE id IN (SELECT value->>'from' FROM json_each($1));

-- An opt-out at all numbers holds for the conversations of both, and for what is queued in them.
UPDATE messages
SET outbox_state = 'expired', send_error = 'the contact has opted out of all messages'
FROM outbox
JOIN conversations ON conversations.id = outbox.conversation_id
JOIN contacts ON contacts.id = conversations.contact_id
WHERE messages.id = outbox.message_id
    AND +outbox.kind = 'message'
    AND outbox.state = 'queued'
    AND contacts.opted_out_ms IS NOT NULL
    AND conversations.opted_out_ms IS NULL
    AND contacts.id IN (SELECT value->>'to' FROM json_each($1));

DELETE FROM outbox
WHERE kind = 'message'
    AND state = 'queued'
    AND conversation_id IN (
        SELECT conversations.id
        FROM json_each($1) AS pair
        CROSS JOIN contacts ON contacts.id = pair.value->>'to'
        CROSS JOIN conversations ON conversations.contact_id = contacts.id
        WHERE contacts.opted_out_ms IS NOT NULL AND conversations.opted_out_ms IS NULL
    );

UPDATE conversations
SET
    opted_out_ms = contacts.opted_out_ms,
    state = json_set(
        json_remove(state, '$.run', '$.scheduled', '$.pending_actions'), '$.opted_out_at',
        strftime('%Y-%m-%dT%H:%M:%fZ', contacts.opted_out_ms / 1000.0, 'unixepoch')
    )
FROM contacts
WHERE contacts.id = conversations.contact_id
    AND contacts.opted_out_ms IS NOT NULL
    AND conversations.opted_out_ms IS NULL
    AND contacts.id IN (SELECT value->>'to' FROM json_each($1));
