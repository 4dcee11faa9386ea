-- Writes contacts with all their phone numbers and user ids, and accounts of business numbers.
-- $1 contacts, $2 business numbers, $3 now
INSERT INTO contacts (id, wa_id, name, username, first_seen_ms)
SELECT value->>'id', value->>'wa_id', value->>'name', value->>'username', $3
FROM json_each($1)
WHERE true
ON CONFLICT (id) DO UPDATE SET
    wa_id = excluded.wa_id,
    name = excluded.name,
    username = excluded.username;

DELETE FROM contact_phones
WHERE contact_id IN (SELECT value->>'id' FROM json_each($1));

DELETE FROM contact_user_ids
WHERE contact_id IN (SELECT value->>'id' FROM json_each($1));

INSERT INTO contact_phones (wa_id, contact_id)
SELECT phone.value, contact.value->>'id'
FROM json_each($1) AS contact
CROSS JOIN json_each(contact.value, '$.phones') AS phone;

INSERT INTO contact_user_ids (contact_id, scope, user_id)
SELECT contact.value->>'id', user_id.key, user_id.value
FROM json_each($1) AS contact
CROSS JOIN json_each(contact.value, '$.user_ids') AS user_id;

INSERT INTO business_numbers (phone_number_id, waba_id)
SELECT value->>'phone_number_id', value->>'waba_id'
FROM json_each($2)
WHERE true
ON CONFLICT (phone_number_id) DO UPDATE SET waba_id = excluded.waba_id;
