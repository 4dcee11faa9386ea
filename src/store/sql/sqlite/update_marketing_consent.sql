-- Sets whether contacts accept marketing, by either id; the last preference of a contact counts.
-- $1 marketing preferences in order, $2 now
UPDATE contacts
SET
    marketing_opted_out_ms = CASE wish.value->>'marketing'
        WHEN 'stop' THEN coalesce(marketing_opted_out_ms, $2)
    END
FROM json_each($1) AS wish
WHERE (contacts.user_id IS NOT NULL AND contacts.user_id = wish.value->>'user_id')
    OR (contacts.wa_id IS NOT NULL AND contacts.wa_id = wish.value->>'wa_id');
