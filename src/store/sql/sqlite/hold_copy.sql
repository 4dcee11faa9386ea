-- Marks a copy as one that sends nothing.
-- $1 now
UPDATE service_state
SET
    held_since_ms = $1,
    held_outbox_id = (SELECT coalesce(max(id), 0) FROM outbox);
