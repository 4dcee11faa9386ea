-- Conversations after an id, the lowest first.
-- $1 after this id, $2 limit, $3 phone number or an empty text
SELECT v.id, v.phone_number_id, v.state, v.inbound_count, c.wa_id, c.user_id, c.name, c.username,
    c.marketing_opted_out_ms IS NOT NULL AS refuses_marketing
FROM conversations AS v
JOIN conversation_contacts AS c ON c.conversation_id = v.id
WHERE v.id > $1 AND ($3 = '' OR v.phone_number_id = $3)
ORDER BY v.id
LIMIT $2;
