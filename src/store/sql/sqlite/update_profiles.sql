-- Writes the names that came with receipts to the contacts that they name, where they are new.
-- $1 wa_id, user_id, name and username of each recipient
UPDATE contacts SET
    name = coalesce(profile.name, contacts.name),
    username = coalesce(profile.username, contacts.username)
FROM (
    SELECT
        coalesce(
            (SELECT contact_id FROM contact_phones WHERE wa_id = value->>'wa_id'),
            (SELECT contact_id FROM contact_user_ids WHERE user_id = value->>'user_id')
        ) AS contact_id,
        value->>'name' AS name,
        value->>'username' AS username
    FROM json_each($1)
) AS profile
WHERE contacts.id = profile.contact_id
    AND (
        coalesce(profile.name, contacts.name) IS NOT contacts.name
        OR coalesce(profile.username, contacts.username) IS NOT contacts.username
    );
