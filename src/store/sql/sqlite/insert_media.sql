-- Inserts files of messages, not yet downloaded.
INSERT INTO media (message_id, media_id, mime_type, sha256)
SELECT *
FROM (VALUES (?, ?, ?, ?))
WHERE column1 IS NOT NULL;
