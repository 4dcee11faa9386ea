-- Takes stored receipts into messages that have become known, and failures into any: links them, and
-- sets the furthest step of each message: a read proves a delivery, and `failed` stays. A refusal
-- because the contact has not written for 24 hours closes the window, unless it has written since.
-- $1 keys of messages
UPDATE OR IGNORE receipts
SET message_id = (SELECT id FROM messages WHERE messages.message_key = receipts.message_key)
WHERE message_id IS NULL
    AND message_key IN (SELECT value FROM json_each($1))
    AND EXISTS (
        SELECT 1
        FROM messages
        WHERE messages.message_key = receipts.message_key AND messages.direction = 'out'
    );

-- A step that came early and again later is stored already.
DELETE FROM receipts
WHERE message_id IS NULL
    AND message_key IN (SELECT value FROM json_each($1))
    AND EXISTS (
        SELECT 1
        FROM messages
        WHERE messages.message_key = receipts.message_key AND messages.direction = 'out'
    );

UPDATE messages
SET
    delivery_status = (
        SELECT status
        FROM receipts
        WHERE receipts.message_id = messages.id
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
    )
WHERE direction = 'out'
    AND message_key IN (SELECT value FROM json_each($1))
    AND EXISTS (
        SELECT 1
        FROM receipts
        WHERE receipts.message_id = messages.id
    );

-- Of several failures the first counts: `min` picks its row.
UPDATE messages
SET
    send_error = coalesce(failed.reason, send_error),
    error_code = coalesce(failed.error_code, messages.error_code),
    error_class = coalesce(failed.error_class, messages.error_class)
FROM (
    SELECT
        receipts.message_id, receipts.reason, receipts.error_code, receipts.error_class,
        min(receipts.id)
    FROM json_each($1) AS wanted
    CROSS JOIN messages AS m ON m.message_key = wanted.value
    CROSS JOIN receipts ON receipts.message_id = m.id
    WHERE receipts.status = 'failed'
    GROUP BY receipts.message_id
) AS failed
WHERE messages.id = failed.message_id AND messages.direction = 'out';

UPDATE conversations
SET window_closed_ms = refused.at_ms
FROM (
    SELECT m.conversation_id, max(receipts.at_ms) AS at_ms
    FROM json_each($1) AS wanted
    CROSS JOIN messages AS m ON m.message_key = wanted.value
    CROSS JOIN receipts ON receipts.message_id = m.id
    WHERE m.direction = 'out'
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
