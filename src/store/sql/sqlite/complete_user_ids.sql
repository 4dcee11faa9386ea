-- Completes contacts that had only a phone number with the user id of a receipt.
-- $1 pairs of wa_id and user_id
UPDATE contacts
SET user_id = known.value->>'user_id'
FROM json_each($1) AS known
WHERE contacts.wa_id = known.value->>'wa_id'
    AND contacts.user_id IS NULL
    AND NOT EXISTS (
        SELECT 1
        FROM contacts AS other
        WHERE other.user_id = known.value->>'user_id'
    );
