//! Every statement, in one place. Sets of rows come as one JSON array in `$1`.
//!
//! What a statement must not become is a walk over a whole table: the outbox has a unique
//! `claim_token` for rows that are being sent, and where an index on a common value would look
//! cheaper to the planner, the condition is written so that it cannot use one (`NOT IN`). `CROSS
//! JOIN` is a join whose order the planner keeps. `tests/it/plans.rs` holds the plan of each, by
//! the SQLite that is built in.
//!
//! Written so that another database needs as few other texts as possible: numbered parameters, the
//! clock as a parameter, `ON CONFLICT`, `RETURNING`. What delivery works on is in [`outbox`].

mod outbox;

pub(super) use outbox::*;

/// Inserts rules that were not used before. `$1` version, `$2` source, `$3` now.
pub(super) const RECORD_RULES: &str = "INSERT INTO rules_versions (version, source, first_used_ms) \
    VALUES ($1, $2, $3) ON CONFLICT (version) DO NOTHING";

/// The version of the schema.
pub(super) const NEWEST_MIGRATION: &str =
    "SELECT coalesce(max(version), 0) FROM _sqlx_migrations WHERE success";

/// Takes room like a batch of messages. `$1` bytes.
pub(super) const WRITE_FILLER: &str = "INSERT INTO filler (id, bytes) VALUES (1, zeroblob($1)) \
    ON CONFLICT (id) DO UPDATE SET bytes = excluded.bytes";

/// Gives it back.
pub(super) const DROP_FILLER: &str = "DELETE FROM filler";

/// Lets nothing wait in memory.
pub(super) const NO_CACHE: &str = "PRAGMA cache_size = 1";

// ---- receive: messages -------------------------------------------------------------------------

/// What is known of a batch, as one row of JSON. `$1` keys of messages, `$2` phone numbers, `$3`
/// user ids, `$4` our numbers.
pub(super) const LOAD_BATCH: &str = "WITH people AS MATERIALIZED (SELECT id, wa_id, user_id, name, username FROM contacts \
    WHERE wa_id IN (SELECT value FROM json_each($2)) OR user_id IN (SELECT value FROM json_each($3))) \
    SELECT json_object( \
    'messages', (SELECT json_group_array(message_key) FROM messages \
        WHERE message_key IN (SELECT value FROM json_each($1))), \
    'contacts', (SELECT json_group_array(json_object( \
        'id', id, 'wa_id', wa_id, 'user_id', user_id, 'name', name, 'username', username)) FROM people), \
    'conversations', (SELECT json_group_array(json_object( \
        'id', c.id, 'contact_id', c.contact_id, 'phone_number_id', c.phone_number_id, \
        'state', c.state, 'inbound_count', c.inbound_count, 'last_inbound_ms', c.last_inbound_ms)) \
        FROM people CROSS JOIN conversations AS c ON c.contact_id = people.id \
        WHERE c.phone_number_id IN (SELECT value FROM json_each($4))), \
    'last_message', (SELECT coalesce(max(id), 0) FROM messages), \
    'last_contact', (SELECT coalesce(max(id), 0) FROM contacts), \
    'last_conversation', (SELECT coalesce(max(id), 0) FROM conversations))";

/// Everything a batch of messages leaves behind, in one hand-over: `$1` contacts, `$2`
/// conversations, `$3` messages, `$4` conversations with a new read mark, whose older one goes,
/// `$5` outbox rows in the order they are sent, `$6` now, `$7` files to fetch.
pub(super) const INSERT_BATCH: &str = "INSERT INTO contacts (id, wa_id, user_id, name, username, first_seen_ms) \
    SELECT value->>'$.id', value->>'$.wa_id', value->>'$.user_id', value->>'$.name', \
     value->>'$.username', $6 \
    FROM json_each($1) WHERE true ON CONFLICT (id) DO UPDATE SET \
    wa_id = excluded.wa_id, user_id = excluded.user_id, name = excluded.name, \
    username = excluded.username; \
    INSERT INTO conversations \
    (id, contact_id, phone_number_id, state, inbound_count, last_inbound_ms, last_message_ms, \
     next_timer_ms, opted_out_ms) \
    SELECT value->>'$.id', value->>'$.contact_id', value->>'$.phone_number_id', value->>'$.state', \
     value->>'$.inbound_count', value->>'$.last_inbound_ms', $6, value->>'$.next_timer_ms', \
     value->>'$.opted_out_ms' \
    FROM json_each($2) WHERE true ON CONFLICT (id) DO UPDATE SET \
    state = excluded.state, inbound_count = excluded.inbound_count, \
    last_inbound_ms = excluded.last_inbound_ms, last_message_ms = excluded.last_message_ms, \
    next_timer_ms = excluded.next_timer_ms, opted_out_ms = excluded.opted_out_ms; \
    INSERT INTO messages \
    (id, conversation_id, direction, phone_number_id, wamid, message_key, kind, text, origin, \
     quoted_wamid, sent_at_ms, stored_at_ms, raw, decision, explanation, rules_version, rule_id, \
     reply_to_id, part, variant, outbox_state) \
    SELECT value->>'$.id', value->>'$.conversation_id', value->>'$.direction', \
     value->>'$.phone_number_id', value->>'$.wamid', value->>'$.message_key', value->>'$.kind', \
     value->>'$.text', value->>'$.origin', value->>'$.quoted_wamid', value->>'$.sent_at_ms', $6, \
     value->>'$.raw', value->>'$.decision', value->>'$.explanation', value->>'$.rules_version', \
     value->>'$.rule_id', coalesce(value->>'$.reply_to_id', (SELECT theirs.id FROM messages AS theirs \
        WHERE theirs.message_key = value->>'$.reply_to_key')), \
     value->>'$.part', value->>'$.variant', value->>'$.outbox_state' \
    FROM json_each($3); \
    DELETE FROM outbox WHERE kind = 'read_mark' AND state = 'queued' \
    AND conversation_id IN (SELECT value FROM json_each($4)); \
    INSERT INTO outbox \
    (conversation_id, phone_number_id, kind, message_id, action_number, host, state, due_at_ms, expires_at_ms) \
    SELECT value->>'$.conversation_id', value->>'$.phone_number_id', value->>'$.kind', value->>'$.message_id', \
     value->>'$.action_number', value->>'$.host', 'queued', $6, value->>'$.expires_at_ms' \
    FROM json_each($5) ORDER BY key; \
    INSERT INTO media (message_id, media_id, mime_type, sha256) \
    SELECT value->>'$.message_id', value->>'$.media_id', value->>'$.mime_type', value->>'$.sha256' \
    FROM json_each($7)";

/// What only some batches leave behind. `$1` decisions on messages that had waited, `$2` notes,
/// `$3` actions, `$4` now.
pub(super) const INSERT_SIDE_EFFECTS: &str = "UPDATE messages SET decision = one.value->>'$.decision', \
    explanation = one.value->>'$.explanation', rules_version = one.value->>'$.rules_version' \
    FROM json_each($1) AS one WHERE messages.message_key = one.value->>'$.message_key' \
    AND messages.decision = 'pending'; \
    INSERT INTO conversation_events (conversation_id, at_ms, kind, text, message_id) \
    SELECT value->>'$.conversation_id', $4, value->>'$.kind', value->>'$.text', value->>'$.message_id' \
    FROM json_each($2) ORDER BY key; \
    INSERT INTO actions (conversation_id, number, message_id, request, asked_at_ms) \
    SELECT value->>'$.conversation_id', value->>'$.number', (SELECT theirs.id FROM messages AS theirs \
        WHERE theirs.message_key = value->>'$.message_key'), value->>'$.request', $4 FROM json_each($3)";

/// What was on its way to people who want nothing any more. `$1` conversations.
pub(super) const CALL_OFF: &str = "UPDATE messages SET outbox_state = 'expired', \
    send_error = 'the person wants nothing from us any more' FROM outbox \
    WHERE messages.id = outbox.message_id AND outbox.kind = 'message' AND outbox.state = 'queued' \
    AND outbox.conversation_id IN (SELECT value FROM json_each($1)); \
    DELETE FROM outbox WHERE kind = 'message' AND state = 'queued' \
    AND conversation_id IN (SELECT value FROM json_each($1))";

/// What was to be done for them, and their messages that waited for it. `$1` conversations, `$2`
/// now.
pub(super) const CALL_OFF_ACTIONS: &str = "UPDATE messages SET decision = 'opted_out' \
    WHERE decision = 'pending' AND conversation_id IN (SELECT value FROM json_each($1)); \
    UPDATE actions SET ended_at_ms = $2, \
    outcome = json_object('failed', 'the person wants nothing from us any more') FROM outbox \
    WHERE outbox.conversation_id = actions.conversation_id AND outbox.action_number = actions.number \
    AND outbox.kind = 'action' AND outbox.state = 'queued' \
    AND outbox.conversation_id IN (SELECT value FROM json_each($1)); \
    DELETE FROM outbox WHERE kind = 'action' AND state = 'queued' \
    AND conversation_id IN (SELECT value FROM json_each($1))";

/// Conversations in which something is due, as one row of JSON. `$1` now, `$2` limit.
pub(super) const DUE: &str = "SELECT json_object('conversations', (SELECT json_group_array(json_object( \
    'id', c.id, 'contact_id', c.contact_id, 'phone_number_id', c.phone_number_id, 'state', c.state, \
    'inbound_count', c.inbound_count, 'last_inbound_ms', c.last_inbound_ms, 'person', json_object( \
        'id', p.id, 'wa_id', p.wa_id, 'user_id', p.user_id, 'name', p.name, 'username', p.username))) \
    FROM (SELECT * FROM conversations WHERE next_timer_ms <= $1 ORDER BY next_timer_ms LIMIT $2) AS c \
    JOIN contacts AS p ON p.id = c.contact_id), \
    'last_message', (SELECT coalesce(max(id), 0) FROM messages))";

/// When the next thing becomes due.
pub(super) const DUE_AT: &str =
    "SELECT min(next_timer_ms) FROM conversations WHERE next_timer_ms IS NOT NULL";

/// Whom actions are to be done at: one step through the index for each. `$1` now.
pub(super) const ACTION_HOSTS: &str = "WITH RECURSIVE hosts (name) AS ( \
    SELECT min(host) FROM outbox WHERE kind = 'action' \
    UNION ALL SELECT (SELECT min(host) FROM outbox WHERE kind = 'action' AND host > name) \
    FROM hosts WHERE name IS NOT NULL) \
    SELECT name FROM hosts WHERE EXISTS (SELECT 1 FROM outbox WHERE kind = 'action' AND host = name \
        AND due_at_ms <= $1 AND (state = 'queued' OR (state = 'sending' AND lease_until_ms <= $1)))";

/// The actions that wait longest, also those whose worker is gone, as one row of JSON. `$1` now,
/// `$2` hosts with room, `$3` the most of each.
pub(super) const CLAIMABLE_ACTIONS: &str = "SELECT json_group_array(json_object( \
    'id', id, 'conversation_id', conversation_id, 'host', host, 'attempts', attempts, \
    'expires_at_ms', expires_at_ms, 'request', request)) FROM (SELECT o.id, o.conversation_id, o.host, \
    o.attempts, o.expires_at_ms, a.request FROM json_each($2) AS one JOIN outbox AS o ON o.id IN ( \
        SELECT id FROM outbox WHERE kind = 'action' AND host = one.value AND due_at_ms <= $1 \
        AND (state = 'queued' OR (state = 'sending' AND lease_until_ms <= $1)) \
        ORDER BY due_at_ms, id LIMIT $3) \
    JOIN actions AS a ON a.conversation_id = o.conversation_id AND a.number = o.action_number \
    ORDER BY o.due_at_ms, o.id)";

/// What was said lately in conversations, the oldest first, as one row of JSON. `$1` conversations,
/// `$2` how many of each.
pub(super) const RECENT_MESSAGES: &str = "SELECT json_group_array(json_object( \
    'conversation_id', conversation_id, 'direction', direction, 'text', text)) FROM ( \
    SELECT m.conversation_id, m.direction, m.text FROM json_each($1) AS one JOIN messages AS m ON m.id IN ( \
        SELECT id FROM messages WHERE conversation_id = one.value \
        AND (direction = 'in' OR outbox_state NOT IN ('dead', 'expired')) ORDER BY id DESC LIMIT $2) \
    ORDER BY m.id)";

/// Actions that are ours, with their conversations in the same shape as what is due. `$1`
/// `claim_token`s.
pub(super) const ENDED_ACTIONS: &str = "SELECT json_object('conversations', (SELECT json_group_array(json_object( \
    'id', c.id, 'contact_id', c.contact_id, 'phone_number_id', c.phone_number_id, 'state', c.state, \
    'inbound_count', c.inbound_count, 'last_inbound_ms', c.last_inbound_ms, 'person', json_object( \
        'id', p.id, 'wa_id', p.wa_id, 'user_id', p.user_id, 'name', p.name, 'username', p.username))) \
    FROM conversations AS c JOIN contacts AS p ON p.id = c.contact_id WHERE c.id IN ( \
        SELECT conversation_id FROM outbox WHERE claim_token IN (SELECT value FROM json_each($1)))), \
    'actions', (SELECT json_group_array(json_object('claim_token', claim_token, 'conversation_id', conversation_id, \
        'number', action_number)) FROM outbox WHERE claim_token IN (SELECT value FROM json_each($1))), \
    'last_message', (SELECT coalesce(max(id), 0) FROM messages))";

/// `$1` `claim_token`s and outcomes, `$2` now.
pub(super) const END_ACTIONS: &str = "UPDATE actions SET ended_at_ms = $2, outcome = one.value->>'$.outcome' \
    FROM json_each($1) AS one JOIN outbox ON outbox.claim_token = one.value->>'$.claim_token' \
    WHERE outbox.conversation_id = actions.conversation_id AND outbox.action_number = actions.number; \
    DELETE FROM outbox WHERE claim_token IN (SELECT value->>'$.claim_token' FROM json_each($1))";

/// Conversations with the same number of ours of people who turned out to be one, in pairs. `$1`
/// pairs of contacts.
pub(super) const TO_JOIN: &str = "SELECT json_group_array(json_object('from', f.id, 'to', t.id, \
    'from_state', f.state, 'to_state', t.state, \
    'newer', iif(f.last_message_ms > t.last_message_ms, 'other', 'own'))) \
    FROM json_each($1) AS pair JOIN conversations AS f ON f.contact_id = pair.value->>'$.from' \
    JOIN conversations AS t ON t.contact_id = pair.value->>'$.to' AND t.phone_number_id = f.phone_number_id";

/// Makes one person of two that turned out to be the same. `$1` pairs `from` and `to` of contacts,
/// `$2` those of conversations, with what the one that stays remembers and by how much the numbers
/// of actions grow; then `from` is gone.
pub(super) const MERGE_PEOPLE: &str = "UPDATE messages SET conversation_id = pair.value->>'$.to' \
    FROM json_each($2) AS pair WHERE messages.conversation_id = pair.value->>'$.from'; \
    UPDATE outbox SET conversation_id = pair.value->>'$.to', \
    action_number = action_number + (pair.value->>'$.shift') \
    FROM json_each($2) AS pair WHERE outbox.conversation_id = pair.value->>'$.from'; \
    UPDATE conversation_events SET conversation_id = pair.value->>'$.to' \
    FROM json_each($2) AS pair WHERE conversation_events.conversation_id = pair.value->>'$.from'; \
    UPDATE actions SET conversation_id = pair.value->>'$.to', number = number + (pair.value->>'$.shift') \
    FROM json_each($2) AS pair WHERE actions.conversation_id = pair.value->>'$.from'; \
    UPDATE conversations AS t SET inbound_count = t.inbound_count + f.inbound_count, \
    last_inbound_ms = max(coalesce(t.last_inbound_ms, f.last_inbound_ms), coalesce(f.last_inbound_ms, t.last_inbound_ms)), \
    state = pair.value->>'$.state', next_timer_ms = pair.value->>'$.next_timer_ms', \
    opted_out_ms = pair.value->>'$.opted_out_ms', last_message_ms = max(t.last_message_ms, f.last_message_ms) \
    FROM json_each($2) AS pair JOIN conversations AS f ON f.id = pair.value->>'$.from' \
    WHERE t.id = pair.value->>'$.to'; \
    DELETE FROM conversations WHERE id IN (SELECT value->>'$.from' FROM json_each($2)); \
    UPDATE conversations SET contact_id = pair.value->>'$.to' FROM json_each($1) AS pair \
    WHERE contact_id = pair.value->>'$.from'; \
    UPDATE contacts AS t SET name = coalesce(t.name, f.name), username = coalesce(t.username, f.username), \
    marketing_opted_out_ms = coalesce(t.marketing_opted_out_ms, f.marketing_opted_out_ms), \
    first_seen_ms = min(t.first_seen_ms, f.first_seen_ms) \
    FROM json_each($1) AS pair JOIN contacts AS f ON f.id = pair.value->>'$.from' \
    WHERE t.id = pair.value->>'$.to'; \
    DELETE FROM contacts WHERE id IN (SELECT value->>'$.from' FROM json_each($1))";

// ---- receive: the rest -------------------------------------------------------------------------

/// Stores steps that were not told before, takes a returned tag as proof of a send whatever we
/// thought of it, and drops the outbox rows of what is proven. `$1` receipts, `$2` now.
pub(super) const WRITE_RECEIPTS: &str = "INSERT INTO receipts \
    (receipt_key, message_key, status, participant, at_ms, received_at_ms, claim_token, pricing, conversation, \
     errors, raw) \
    SELECT value->>'$.receipt_key', value->>'$.message_key', value->>'$.status', \
     value->>'$.participant', value->>'$.at_ms', $2, value->>'$.claim_token', value->>'$.pricing', \
     value->>'$.conversation', value->>'$.errors', value->>'$.raw' \
    FROM json_each($1) WHERE true ON CONFLICT (receipt_key) DO NOTHING; \
    UPDATE messages SET wamid = proof.value->>'$.wamid', message_key = proof.value->>'$.message_key', \
    outbox_state = 'accepted', send_error = NULL \
    FROM json_each($1) AS proof JOIN outbox ON outbox.claim_token = proof.value->>'$.claim_token' \
    WHERE messages.id = outbox.message_id AND messages.direction = 'out' \
    AND outbox.phone_number_id = proof.value->>'$.phone_number_id' \
    AND NOT EXISTS (SELECT 1 FROM messages AS other WHERE other.message_key = proof.value->>'$.message_key'); \
    DELETE FROM outbox WHERE claim_token IN (SELECT value->>'$.claim_token' FROM json_each($1)) \
    AND EXISTS (SELECT 1 FROM messages WHERE messages.id = outbox.message_id \
        AND messages.outbox_state = 'accepted')";

/// Receipts that name both ids of a person complete a contact that had only the phone. `$1` pairs
/// `wa_id` and `user_id`.
pub(super) const LEARN_USER_IDS: &str = "UPDATE contacts SET user_id = told.value->>'$.user_id' \
    FROM json_each($1) AS told WHERE contacts.wa_id = told.value->>'$.wa_id' \
    AND contacts.user_id IS NULL AND NOT EXISTS (SELECT 1 FROM contacts AS other \
        WHERE other.user_id = told.value->>'$.user_id')";

/// The furthest step of each message with one of these keys. A read proves a delivery, and `failed`
/// stays.
pub(super) const MERGE_RECEIPTS: &str = "UPDATE messages SET delivery_status = \
    (SELECT status FROM receipts WHERE receipts.message_key = messages.message_key \
     AND status IN ('sent', 'delivered', 'read', 'played', 'failed') \
     ORDER BY CASE status WHEN 'sent' THEN 1 WHEN 'delivered' THEN 2 WHEN 'read' THEN 3 \
     WHEN 'played' THEN 4 ELSE 5 END DESC LIMIT 1), \
    send_error = coalesce((SELECT errors FROM receipts \
     WHERE receipts.message_key = messages.message_key AND status = 'failed'), send_error) \
    WHERE direction = 'out' AND message_key IN (SELECT value FROM json_each($1)) \
    AND EXISTS (SELECT 1 FROM receipts WHERE receipts.message_key = messages.message_key)";

/// News that was not told before.
pub(super) const INSERT_ACCOUNT_EVENTS: &str = "INSERT INTO account_events \
    (event_key, field, phone_number_id, waba_id, occurred_at_ms, summary, received_at_ms, raw) \
    SELECT value->>'$.event_key', value->>'$.field', value->>'$.phone_number_id', \
     value->>'$.waba_id', value->>'$.occurred_at_ms', value->>'$.summary', $2, value->>'$.raw' \
    FROM json_each($1) WHERE true ON CONFLICT (event_key) DO NOTHING";

/// Wishes about marketing, by either id, the last one of a person last. `$2` now.
pub(super) const WRITE_CONSENT: &str = "UPDATE contacts SET marketing_opted_out_ms = \
    CASE wish.value->>'$.marketing' WHEN 'stop' THEN coalesce(marketing_opted_out_ms, $2) END \
    FROM json_each($1) AS wish \
    WHERE (contacts.user_id IS NOT NULL AND contacts.user_id = wish.value->>'$.user_id') \
    OR (contacts.wa_id IS NOT NULL AND contacts.wa_id = wish.value->>'$.wa_id')";

/// Updates we could not understand; `raw` comes as hex, because JSON carries no bytes.
pub(super) const INSERT_QUARANTINE: &str = "INSERT INTO quarantine \
    (raw_key, phone_number_id, reason, received_at_ms, raw) \
    SELECT value->>'$.raw_key', value->>'$.phone_number_id', value->>'$.reason', $2, \
     coalesce(substr($3, value->>'$.raw_from', value->>'$.raw_bytes'), x'') \
    FROM json_each($1) WHERE true ON CONFLICT (raw_key) DO NOTHING";

// ---- reading -----------------------------------------------------------------------------------

/// `$1` part of a name, a user id, a conversation's id, or nothing; `$2` limit; `$3` the digits of
/// a phone, or six of them at least.
pub(super) const CONVERSATIONS: &str = "WITH meant AS MATERIALIZED ( \
    SELECT v.id, CASE WHEN CAST(v.id AS TEXT) = $1 THEN 1 \
        WHEN c.wa_id = $3 OR c.user_id = $1 THEN 2 ELSE 3 END AS how \
    FROM conversations AS v JOIN contacts AS c ON c.id = v.contact_id \
    WHERE $1 = '' OR instr(lower(coalesce(c.name, '')), lower($1)) > 0 \
    OR (length($3) > 5 AND instr(coalesce(c.wa_id, ''), $3) > 0) OR c.user_id = $1 \
    OR CAST(v.id AS TEXT) = $1) \
    SELECT v.id, \
    coalesce(c.name, '+' || c.wa_id, c.user_id) AS contact, c.wa_id AS phone, v.phone_number_id, \
    (SELECT text FROM messages AS m WHERE m.conversation_id = v.id ORDER BY m.id DESC LIMIT 1) \
        AS last_message, \
    v.last_message_ms, v.inbound_count, \
    (SELECT min(theirs.sent_at_ms) FROM messages AS theirs \
     WHERE theirs.conversation_id = v.id AND theirs.direction = 'in' \
     AND theirs.id > coalesce((SELECT max(coalesce(ours.reply_to_id, ours.id)) FROM messages AS ours \
        WHERE ours.conversation_id = v.id AND ours.direction = 'out' \
        AND ours.outbox_state NOT IN ('dead', 'expired', 'held') \
        AND coalesce(ours.delivery_status, '') <> 'failed'), 0)) AS unanswered_since_ms, \
    v.last_inbound_ms + 86400000 AS window_open_until_ms \
    FROM meant JOIN conversations AS v ON v.id = meant.id JOIN contacts AS c ON c.id = v.contact_id \
    WHERE meant.how = (SELECT min(how) FROM meant) \
    ORDER BY v.last_message_ms DESC, v.id DESC LIMIT $2";

/// `$1` conversation, `$2` limit. A message that still waits tells why.
pub(super) const TRANSCRIPT: &str = "SELECT latest.id, latest.direction, latest.sent_at_ms, latest.stored_at_ms, \
    latest.kind, latest.text, latest.origin, latest.wamid, latest.decision, latest.explanation, latest.rule_id, \
    latest.reply_to_id, latest.rules_version, latest.outbox_state, latest.delivery_status, \
    coalesce(latest.send_error, waiting.reason) AS send_error, waiting.id AS outbox_id, media.path, media.error \
    FROM (SELECT * FROM messages WHERE conversation_id = $1 ORDER BY id DESC LIMIT $2) AS latest \
    LEFT JOIN media ON media.message_id = latest.id \
    LEFT JOIN outbox AS waiting ON waiting.conversation_id = $1 AND waiting.kind = 'message' \
        AND waiting.message_id = latest.id ORDER BY latest.id";

/// What happened in a conversation beside what was said. `$1` conversation.
pub(super) const CONVERSATION_EVENTS: &str = "SELECT at_ms, kind, text, message_id FROM conversation_events WHERE conversation_id = $1 ORDER BY id";

// ---- commands beside the service ---------------------------------------------------------------

/// `$1` number, `$2` hash, `$3` MIME type, `$4` now.
pub(super) const FIND_UPLOAD: &str = "SELECT media_id FROM uploads \
    WHERE phone_number_id = $1 AND sha256 = $2 AND mime_type = $3 AND expires_at_ms > $4";

/// `$1` number, `$2` hash, `$3` MIME type, `$4` media id, `$5` until when, `$6` now. What Meta has
/// forgotten goes.
pub(super) const REMEMBER_UPLOAD: &str = "DELETE FROM uploads WHERE expires_at_ms <= $6; \
    INSERT INTO uploads (phone_number_id, sha256, mime_type, media_id, expires_at_ms) \
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (phone_number_id, sha256, mime_type) \
    DO UPDATE SET media_id = excluded.media_id, expires_at_ms = excluded.expires_at_ms";

/// `$1` number, `$2` phone, `$3` user id.
pub(super) const STANDING: &str = "SELECT v.last_inbound_ms, \
    c.marketing_opted_out_ms IS NOT NULL AS no_marketing, v.opted_out_ms IS NOT NULL AS opted_out FROM contacts AS c \
    LEFT JOIN conversations AS v ON v.contact_id = c.id AND v.phone_number_id = $1 \
    WHERE c.id = coalesce((SELECT id FROM contacts WHERE wa_id = $2), \
        (SELECT id FROM contacts WHERE user_id = $3))";

/// A message sent by hand, with its contact and conversation when they are new. `$1` the one row,
/// `$2` now.
pub(super) const RECORD_SENT: &str = "INSERT INTO contacts (wa_id, user_id, first_seen_ms) \
    SELECT value->>'$.wa_id', value->>'$.user_id', $2 FROM json_each($1) \
    WHERE NOT EXISTS (SELECT 1 FROM contacts \
        WHERE wa_id = value->>'$.wa_id' OR user_id = value->>'$.user_id'); \
    INSERT INTO conversations (contact_id, phone_number_id, state, inbound_count, last_message_ms) \
    SELECT c.id, value->>'$.phone_number_id', '{}', 0, $2 FROM json_each($1) \
    JOIN contacts AS c ON c.wa_id = value->>'$.wa_id' OR c.user_id = value->>'$.user_id' \
    WHERE true ON CONFLICT (contact_id, phone_number_id) \
    DO UPDATE SET last_message_ms = excluded.last_message_ms; \
    INSERT INTO messages (conversation_id, direction, phone_number_id, wamid, message_key, kind, text, \
     origin, quoted_wamid, sent_at_ms, stored_at_ms, raw, outbox_state) \
    SELECT v.id, 'out', value->>'$.phone_number_id', value->>'$.wamid', value->>'$.message_key', \
     value->>'$.kind', value->>'$.text', 'operator', value->>'$.quoted_wamid', $2, $2, value->>'$.raw', \
     'accepted' FROM json_each($1) \
    JOIN contacts AS c ON c.wa_id = value->>'$.wa_id' OR c.user_id = value->>'$.user_id' \
    JOIN conversations AS v ON v.contact_id = c.id AND v.phone_number_id = value->>'$.phone_number_id' \
    WHERE true ON CONFLICT (message_key) DO NOTHING";

/// The latest news of the account. `$1` field or nothing, `$2` limit.
pub(super) const ACCOUNT_EVENTS: &str = "SELECT * FROM (SELECT id, field, phone_number_id, summary, \
    received_at_ms, raw FROM account_events WHERE $1 = '' OR field = $1 \
    ORDER BY id DESC LIMIT $2) AS latest ORDER BY id";

/// `ok`, or what is wrong with the file itself: what the connection remembers of it is forgotten
/// first.
pub(super) const QUICK_CHECK: &str = "PRAGMA shrink_memory; PRAGMA quick_check(1)";
