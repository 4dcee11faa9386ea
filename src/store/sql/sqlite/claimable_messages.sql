-- Next message of each conversation in which none is before it, as one-row JSON. The `+` keeps the
-- planner to the order of the due times.
-- $1 now, $2 phone numbers with room, $3 limit
SELECT json_group_array(
    json_object(
        'id', id, 'conversation_id', conversation_id, 'phone_number_id', phone_number_id,
        'attempts', attempts, 'expires_at_ms', expires_at_ms, 'content', content, 'about', about,
        'wa_id', wa_id, 'user_id', user_id
    )
)
FROM (
    SELECT
        o.id, o.conversation_id, o.phone_number_id, o.attempts, o.expires_at_ms, m.raw AS content,
        m.quoted_wamid AS about, c.wa_id, c.user_id
    FROM outbox AS o
    JOIN messages AS m ON m.id = o.message_id
    JOIN conversation_contacts AS c ON c.conversation_id = o.conversation_id
    WHERE o.kind = 'message'
        AND o.state = 'queued'
        AND o.due_at_ms <= $1
        AND o.expires_at_ms > $1
        AND +o.phone_number_id IN (SELECT value FROM json_each($2))
        AND NOT EXISTS (
            SELECT 1
            FROM outbox AS e
            WHERE e.conversation_id = o.conversation_id
                AND e.kind = 'message'
                AND e.state = 'sending'
        )
        AND NOT EXISTS (
            SELECT 1
            FROM outbox AS e
            WHERE e.conversation_id = o.conversation_id
                AND e.kind = 'message'
                AND e.state IN ('queued', 'unknown')
                AND e.id < o.id
        )
    ORDER BY o.due_at_ms, o.id
    LIMIT $3
);
