-- Ends the downloads of files that Meta has deleted.
-- $1 now
UPDATE media
SET error = coalesce(error || '; ', '') || 'WhatsApp keeps files for seven days only'
FROM outbox
WHERE media.message_id = outbox.message_id
    AND outbox.kind = 'download'
    AND outbox.expires_at_ms <= $1;

DELETE FROM outbox
WHERE kind = 'download' AND expires_at_ms <= $1;
