-- Inserts a message sent by hand, with its conversation when it is new.
-- $1 message, $2 now
INSERT INTO conversations (contact_id, phone_number_id, state, inbound_count, last_message_ms)
SELECT value->>'contact_id', value->>'phone_number_id', '{}', 0, $2
FROM json_each($1)
WHERE true
ON CONFLICT (contact_id, phone_number_id) DO UPDATE SET last_message_ms = excluded.last_message_ms;

INSERT INTO messages (
    conversation_id, direction, phone_number_id, wamid, message_key, kind, text, origin,
    quoted_wamid, sent_at_ms, stored_at_ms, raw, outbox_state
)
SELECT
    v.id, 'out', value->>'phone_number_id', value->>'wamid', value->>'message_key', value->>'kind',
    value->>'text', 'operator', value->>'quoted_wamid', $2, $2, value->>'raw', 'accepted'
FROM json_each($1)
JOIN conversations AS v ON v.contact_id = value->>'contact_id'
    AND v.phone_number_id = value->>'phone_number_id'
WHERE true
ON CONFLICT (message_key) DO NOTHING;
