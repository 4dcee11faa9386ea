-- Deletes the phone numbers of contacts before they are written anew.
-- ? contacts
DELETE FROM contact_phones
WHERE contact_id IN (SELECT value FROM json_each(?));
