-- Settles what is sent in place of failed replies, for every part of the answer they belong to: the
-- ids of its parts lie within the limit of one turn.
-- $1 failed replies, each with the message in its place or null, $2 limit of replies in a turn
WITH parts AS MATERIALIZED (
    SELECT part.id, item.value->>'replaced_by' AS replaced_by_id
    FROM json_each($1) AS item
    CROSS JOIN messages AS failed ON failed.id = item.value->>'id'
    CROSS JOIN messages AS part ON part.id BETWEEN failed.id - $2 AND failed.id + $2
    WHERE part.conversation_id = failed.conversation_id
        AND part.rule_id = failed.rule_id
        AND part.reply_to_id IS failed.reply_to_id
        AND part.sent_at_ms = failed.sent_at_ms
        AND part.part IS NOT NULL
)
UPDATE messages
SET instead = NULL, replaced_by_id = parts.replaced_by_id
FROM parts
WHERE messages.id = parts.id;
