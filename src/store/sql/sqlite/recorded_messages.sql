-- $1 first conversation, $2 last conversation
SELECT
    id, conversation_id, direction, origin, text, raw, stored_at_ms, wamid, decision, rule_id,
    reply_to_id
FROM messages
WHERE conversation_id BETWEEN $1 AND $2 AND origin <> 'operator'
ORDER BY conversation_id, id;
