-- no parameters
SELECT stored_at_ms
FROM messages
ORDER BY id DESC
LIMIT 1;
