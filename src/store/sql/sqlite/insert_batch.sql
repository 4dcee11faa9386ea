-- Writes everything but contacts that a batch of messages leaves behind.
-- $1 conversations, $2 messages, $3 read marks, $4 outbox rows,
-- $5 now, $6 media
INSERT INTO conversations (
    id, contact_id, phone_number_id, state, inbound_count, last_inbound_ms, last_message_ms,
    next_timer_ms, opted_out_ms
)
SELECT
    value->>'id', value->>'contact_id', value->>'phone_number_id', value->>'state',
    value->>'inbound_count', value->>'last_inbound_ms', $5, value->>'next_timer_ms',
    value->>'opted_out_ms'
FROM json_each($1)
WHERE true
ON CONFLICT (id) DO UPDATE SET
    state = excluded.state,
    inbound_count = excluded.inbound_count,
    last_inbound_ms = excluded.last_inbound_ms,
    window_closed_ms = CASE
        WHEN excluded.inbound_count = conversations.inbound_count
            THEN conversations.window_closed_ms
    END,
    last_message_ms = excluded.last_message_ms,
    next_timer_ms = excluded.next_timer_ms,
    opted_out_ms = excluded.opted_out_ms;

INSERT INTO messages (
    id, conversation_id, direction, phone_number_id, wamid, message_key, kind, text, origin,
    quoted_wamid, sent_at_ms, stored_at_ms, raw, decision, explanation, rules_version, rule_id,
    reply_to_id, part, variant, outbox_state, instead
)
SELECT
    value->>'id', value->>'conversation_id', value->>'direction', value->>'phone_number_id',
    value->>'wamid', value->>'message_key', value->>'kind', value->>'text', value->>'origin',
    value->>'quoted_wamid', value->>'sent_at_ms', $5, value->>'raw', value->>'decision',
    value->>'explanation', value->>'rules_version', value->>'rule_id',
    coalesce(
        value->>'reply_to_id',
        (
            SELECT inbound.id
            FROM messages AS inbound
            WHERE inbound.message_key = value->>'reply_to_key'
        )
    ),
    value->>'part', value->>'variant', value->>'outbox_state', value->>'instead'
FROM json_each($2);

INSERT INTO read_marks (conversation_id, phone_number_id, wamid, expires_at_ms)
SELECT
    value->>'conversation_id', value->>'phone_number_id', value->>'wamid', value->>'expires_at_ms'
FROM json_each($3)
WHERE true
ON CONFLICT (conversation_id) DO UPDATE SET
    wamid = excluded.wamid,
    expires_at_ms = excluded.expires_at_ms;

INSERT INTO outbox (
    id, conversation_id, phone_number_id, kind, message_id, action_number, host, state, due_at_ms,
    expires_at_ms, attempts, claim_token, lease_until_ms
)
SELECT
    value->>'id', value->>'conversation_id', value->>'phone_number_id', value->>'kind',
    value->>'message_id', value->>'action_number', value->>'host', value->>'state', $5,
    value->>'expires_at_ms', value->>'attempts', value->>'claim_token', value->>'lease_until_ms'
FROM json_each($4)
ORDER BY key;

INSERT INTO media (message_id, media_id, mime_type, sha256)
SELECT value->>'message_id', value->>'media_id', value->>'mime_type', value->>'sha256'
FROM json_each($6);
