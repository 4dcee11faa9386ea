-- Inserts work in the order of sending. A row without an id gets the next one.
INSERT INTO outbox (
    conversation_id, phone_number_id, kind, message_id, action_number, host, state, due_at_ms,
    expires_at_ms, attempts, claim_token, lease_until_ms, id
)
SELECT *
FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))
WHERE column1 IS NOT NULL;
