-- Inserts phone numbers of contacts.
INSERT INTO contact_phones (wa_id, contact_id)
SELECT *
FROM (VALUES (?, ?))
WHERE column1 IS NOT NULL;
