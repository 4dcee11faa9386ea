-- Marks a copy as one that sends nothing. Its read marks go: the original sends them.
-- $1 now
DELETE FROM read_marks;

UPDATE service_state
SET
    held_since_ms = $1,
    held_outbox_id = (SELECT coalesce(max(id), 0) FROM outbox);
