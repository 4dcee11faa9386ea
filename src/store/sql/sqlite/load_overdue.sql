-- Conversations with an overdue timer or an action of the copy, as one-row JSON.
-- $1 now, $2 last row of the copy
SELECT json_object(
    'conversations', (
        SELECT json_group_array(json_object('id', id, 'state', state))
        FROM conversations
        WHERE next_timer_ms <= $1
            OR id IN (
                SELECT conversation_id
                FROM outbox
                WHERE kind = 'action' AND id <= $2
            )
    ),
    'actions', (
        SELECT json_group_array(
            json_object('conversation_id', conversation_id, 'number', action_number)
        )
        FROM outbox
        WHERE kind = 'action' AND id <= $2
    )
);
