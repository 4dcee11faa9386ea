-- File of a message.
-- $1 message
SELECT media_id, mime_type, sha256, stored_at_ms
FROM media
JOIN messages ON messages.id = media.message_id
WHERE media.message_id = $1;
