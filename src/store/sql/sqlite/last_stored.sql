-- Time of the message that was stored last.
-- no parameters
SELECT stored_at_ms
FROM messages
ORDER BY id DESC
LIMIT 1;
