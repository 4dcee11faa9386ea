-- Sets whether contacts accept marketing, by either id; the last preference of a contact counts.
-- $1 marketing preferences in order, $2 now
UPDATE contacts
SET
    marketing_opted_out_ms = CASE wish.marketing
        WHEN 'stop' THEN coalesce(marketing_opted_out_ms, $2)
    END
FROM (
    SELECT
        contact_id, marketing,
        row_number() OVER (PARTITION BY contact_id ORDER BY position DESC) AS from_last
    FROM (
        SELECT phone.contact_id, wish.value->>'marketing' AS marketing, wish.key AS position
        FROM json_each($1) AS wish
        CROSS JOIN contact_phones AS phone ON phone.wa_id = wish.value->>'wa_id'
        UNION
        SELECT person.contact_id, wish.value->>'marketing', wish.key
        FROM json_each($1) AS wish
        CROSS JOIN contact_user_ids AS person ON person.user_id = wish.value->>'user_id'
    ) AS found
) AS wish
WHERE contacts.id = wish.contact_id AND wish.from_last = 1;
