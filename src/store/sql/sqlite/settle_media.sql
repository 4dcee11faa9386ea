-- Records a downloaded file, or the reason why there is none.
-- $1 claim token, $2 path, $3 bytes, $4 reason, $5 now
UPDATE media
SET path = $2, bytes = $3, error = $4, fetched_at_ms = iif($2 IS NULL, NULL, $5)
WHERE message_id = (
    SELECT outbox.message_id
    FROM outbox
    WHERE outbox.claim_token = $1
);
