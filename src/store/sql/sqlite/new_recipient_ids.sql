-- Receipts that say something new of a recipient, as one-row JSON: that two ids are of one contact, or
-- how WhatsApp writes the number of a contact who has never written and was known as it was dialled.
-- $1 message_key, wa_id, user_id (may be NULL), account (may be NULL) and number of each receipt
WITH receipt AS MATERIALIZED (
    SELECT
        named.key AS position, named.value->>'wa_id' AS wa_id, named.value->>'user_id' AS user_id,
        coalesce(
            named.value->>'account',
            (
                SELECT waba_id
                FROM business_numbers
                WHERE phone_number_id = named.value->>'number'
            ),
            named.value->>'number'
        ) AS scope,
        (
            SELECT contacts.wa_id
            FROM messages AS m
            JOIN conversations AS v ON v.id = m.conversation_id
            JOIN contacts ON contacts.id = v.contact_id
            WHERE m.message_key = named.value->>'message_key'
                AND m.direction = 'out'
                AND NOT EXISTS (
                    SELECT 1
                    FROM contact_phones AS phone
                    WHERE phone.wa_id = named.value->>'wa_id' AND phone.contact_id = v.contact_id
                )
                AND NOT EXISTS (
                    SELECT 1
                    FROM conversations AS any_number
                    JOIN messages AS heard ON heard.conversation_id = any_number.id
                    WHERE any_number.contact_id = v.contact_id AND heard.direction = 'in'
                )
        ) AS dialled
    FROM json_each($1) AS named
)
SELECT json_group_array(json_object('position', position, 'dialled', dialled))
FROM receipt
WHERE dialled IS NOT NULL
    OR (
        receipt.user_id IS NOT NULL
        AND NOT EXISTS (
            SELECT 1
            FROM contact_phones AS phone
            JOIN contact_user_ids AS person ON person.contact_id = phone.contact_id
            WHERE phone.wa_id = receipt.wa_id
                AND person.user_id = receipt.user_id
                AND person.scope = receipt.scope
        )
        AND (
            EXISTS (SELECT 1 FROM contact_phones AS phone WHERE phone.wa_id = receipt.wa_id)
            OR EXISTS (
                SELECT 1
                FROM contact_user_ids AS person
                WHERE person.user_id = receipt.user_id
            )
        )
    );
