-- Adds the user ids of receipts to contacts that are known by phone number and have none in that
-- scope yet.
-- $1 wa_id, user_id, account (may be NULL) and number of each receipt
INSERT INTO contact_user_ids (contact_id, scope, user_id)
SELECT
    phone.contact_id,
    coalesce(
        known.value->>'account',
        (
            SELECT waba_id
            FROM business_numbers
            WHERE phone_number_id = known.value->>'number'
        ),
        known.value->>'number'
    ),
    known.value->>'user_id'
FROM json_each($1) AS known
CROSS JOIN contact_phones AS phone ON phone.wa_id = known.value->>'wa_id'
WHERE NOT EXISTS (
    SELECT 1
    FROM contact_user_ids AS other
    WHERE other.user_id = known.value->>'user_id' AND other.contact_id <> phone.contact_id
)
ON CONFLICT DO NOTHING;
