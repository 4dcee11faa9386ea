-- Messages to sweep (unknown for long, lease ended, expired), as one-row JSON. None is due after its
-- end, so that one that expired is found by its due time.
-- $1 now, $2 unknown since
SELECT json_object(
    'held', (
        SELECT json_group_array(json_object('id', id, 'message_id', message_id, 'reason', reason))
        FROM outbox
        WHERE kind = 'message'
            AND state = 'unknown'
            AND lease_until_ms <= $2
    ),
    'lost', (
        SELECT json_group_array(json_object('id', id, 'message_id', message_id))
        FROM outbox
        WHERE kind = 'message'
            AND state = 'sending'
            AND lease_until_ms <= $1
    ),
    'expired', (
        SELECT json_group_array(
            json_object(
                'id', o.id, 'message_id', o.message_id, 'attempts', o.attempts, 'reason', o.reason,
                'code', o.tries->>'$[#-1].code', 'stored_at_ms', m.stored_at_ms,
                'expires_at_ms', o.expires_at_ms
            )
        )
        FROM outbox AS o
        JOIN messages AS m ON m.id = o.message_id
        WHERE o.kind = 'message'
            AND o.state = 'queued'
            AND o.due_at_ms <= $1
            AND o.expires_at_ms <= $1
    )
);
