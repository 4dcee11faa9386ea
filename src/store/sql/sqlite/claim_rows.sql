-- Claims outbox rows.
-- $1 ids with claim tokens, $2 end of the lease
UPDATE outbox
SET
    state = 'sending',
    attempts = attempts + 1,
    claim_token = claim.value->>'claim_token',
    lease_until_ms = $2
FROM json_each($1) AS claim
WHERE outbox.id = claim.value->>'id';
