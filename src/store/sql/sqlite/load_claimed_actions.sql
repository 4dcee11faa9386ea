-- Claimed actions with their conversations, in the shape of `load_due.sql`, as one-row JSON.
-- $1 claim tokens
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
        FROM conversations AS c
        JOIN conversation_contacts AS p ON p.conversation_id = c.id
        WHERE c.id IN (
            SELECT conversation_id
            FROM outbox
            WHERE claim_token IN (SELECT value FROM json_each($1))
        )
    ),
    'actions', (
        SELECT json_group_array(
            json_object(
                'claim_token', claim_token, 'conversation_id', conversation_id,
                'number', action_number
            )
        )
        FROM outbox
        WHERE claim_token IN (SELECT value FROM json_each($1))
    ),
    'last_message', (SELECT coalesce(max(id), 0) FROM messages)
);
