-- Inserts messages of both directions.
INSERT INTO messages (
    id, conversation_id, direction, phone_number_id, wamid, message_key, kind, text, origin,
    quoted_wamid, sent_at_ms, stored_at_ms, raw, decision, explanation, rules_version, rule_id,
    reply_to_id, part, variant, outbox_state, instead
)
SELECT *
FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))
WHERE column1 IS NOT NULL;
