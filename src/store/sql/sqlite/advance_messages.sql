-- Sets the furthest step of messages.
UPDATE messages
SET delivery_status = step.column2
FROM (VALUES (?, ?)) AS step
WHERE messages.id = step.column1;
