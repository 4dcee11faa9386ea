-- Ends every lease: at a start no other process can be sending.
-- no parameters
UPDATE outbox
SET lease_until_ms = 0
WHERE state = 'sending' AND lease_until_ms IS NOT NULL;
