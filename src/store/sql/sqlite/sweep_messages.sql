-- Moves swept messages to their new state. A held one stops blocking its conversation, and a late
-- receipt still finds it; an expired one leaves.
-- $1 rows with new state and reason, $2 now
UPDATE messages
SET
    outbox_state = item.value->>'state',
    send_error = coalesce(item.value->>'reason', send_error),
    error_code = coalesce(
        (
            SELECT json_extract(outbox.tries, '$[#-1].code')
            FROM outbox
            WHERE outbox.id = item.value->>'id'
        ),
        error_code
    )
FROM json_each($1) AS item
WHERE messages.id = item.value->>'message_id';

UPDATE outbox
SET
    state = item.value->>'state',
    reason = coalesce(item.value->>'reason', outbox.reason),
    tries = CASE item.value->>'state'
        WHEN 'unknown' THEN json_insert(
            tries, '$[#]',
            json_object(
                'attempt', attempts, 'at_ms', $2, 'code', NULL, 'reason', item.value->>'reason'
            )
        )
        ELSE tries
    END,
    lease_until_ms = CASE item.value->>'state' WHEN 'unknown' THEN $2 ELSE lease_until_ms END
FROM json_each($1) AS item
WHERE outbox.id = item.value->>'id' AND item.value->>'state' <> 'expired';

DELETE FROM outbox
WHERE id IN (
    SELECT value->>'id'
    FROM json_each($1)
    WHERE value->>'state' = 'expired'
);
