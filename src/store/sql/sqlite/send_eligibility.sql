-- Facts about a contact that decide whether a message may be sent.
-- $1 phone number, $2 wa_id, $3 user_id
SELECT
    v.last_inbound_ms, v.window_closed_ms, c.marketing_opted_out_ms IS NOT NULL AS no_marketing,
    v.opted_out_ms IS NOT NULL AS opted_out
FROM contacts AS c
LEFT JOIN conversations AS v ON v.contact_id = c.id AND v.phone_number_id = $1
WHERE c.id = coalesce(
    (SELECT id FROM contacts WHERE wa_id = $2), (SELECT id FROM contacts WHERE user_id = $3)
);
