-- Deletes the waiting read marks of conversations, for a newer one marks all before it.
-- ? conversations
DELETE FROM outbox
WHERE kind = 'read_mark'
    AND state = 'queued'
    AND conversation_id IN (SELECT value FROM json_each(?));
