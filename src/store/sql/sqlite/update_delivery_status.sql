-- Sets the furthest step of each message: a read proves a delivery, and `failed` stays. A refusal
-- because the contact has not written for 24 hours closes the window, unless it has written since.
-- $1 keys of messages
UPDATE messages
SET
    delivery_status = (
        SELECT status
        FROM receipts
        WHERE receipts.message_key = messages.message_key
            AND status IN ('sent', 'delivered', 'read', 'played', 'failed')
        ORDER BY
            CASE status
                WHEN 'sent' THEN 1
                WHEN 'delivered' THEN 2
                WHEN 'read' THEN 3
                WHEN 'played' THEN 4
                ELSE 5
            END DESC
        LIMIT 1
    ),
    send_error = coalesce(
        (
            SELECT reason
            FROM receipts
            WHERE receipts.message_key = messages.message_key AND status = 'failed'
            ORDER BY receipts.id
            LIMIT 1
        ),
        send_error
    ),
    error_code = coalesce(
        (
            SELECT error_code
            FROM receipts
            WHERE receipts.message_key = messages.message_key AND status = 'failed'
            ORDER BY receipts.id
            LIMIT 1
        ),
        error_code
    ),
    error_class = coalesce(
        (
            SELECT error_class
            FROM receipts
            WHERE receipts.message_key = messages.message_key AND status = 'failed'
            ORDER BY receipts.id
            LIMIT 1
        ),
        error_class
    )
WHERE direction = 'out'
    AND message_key IN (SELECT value FROM json_each($1))
    AND EXISTS (
        SELECT 1
        FROM receipts
        WHERE receipts.message_key = messages.message_key
    );

UPDATE conversations
SET window_closed_ms = refused.at_ms
FROM (
    SELECT m.conversation_id, max(receipts.at_ms) AS at_ms
    FROM messages AS m
    JOIN receipts ON receipts.message_key = m.message_key
    WHERE m.message_key IN (SELECT value FROM json_each($1))
        AND m.direction = 'out'
        AND receipts.status = 'failed'
        AND EXISTS (
            SELECT 1
            FROM json_each(receipts.errors) AS error
            WHERE error.value->>'code' = 131047
        )
    GROUP BY m.conversation_id
) AS refused
WHERE conversations.id = refused.conversation_id
    AND coalesce(conversations.last_inbound_ms, 0) < refused.at_ms;
