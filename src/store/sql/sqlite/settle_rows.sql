-- Settles rows that stay, to be retried or as unknown, and keeps the reasons of the last hundred
-- attempts.
-- $1 settlements, $2 now
UPDATE outbox
SET
    state = settlement.value->>'state',
    due_at_ms = coalesce(settlement.value->>'due_at_ms', due_at_ms),
    attempts = attempts - (settlement.value->>'attempts_back'),
    reason = coalesce(settlement.value->>'reason', reason),
    tries = CASE
        WHEN settlement.value->>'reason' IS NULL THEN tries
        ELSE json_insert(
            CASE WHEN json_array_length(tries) < 100 THEN tries ELSE json_remove(tries, '$[0]') END,
            '$[#]',
            json_object(
                'attempt', attempts, 'at_ms', $2, 'code', settlement.value->>'code',
                'reason', settlement.value->>'reason'
            )
        )
    END,
    claim_token = CASE settlement.value->>'state' WHEN 'unknown' THEN claim_token END,
    lease_until_ms = CASE settlement.value->>'state' WHEN 'unknown' THEN $2 END
FROM json_each($1) AS settlement
WHERE outbox.claim_token = settlement.value->>'claim_token'
    AND outbox.state NOT IN ('queued', 'unknown', 'held');
