-- Actions that wait longest, also those whose lease has ended, as one-row JSON.
-- $1 now, $2 hosts with room, $3 limit per host
SELECT json_group_array(
    json_object(
        'id', id, 'conversation_id', conversation_id, 'host', host, 'attempts', attempts,
        'expires_at_ms', expires_at_ms, 'request', request
    )
)
FROM (
    SELECT o.id, o.conversation_id, o.host, o.attempts, o.expires_at_ms, a.request
    FROM json_each($2) AS item
    JOIN outbox AS o ON o.id IN (
        SELECT id
        FROM outbox
        WHERE kind = 'action'
            AND host = item.value
            AND due_at_ms <= $1
            AND (state = 'queued' OR (state = 'sending' AND lease_until_ms <= $1))
        ORDER BY due_at_ms, id
        LIMIT $3
    )
    JOIN actions AS a ON a.conversation_id = o.conversation_id AND a.number = o.action_number
    ORDER BY o.due_at_ms, o.id
);
