-- Number of messages and conversations, and the time of the last message.
-- no parameters
SELECT
    (SELECT count(*) FROM messages) AS messages,
    (SELECT count(*) FROM conversations) AS conversations,
    (SELECT stored_at_ms FROM messages ORDER BY id DESC LIMIT 1) AS newest_ms;
