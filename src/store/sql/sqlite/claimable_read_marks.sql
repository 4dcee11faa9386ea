-- Read marks of conversations in which nothing is being sent, in the shape of
-- `claimable_messages.sql`.
-- $1 now, $2 phone numbers with room, $3 limit
SELECT json_group_array(
    json_object(
        'id', id, 'conversation_id', conversation_id, 'phone_number_id', phone_number_id,
        'attempts', attempts, 'expires_at_ms', expires_at_ms, 'content', content, 'wamid', wamid,
        'wa_id', wa_id, 'user_id', user_id
    )
)
FROM (
    SELECT
        o.id, o.conversation_id, o.phone_number_id, o.attempts, o.expires_at_ms, NULL AS content,
        m.wamid, NULL AS wa_id, NULL AS user_id
    FROM outbox AS o
    JOIN messages AS m ON m.id = o.message_id
    WHERE o.kind = 'read_mark'
        AND o.state = 'queued'
        AND o.due_at_ms <= $1
        AND o.expires_at_ms > $1
        AND o.phone_number_id IN (SELECT value FROM json_each($2))
        AND NOT EXISTS (
            SELECT 1
            FROM outbox AS e
            WHERE e.conversation_id = o.conversation_id
                AND e.kind IN ('message', 'read_mark')
                AND e.state = 'sending'
        )
    ORDER BY o.due_at_ms, o.id
    LIMIT $3
);
