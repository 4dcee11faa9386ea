-- Records that WhatsApp refused a free message, with contact and conversation when they are new.
-- $1 recipient, $2 now
INSERT INTO contacts (wa_id, user_id, first_seen_ms)
SELECT value->>'wa_id', value->>'user_id', $2
FROM json_each($1)
WHERE NOT EXISTS (
    SELECT 1
    FROM contacts
    WHERE wa_id = value->>'wa_id' OR user_id = value->>'user_id'
);

INSERT INTO conversations (
    contact_id, phone_number_id, state, inbound_count, window_closed_ms, last_message_ms
)
SELECT c.id, value->>'phone_number_id', '{}', 0, $2, $2
FROM json_each($1)
JOIN contacts AS c ON c.wa_id = value->>'wa_id' OR c.user_id = value->>'user_id'
WHERE true
ON CONFLICT (contact_id, phone_number_id) DO UPDATE SET
    window_closed_ms = excluded.window_closed_ms;
