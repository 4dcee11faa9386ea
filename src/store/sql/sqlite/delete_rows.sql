-- Deletes rows whose claim token still matches.
-- $1 settlements
DELETE FROM outbox
WHERE claim_token IN (SELECT value->>'claim_token' FROM json_each($1));
