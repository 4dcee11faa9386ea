-- Media id of a file that was uploaded before.
-- $1 phone number, $2 hash, $3 MIME type, $4 now
SELECT media_id
FROM uploads
WHERE phone_number_id = $1
    AND sha256 = $2
    AND mime_type = $3
    AND expires_at_ms > $4;
