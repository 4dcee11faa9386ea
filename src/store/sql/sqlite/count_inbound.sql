-- Number of inbound messages.
-- $1 phone number or an empty text
SELECT count(*)
FROM messages
WHERE direction = 'in' AND ($1 = '' OR phone_number_id = $1);
