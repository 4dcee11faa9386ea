-- Inserts unreadable updates; each names its part of the bytes, because JSON carries none.
-- $1 updates, $2 now, $3 bytes of all updates
INSERT INTO quarantine (raw_key, phone_number_id, reason, received_at_ms, raw)
SELECT
    value->>'raw_key', value->>'phone_number_id', value->>'reason', $2,
    coalesce(substr($3, value->>'raw_from', value->>'raw_bytes'), x'')
FROM json_each($1)
WHERE true
ON CONFLICT (raw_key) DO NOTHING;
