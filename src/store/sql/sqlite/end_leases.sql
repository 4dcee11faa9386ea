-- no parameters
UPDATE outbox
SET lease_until_ms = 0
WHERE state = 'sending';
