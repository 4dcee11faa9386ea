-- Inserts user ids of contacts.
INSERT INTO contact_user_ids (contact_id, scope, user_id)
SELECT *
FROM (VALUES (?, ?, ?))
WHERE column1 IS NOT NULL;
