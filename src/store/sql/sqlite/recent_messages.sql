-- Latest messages of conversations, the oldest first, as one-row JSON.
-- $1 conversations, $2 limit per conversation
SELECT json_group_array(
    json_object('conversation_id', conversation_id, 'direction', direction, 'text', text)
)
FROM (
    SELECT m.conversation_id, m.direction, m.text
    FROM json_each($1) AS item
    JOIN messages AS m ON m.id IN (
        SELECT id
        FROM messages
        WHERE conversation_id = item.value
            AND (direction = 'in' OR outbox_state NOT IN ('dead', 'expired'))
        ORDER BY id DESC
        LIMIT $2
    )
    ORDER BY m.id
);
