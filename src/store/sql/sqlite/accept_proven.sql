-- Accepts messages whose claim token came back in a receipt, and deletes their outbox rows.
-- $1 claim_token, phone_number_id, wamid and message_key of each receipt
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
