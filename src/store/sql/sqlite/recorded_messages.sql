-- Messages of conversations, but for those sent by `replyd send` and those in place of failed
-- replies: neither follows from what the contact wrote.
-- $1 first conversation, $2 last conversation
SELECT
    id, conversation_id, direction = 'in' AS is_inbound, origin, text, coalesce(raw, '') AS raw,
    wamid, stored_at_ms, decision, rule_id, reply_to_id
FROM messages
WHERE conversation_id BETWEEN $1 AND $2 AND origin <> 'operator'
    AND NOT (origin = 'bot' AND part IS NULL)
ORDER BY conversation_id, id;
