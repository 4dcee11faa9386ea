-- Sets late decisions and inserts conversation events and actions.
-- $1 late decisions, $2 conversation events, $3 actions, $4 now
UPDATE messages
SET
    decision = item.value->>'decision',
    explanation = item.value->>'explanation',
    rules_version = item.value->>'rules_version'
FROM json_each($1) AS item
WHERE messages.message_key = item.value->>'message_key' AND messages.decision = 'pending';

INSERT INTO conversation_events (conversation_id, at_ms, kind, text, message_id)
SELECT value->>'conversation_id', $4, value->>'kind', value->>'text', value->>'message_id'
FROM json_each($2)
ORDER BY key;

INSERT INTO actions (conversation_id, number, message_id, request, asked_at_ms)
SELECT
    value->>'conversation_id', value->>'number',
    (
        SELECT inbound.id
        FROM messages AS inbound
        WHERE inbound.message_key = value->>'message_key'
    ),
    value->>'request', $4
FROM json_each($3);
