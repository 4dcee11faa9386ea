-- Records an upload and deletes those that Meta has forgotten.
-- $1 phone number, $2 hash, $3 MIME type, $4 media id, $5 end, $6 now
DELETE FROM uploads
WHERE expires_at_ms <= $6;

INSERT INTO uploads (phone_number_id, sha256, mime_type, media_id, expires_at_ms)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (phone_number_id, sha256, mime_type) DO UPDATE SET
    media_id = excluded.media_id,
    expires_at_ms = excluded.expires_at_ms;
