-- Number of rows by state and kind, read marks among them, and the time of the oldest.
-- no parameters
SELECT o.state, o.kind, count(*) AS total, min(coalesce(m.stored_at_ms, a.asked_at_ms)) AS since_ms
FROM outbox AS o
LEFT JOIN messages AS m ON m.id = o.message_id
LEFT JOIN actions AS a ON a.conversation_id = o.conversation_id AND a.number = o.action_number
GROUP BY o.state, o.kind
UNION ALL
SELECT 'queued', 'read_mark', count(*), NULL
FROM read_marks;
