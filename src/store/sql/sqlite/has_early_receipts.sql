-- Whether receipts came before it was known what they are about.
-- $1 keys of messages
SELECT EXISTS (
    SELECT 1
    FROM receipts
    WHERE message_id IS NULL AND message_key IN (SELECT value FROM json_each($1))
);
