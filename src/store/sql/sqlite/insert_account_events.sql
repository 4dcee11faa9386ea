-- Inserts new account events.
-- $1 account events, $2 now
INSERT INTO account_events (
    event_key, field, phone_number_id, waba_id, occurred_at_ms, summary, received_at_ms, raw
)
SELECT
    value->>'event_key', value->>'field', value->>'phone_number_id', value->>'waba_id',
    value->>'occurred_at_ms', value->>'summary', $2, value->>'raw'
FROM json_each($1)
WHERE true
ON CONFLICT (event_key) DO NOTHING;
