-- Read marks to send, the oldest first, as one-row JSON: of conversations in which no reply is being
-- sent, and of those whose reply is about to be.
-- $1 now, $2 phone numbers without room, $3 conversations whose mark is on its way,
-- $4 conversations whose reply is about to be sent, $5 limit
SELECT json_group_array(
    json_object(
        'conversation_id', conversation_id, 'phone_number_id', phone_number_id, 'wamid', wamid,
        'expires_at_ms', expires_at_ms
    )
)
FROM (
    SELECT *
    FROM read_marks
    WHERE expires_at_ms > $1
        AND phone_number_id NOT IN (SELECT value FROM json_each($2))
        AND conversation_id NOT IN (SELECT value FROM json_each($3))
        AND (
            conversation_id IN (SELECT value FROM json_each($4))
            OR NOT EXISTS (
                SELECT 1
                FROM outbox
                WHERE outbox.conversation_id = read_marks.conversation_id
                    AND outbox.kind = 'message'
                    AND outbox.state = 'sending'
            )
        )
    ORDER BY expires_at_ms
    LIMIT $5
);
