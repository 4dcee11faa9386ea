-- Writes contacts; their phone numbers and user ids are written beside.
INSERT INTO contacts (id, wa_id, name, username, first_seen_ms)
SELECT *
FROM (VALUES (?, ?, ?, ?, ?))
WHERE column1 IS NOT NULL
ON CONFLICT (id) DO UPDATE SET
    wa_id = excluded.wa_id,
    name = excluded.name,
    username = excluded.username;
