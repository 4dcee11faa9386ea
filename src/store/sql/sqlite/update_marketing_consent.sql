-- Sets whether contacts accept marketing, by either id; the last preference of a contact counts.
-- $1 marketing preferences in order, $2 now
UPDATE contacts
SET
    marketing_opted_out_ms = CASE wish.marketing
        WHEN 'stop' THEN coalesce(marketing_opted_out_ms, $2)
    END
FROM (
    SELECT phone.contact_id, wish.value->>'marketing' AS marketing
    FROM json_each($1) AS wish
    CROSS JOIN contact_phones AS phone ON phone.wa_id = wish.value->>'wa_id'
    UNION
    SELECT person.contact_id, wish.value->>'marketing'
    FROM json_each($1) AS wish
    CROSS JOIN contact_user_ids AS person ON person.user_id = wish.value->>'user_id'
) AS wish
WHERE contacts.id = wish.contact_id;
