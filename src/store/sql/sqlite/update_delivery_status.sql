-- Sets the furthest step of each message: a read proves a delivery, and `failed` stays.
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
    )
WHERE direction = 'out'
    AND message_key IN (SELECT value FROM json_each($1))
    AND EXISTS (
        SELECT 1
        FROM receipts
        WHERE receipts.message_key = messages.message_key
    );
