-- Conversations with a timer that is due, as one-row JSON.
-- $1 now, $2 limit
SELECT json_object(
    'conversations', (
        SELECT json_group_array(
            json_object(
                'id', c.id, 'contact_id', c.contact_id, 'phone_number_id', c.phone_number_id,
                'state', c.state, 'inbound_count', c.inbound_count,
                'last_inbound_ms', c.last_inbound_ms,
                'contact', json_object(
                    'wa_id', p.wa_id, 'user_id', p.user_id, 'name', p.name,
                    'username', p.username,
                    'marketing_opted_out_ms', p.marketing_opted_out_ms
                )
            )
        )
        FROM (
            SELECT *
            FROM conversations
            WHERE next_timer_ms <= $1
            ORDER BY next_timer_ms
            LIMIT $2
        ) AS c
        JOIN conversation_contacts AS p ON p.conversation_id = c.id
    ),
    'last_message', (SELECT coalesce(max(id), 0) FROM messages)
);
