-- Failed replies for which it is not settled yet what is sent in their place, one of each answer,
-- with their conversations in the shape of `load_due.sql`, as one-row JSON. A later answer is one to
-- a later message of the contact, or a message by hand.
-- $1 limit
WITH failed AS MATERIALIZED (
    SELECT
        min(id) AS id, conversation_id, rule_id, reply_to_id, sent_at_ms, kind, instead,
        error_class
    FROM messages
    WHERE instead IS NOT NULL AND error_class > ''
    GROUP BY conversation_id, rule_id, reply_to_id, sent_at_ms
    ORDER BY min(id)
    LIMIT $1
)
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
        WHERE c.id IN (SELECT conversation_id FROM failed)
    ),
    'failed', (
        SELECT json_group_array(
            json_object(
                'id', failed.id, 'conversation_id', failed.conversation_id,
                'rule', failed.rule_id, 'kind', failed.kind, 'instead', failed.instead,
                'class', failed.error_class, 'decided_at_ms', failed.sent_at_ms,
                'answers', (
                    SELECT wamid
                    FROM messages AS inbound
                    WHERE inbound.id = failed.reply_to_id
                ),
                'window_closed_ms', (
                    SELECT window_closed_ms
                    FROM conversations AS c
                    WHERE c.id = failed.conversation_id
                ),
                'later_answer', CASE
                    WHEN EXISTS (
                        SELECT 1
                        FROM messages AS later
                        WHERE later.conversation_id = failed.conversation_id
                            AND later.id > failed.id
                            AND later.direction = 'out'
                            AND (
                                later.origin <> 'bot'
                                OR coalesce(later.reply_to_id, later.id)
                                    > coalesce(failed.reply_to_id, failed.id)
                            )
                            AND NOT (
                                later.rule_id IS failed.rule_id
                                AND later.reply_to_id IS failed.reply_to_id
                                AND later.sent_at_ms = failed.sent_at_ms
                            )
                            AND later.outbox_state NOT IN ('dead', 'expired', 'held')
                            AND coalesce(later.delivery_status, '') <> 'failed'
                    ) THEN 'sent'
                    ELSE 'none'
                END
            )
        )
        FROM failed
    ),
    'last_message', (SELECT coalesce(max(id), 0) FROM messages)
);
