-- Lets the outbox send again.
-- no parameters
UPDATE service_state
SET held_since_ms = NULL, held_outbox_id = 0;
