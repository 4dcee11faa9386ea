-- Finished actions of conversations.
-- $1 first conversation, $2 last conversation
SELECT conversation_id, request, outcome, ended_at_ms
FROM actions
WHERE conversation_id BETWEEN $1 AND $2 AND outcome IS NOT NULL
ORDER BY conversation_id, number;
