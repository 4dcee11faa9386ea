-- Writes conversations as their turns leave them.
INSERT INTO conversations (
    id, contact_id, phone_number_id, state, inbound_count, last_inbound_ms, last_message_ms,
    next_timer_ms, opted_out_ms
)
SELECT *
FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?))
WHERE column1 IS NOT NULL
ON CONFLICT (id) DO UPDATE SET
    state = excluded.state,
    inbound_count = excluded.inbound_count,
    last_inbound_ms = excluded.last_inbound_ms,
    window_closed_ms = CASE
        WHEN excluded.inbound_count = conversations.inbound_count
            THEN conversations.window_closed_ms
    END,
    last_message_ms = excluded.last_message_ms,
    next_timer_ms = excluded.next_timer_ms,
    opted_out_ms = excluded.opted_out_ms;
