-- no parameters
SELECT DISTINCT phone_number_id
FROM conversations;
