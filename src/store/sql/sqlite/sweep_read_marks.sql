-- Deletes read marks whose time is over.
-- $1 now
DELETE FROM read_marks
WHERE expires_at_ms <= $1;
