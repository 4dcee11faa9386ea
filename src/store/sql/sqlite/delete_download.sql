-- Deletes the outbox row of a download.
-- $1 claim token
DELETE FROM outbox
WHERE claim_token = $1;
