-- Records the outcomes of actions and deletes their outbox rows.
-- $1 claim tokens with outcomes, $2 now
UPDATE actions
SET ended_at_ms = $2, outcome = item.value->>'outcome'
FROM json_each($1) AS item
JOIN outbox ON outbox.claim_token = item.value->>'claim_token'
WHERE outbox.conversation_id = actions.conversation_id AND outbox.action_number = actions.number;

DELETE FROM outbox
WHERE claim_token IN (SELECT value->>'claim_token' FROM json_each($1));
