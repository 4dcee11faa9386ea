-- Deletes read marks, unless a newer one has taken their place.
-- $1 read marks
DELETE FROM read_marks
WHERE conversation_id IN (SELECT value->>'conversation_id' FROM json_each($1))
    AND wamid IN (SELECT value->>'wamid' FROM json_each($1));
