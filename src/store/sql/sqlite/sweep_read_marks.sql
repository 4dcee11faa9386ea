-- Deletes read marks whose lease or time is over: one that may have been sent does no harm.
-- $1 now
DELETE FROM outbox
WHERE kind = 'read_mark'
    AND (
        (state = 'sending' AND lease_until_ms <= $1)
        OR (state = 'queued' AND expires_at_ms <= $1)
    );
