-- Texts that contacts wrote, the latest first.
-- $1 before this id, $2 since, $3 limit
SELECT id, text, decision, explanation
FROM messages
WHERE id < $1
    AND direction = 'in'
    AND kind = 'text'
    AND text <> ''
    AND sent_at_ms >= $2
ORDER BY id DESC
LIMIT $3;
