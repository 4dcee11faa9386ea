-- Inserts new receipts, accepts messages whose claim token came back, and deletes their outbox
-- rows.
-- $1 receipts, $2 now
INSERT INTO receipts (
    receipt_key, message_key, status, participant, at_ms, received_at_ms, claim_token, pricing,
    conversation, errors, error_code, error_class, reason, raw
)
SELECT
    value->>'receipt_key', value->>'message_key', value->>'status', value->>'participant',
    value->>'at_ms', $2, value->>'claim_token', value->>'pricing', value->>'conversation',
    value->>'errors', value->>'error_code', value->>'error_class', value->>'reason',
    value->>'raw'
FROM json_each($1)
WHERE true
ON CONFLICT (receipt_key) DO NOTHING;

UPDATE messages
SET
    wamid = proof.value->>'wamid',
    message_key = proof.value->>'message_key',
    outbox_state = 'accepted',
    send_error = NULL,
    error_code = NULL,
    error_class = NULL
FROM json_each($1) AS proof
JOIN outbox ON outbox.claim_token = proof.value->>'claim_token'
WHERE messages.id = outbox.message_id
    AND messages.direction = 'out'
    AND outbox.phone_number_id = proof.value->>'phone_number_id'
    AND NOT EXISTS (
        SELECT 1
        FROM messages AS other
        WHERE other.message_key = proof.value->>'message_key'
    );

DELETE FROM outbox
WHERE claim_token IN (SELECT value->>'claim_token' FROM json_each($1))
    AND EXISTS (
        SELECT 1
        FROM messages
        WHERE messages.id = outbox.message_id AND messages.outbox_state = 'accepted'
    );
