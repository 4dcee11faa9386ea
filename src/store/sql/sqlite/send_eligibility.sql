-- Facts about a contact that decide whether, and to which id, a message may be sent.
-- $1 phone number, $2 wa_id, $3 user_id
SELECT
    v.last_inbound_ms, v.window_closed_ms, c.marketing_opted_out_ms IS NOT NULL AS no_marketing,
    CASE WHEN v.id IS NULL THEN c.opted_out_ms ELSE v.opted_out_ms END IS NOT NULL AS opted_out, c.wa_id,
    coalesce(
        (
            SELECT person.user_id
            FROM business_numbers AS number
            JOIN contact_user_ids AS person ON person.scope = number.waba_id
            WHERE number.phone_number_id = $1 AND person.contact_id = c.id
        ),
        (
            SELECT person.user_id
            FROM contact_user_ids AS person
            WHERE person.contact_id = c.id AND person.scope = $1
        )
    ) AS user_id
FROM contacts AS c
LEFT JOIN conversations AS v ON v.contact_id = c.id AND v.phone_number_id = $1
WHERE c.id = coalesce(
    (SELECT contact_id FROM contact_phones WHERE wa_id = $2),
    (SELECT contact_id FROM contact_user_ids WHERE user_id = $3 LIMIT 1)
);
