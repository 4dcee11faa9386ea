-- Deletes the user ids of contacts before they are written anew.
-- ? contacts
DELETE FROM contact_user_ids
WHERE contact_id IN (SELECT value FROM json_each(?));
