-- Inserts receipts; a step that is stored already is left alone.
INSERT INTO receipts (
    message_id, message_key, status, participant, at_ms, received_at_ms, claim_token, pricing,
    conversation, errors, error_code, error_class, reason, raw
)
SELECT *
FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))
WHERE column2 IS NOT NULL
ON CONFLICT DO NOTHING;
