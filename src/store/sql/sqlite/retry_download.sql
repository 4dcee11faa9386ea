-- Queues a claimed download again.
-- $1 claim token, $2 not before, $3 reason
UPDATE outbox
SET state = 'queued', due_at_ms = $2, reason = $3, claim_token = NULL, lease_until_ms = NULL
WHERE claim_token = $1;
