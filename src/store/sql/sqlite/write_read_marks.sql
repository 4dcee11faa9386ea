-- Writes read marks; one of a conversation takes the place of an older one.
INSERT INTO read_marks (conversation_id, phone_number_id, wamid, expires_at_ms)
SELECT *
FROM (VALUES (?, ?, ?, ?))
WHERE column1 IS NOT NULL
ON CONFLICT (conversation_id) DO UPDATE SET
    wamid = excluded.wamid,
    expires_at_ms = excluded.expires_at_ms;
