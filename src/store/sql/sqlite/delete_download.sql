-- $1 claim token
DELETE FROM outbox
WHERE claim_token = $1;
