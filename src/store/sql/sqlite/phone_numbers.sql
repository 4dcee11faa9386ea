-- Numbers of the business that have conversations.
-- no parameters
SELECT DISTINCT phone_number_id
FROM conversations;
