-- Claims the download that waits longest, also one whose lease has ended.
-- $1 now, $2 claim token, $3 end of the lease
UPDATE outbox
SET state = 'sending', attempts = attempts + 1, claim_token = $2, lease_until_ms = $3
WHERE id = (
    SELECT id
    FROM outbox
    WHERE kind = 'download'
        AND due_at_ms <= $1
        AND (state = 'queued' OR (state = 'sending' AND lease_until_ms <= $1))
    ORDER BY due_at_ms, id
    LIMIT 1
)
RETURNING id, attempts, phone_number_id, message_id;
