-- Records that WhatsApp refused a free message, with the conversation when it is new.
-- $1 contact, $2 phone number, $3 now
INSERT INTO conversations (
    contact_id, phone_number_id, state, inbound_count, window_closed_ms, last_message_ms
)
VALUES ($1, $2, '{}', 0, $3, $3)
ON CONFLICT (contact_id, phone_number_id) DO UPDATE SET
    window_closed_ms = excluded.window_closed_ms;
