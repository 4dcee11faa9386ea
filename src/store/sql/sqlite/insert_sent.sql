-- Inserts a message sent by hand, with its contact and conversation when they are new.
-- $1 message, $2 now
INSERT INTO contacts (wa_id, user_id, first_seen_ms)
SELECT value->>'wa_id', value->>'user_id', $2
FROM json_each($1)
WHERE NOT EXISTS (
    SELECT 1
    FROM contacts
    WHERE wa_id = value->>'wa_id' OR user_id = value->>'user_id'
);

INSERT INTO conversations (contact_id, phone_number_id, state, inbound_count, last_message_ms)
SELECT c.id, value->>'phone_number_id', '{}', 0, $2
FROM json_each($1)
JOIN contacts AS c ON c.wa_id = value->>'wa_id' OR c.user_id = value->>'user_id'
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
JOIN contacts AS c ON c.wa_id = value->>'wa_id' OR c.user_id = value->>'user_id'
JOIN conversations AS v ON v.contact_id = c.id AND v.phone_number_id = value->>'phone_number_id'
WHERE true
ON CONFLICT (message_key) DO NOTHING;
