-- Conversations of contacts with every number of the business.
-- $1 contacts
SELECT c.id
FROM json_each($1) AS contact
CROSS JOIN conversations AS c ON c.contact_id = contact.value;
