-- no parameters
SELECT held_since_ms, held_outbox_id
FROM service_state;
