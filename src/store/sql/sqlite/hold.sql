-- Time since which nothing is sent, and the last outbox row of the copy.
-- no parameters
SELECT held_since_ms, held_outbox_id
FROM service_state;
