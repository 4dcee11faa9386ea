//! Statements on the outbox: what delivery claims, settles and frees, and what a person does with a
//! row by hand.

/// Ends every lease: for a start, when nobody else can be sending.
pub(crate) const END_LEASES: &str = "UPDATE outbox SET lease_until_ms = 0 WHERE state = 'sending'";

/// The next message of each conversation that has none before it, as one row of JSON. `$1` now,
/// `$2` numbers with room, `$3` limit.
pub(crate) const CLAIMABLE_MESSAGES: &str = "SELECT json_group_array(json_object( \
    'id', id, 'conversation_id', conversation_id, 'phone_number_id', phone_number_id, \
    'attempts', attempts, 'expires_at_ms', expires_at_ms, 'content', content, 'wamid', wamid, \
    'wa_id', wa_id, 'user_id', user_id, 'about', about)) FROM (SELECT o.id, o.conversation_id, \
    o.phone_number_id, o.attempts, o.expires_at_ms, m.raw AS content, NULL AS wamid, \
    c.wa_id, c.user_id, m.quoted_wamid AS about \
    FROM outbox AS o JOIN messages AS m ON m.id = o.message_id \
    JOIN conversations AS v ON v.id = o.conversation_id JOIN contacts AS c ON c.id = v.contact_id \
    WHERE o.kind = 'message' AND o.state = 'queued' AND o.due_at_ms <= $1 AND o.expires_at_ms > $1 \
    AND o.phone_number_id IN (SELECT value FROM json_each($2)) \
    AND NOT EXISTS (SELECT 1 FROM outbox AS e WHERE e.conversation_id = o.conversation_id \
        AND e.kind IN ('message', 'read_mark') AND e.state = 'sending') \
    AND NOT EXISTS (SELECT 1 FROM outbox AS e WHERE e.conversation_id = o.conversation_id \
        AND e.kind = 'message' AND e.state IN ('queued', 'unknown') AND e.id < o.id) \
    ORDER BY o.due_at_ms, o.id LIMIT $3)";

/// Read marks of conversations where nothing is being sent, in the same shape. `$1` now, `$2`
/// numbers with room, `$3` limit.
pub(crate) const CLAIMABLE_READ_MARKS: &str = "SELECT json_group_array(json_object( \
    'id', id, 'conversation_id', conversation_id, 'phone_number_id', phone_number_id, \
    'attempts', attempts, 'expires_at_ms', expires_at_ms, 'content', content, 'wamid', wamid, \
    'wa_id', wa_id, 'user_id', user_id)) FROM (SELECT o.id, o.conversation_id, o.phone_number_id, \
    o.attempts, o.expires_at_ms, NULL AS content, m.wamid, NULL AS wa_id, NULL AS user_id \
    FROM outbox AS o JOIN messages AS m ON m.id = o.message_id \
    WHERE o.kind = 'read_mark' AND o.state = 'queued' AND o.due_at_ms <= $1 AND o.expires_at_ms > $1 \
    AND o.phone_number_id IN (SELECT value FROM json_each($2)) \
    AND NOT EXISTS (SELECT 1 FROM outbox AS e WHERE e.conversation_id = o.conversation_id \
        AND e.kind IN ('message', 'read_mark') AND e.state = 'sending') \
    ORDER BY o.due_at_ms, o.id LIMIT $3)";

/// Makes rows ours. `$2` end of the lease.
pub(crate) const CLAIM: &str = "UPDATE outbox SET state = 'sending', attempts = attempts + 1, \
    claim_token = claim.value->>'$.claim_token', lease_until_ms = $2 \
    FROM json_each($1) AS claim WHERE outbox.id = claim.value->>'$.id'";

/// What became of messages whose claim is still ours.
pub(crate) const SETTLE_MESSAGES: &str = "UPDATE messages SET \
    outbox_state = end_.value->>'$.state', send_error = end_.value->>'$.reason', \
    wamid = coalesce(end_.value->>'$.wamid', wamid), \
    message_key = CASE WHEN EXISTS (SELECT 1 FROM messages AS other \
        WHERE other.message_key = end_.value->>'$.message_key') THEN message_key \
        ELSE coalesce(end_.value->>'$.message_key', message_key) END \
    FROM json_each($1) AS end_ JOIN outbox ON outbox.claim_token = end_.value->>'$.claim_token' \
    WHERE messages.id = outbox.message_id AND messages.direction = 'out'";

/// Rows that stay: to be tried again, or unknown. A reason is kept beside those of earlier tries,
/// of which the last hundred stay. `$2` now.
pub(crate) const SETTLE_KEPT: &str = "UPDATE outbox SET \
    state = end_.value->>'$.state', due_at_ms = coalesce(end_.value->>'$.due_at_ms', due_at_ms), \
    attempts = attempts - (end_.value->>'$.attempts_back'), \
    reason = coalesce(end_.value->>'$.reason', reason), \
    tries = CASE WHEN end_.value->>'$.reason' IS NULL THEN tries ELSE json_insert( \
        CASE WHEN json_array_length(tries) < 100 THEN tries ELSE json_remove(tries, '$[0]') END, \
        '$[#]', json_object('attempt', attempts, 'at_ms', $2, 'code', end_.value->>'$.code', \
            'reason', end_.value->>'$.reason')) END, \
    claim_token = CASE end_.value->>'$.state' WHEN 'unknown' THEN claim_token END, \
    lease_until_ms = CASE end_.value->>'$.state' WHEN 'unknown' THEN $2 END \
    FROM json_each($1) AS end_ WHERE outbox.claim_token = end_.value->>'$.claim_token' \
    AND outbox.state NOT IN ('queued', 'unknown', 'held')";

/// Rows that leave.
pub(crate) const SETTLE_GONE: &str =
    "DELETE FROM outbox WHERE claim_token IN (SELECT value->>'$.claim_token' FROM json_each($1))";

/// Messages that nobody settles, as one row of JSON: those unknown since `$2` or longer, those
/// whose sender is gone, and those whose time is over. `$1` now.
pub(crate) const UNSETTLED: &str = "SELECT json_object( \
    'held', (SELECT json_group_array(json_object('id', id, 'message_id', message_id, 'reason', reason)) \
        FROM outbox WHERE kind = 'message' AND state = 'unknown' AND lease_until_ms <= $2), \
    'lost', (SELECT json_group_array(json_object('id', id, 'message_id', message_id)) \
        FROM outbox WHERE kind = 'message' AND state = 'sending' AND lease_until_ms <= $1), \
    'expired', (SELECT json_group_array(json_object('id', o.id, 'message_id', o.message_id, \
        'attempts', o.attempts, 'reason', o.reason, 'code', o.tries->>'$[#-1].code', \
        'stored_at_ms', m.stored_at_ms, 'expires_at_ms', o.expires_at_ms)) \
        FROM outbox AS o JOIN messages AS m ON m.id = o.message_id \
        WHERE o.kind = 'message' AND o.state = 'queued' AND o.expires_at_ms <= $1))";

/// Moves them on: `$1` each with its new state and, where there is a new one, the reason; `$2` now.
/// What is held stops blocking its conversation, and a late receipt still finds it; what has
/// expired leaves.
pub(crate) const MOVE_ON: &str = "UPDATE messages SET outbox_state = one.value->>'$.state', \
    send_error = coalesce(one.value->>'$.reason', send_error) \
    FROM json_each($1) AS one WHERE messages.id = one.value->>'$.message_id'; \
    UPDATE outbox SET state = one.value->>'$.state', \
    reason = coalesce(one.value->>'$.reason', outbox.reason), \
    tries = CASE one.value->>'$.state' WHEN 'unknown' THEN json_insert(tries, '$[#]', json_object( \
        'attempt', attempts, 'at_ms', $2, 'code', NULL, 'reason', one.value->>'$.reason')) ELSE tries END, \
    lease_until_ms = CASE one.value->>'$.state' WHEN 'unknown' THEN $2 ELSE lease_until_ms END \
    FROM json_each($1) AS one \
    WHERE outbox.id = one.value->>'$.id' AND one.value->>'$.state' <> 'expired'; \
    DELETE FROM outbox WHERE id IN (SELECT value->>'$.id' FROM json_each($1) \
        WHERE value->>'$.state' = 'expired')";

/// A read mark that may or may not have been sent hurts nobody. `$1` now.
pub(crate) const DROP_READ_MARKS: &str = "DELETE FROM outbox WHERE kind = 'read_mark' \
    AND ((state = 'sending' AND lease_until_ms <= $1) OR (state = 'queued' AND expires_at_ms <= $1))";

/// When the next row becomes due. `$1` now.
pub(crate) const NEXT_DUE: &str = "SELECT min(at) FROM ( \
    SELECT min(due_at_ms) AS at FROM outbox \
        WHERE kind = 'message' AND state = 'queued' AND due_at_ms > $1 \
    UNION ALL SELECT min(due_at_ms) FROM outbox \
        WHERE kind = 'read_mark' AND state = 'queued' AND due_at_ms > $1)";

/// Rows that delivery still has to do with.
pub(crate) const OUTBOX_ROWS: &str =
    "SELECT count(*) FROM outbox WHERE state IN ('queued', 'sending', 'unknown')";

/// Rows that wait for a person: an index holds all of it.
pub(crate) const HELD_ROWS: &str =
    "SELECT count(*) FROM outbox WHERE kind = 'message' AND state = 'held'";

/// How many rows there are of each state and kind, and since when the oldest of them waits.
pub(crate) const OUTBOX_COUNTS: &str = "SELECT o.state, o.kind, count(*) AS total, \
    min(coalesce(m.stored_at_ms, a.asked_at_ms)) AS since_ms FROM outbox AS o \
    LEFT JOIN messages AS m ON m.id = o.message_id \
    LEFT JOIN actions AS a ON a.conversation_id = o.conversation_id AND a.number = o.action_number \
    GROUP BY o.state, o.kind";

/// Messages that were given up since `$1`: refused for good, or not sent in time.
pub(crate) const GIVEN_UP: &str = "SELECT count(*) FROM messages \
    WHERE outbox_state IN ('dead', 'expired') AND stored_at_ms >= $1";

/// Rows as a person looks at them, oldest first. `$1` a state or nothing, `$2` ids or NULL for all,
/// `$3` limit.
pub(crate) const LOOK_AT_OUTBOX: &str = "SELECT o.id, o.conversation_id, o.kind, o.state, o.phone_number_id, \
    o.host, o.due_at_ms, o.expires_at_ms, o.lease_until_ms, o.attempts, o.reason, o.tries, \
    coalesce(c.name, '+' || c.wa_id, c.user_id) AS contact, c.wa_id AS phone, \
    m.kind AS message_kind, m.text, m.rule_id, coalesce(m.stored_at_ms, a.asked_at_ms) AS since_ms, \
    v.last_inbound_ms, v.opted_out_ms IS NOT NULL AS opted_out, \
    CASE WHEN o.kind = 'message' AND o.state = 'queued' THEN (SELECT min(e.id) FROM outbox AS e \
        WHERE e.conversation_id = o.conversation_id AND e.kind = 'message' \
        AND e.state IN ('queued', 'sending', 'unknown') AND e.id < o.id) END AS behind \
    FROM outbox AS o JOIN conversations AS v ON v.id = o.conversation_id \
    JOIN contacts AS c ON c.id = v.contact_id LEFT JOIN messages AS m ON m.id = o.message_id \
    LEFT JOIN actions AS a ON a.conversation_id = o.conversation_id AND a.number = o.action_number \
    WHERE ($1 = '' OR o.state = $1) AND ($2 IS NULL OR o.id IN (SELECT value FROM json_each($2))) \
    ORDER BY o.id LIMIT $3";

/// Puts rows to the front. The `claim_token` of the last try stays until the next claim gives a new
/// one: until then a receipt that brings it back still proves that the message was sent. `$1` ids
/// with their new ends, `$2` now.
pub(crate) const RETRY_BY_HAND: &str = "UPDATE messages SET outbox_state = 'queued', send_error = NULL \
    FROM json_each($1) AS one JOIN outbox ON outbox.id = one.value->>'$.id' \
    WHERE messages.id = outbox.message_id AND outbox.kind = 'message'; \
    UPDATE outbox SET state = 'queued', lease_until_ms = NULL, expires_at_ms = one.value->>'$.expires_at_ms', \
    due_at_ms = min($2, coalesce((SELECT min(first.due_at_ms) FROM outbox AS first \
        WHERE first.kind = outbox.kind AND first.state = 'queued'), $2)) \
    FROM json_each($1) AS one WHERE outbox.id = one.value->>'$.id'";

/// Ends rows without sending them. `$1` ids with what is kept as the reason.
pub(crate) const END_ROWS: &str = "UPDATE messages SET outbox_state = 'dead', \
    send_error = one.value->>'$.reason' \
    FROM json_each($1) AS one JOIN outbox ON outbox.id = one.value->>'$.id' \
    WHERE messages.id = outbox.message_id AND outbox.kind = 'message'; \
    UPDATE media SET error = one.value->>'$.reason' \
    FROM json_each($1) AS one JOIN outbox ON outbox.id = one.value->>'$.id' \
    WHERE media.message_id = outbox.message_id AND outbox.kind = 'download'; \
    DELETE FROM outbox WHERE id IN (SELECT value->>'$.id' FROM json_each($1))";

/// Files that Meta has dropped. `$1` now.
pub(crate) const EXPIRE_DOWNLOADS: &str = "UPDATE media SET \
    error = coalesce(error || '; ', '') || 'WhatsApp keeps files for seven days only' FROM outbox \
    WHERE media.message_id = outbox.message_id AND outbox.kind = 'download' AND outbox.expires_at_ms <= $1; \
    DELETE FROM outbox WHERE kind = 'download' AND expires_at_ms <= $1";

/// The file that waits longest, also one whose worker is gone. `$1` now, `$2` `claim_token`, `$3`
/// end of the lease.
pub(crate) const CLAIM_DOWNLOAD: &str = "UPDATE outbox SET state = 'sending', attempts = attempts + 1, \
    claim_token = $2, lease_until_ms = $3 WHERE id = (SELECT id FROM outbox WHERE kind = 'download' \
        AND ((state = 'queued' AND due_at_ms <= $1) OR (state = 'sending' AND lease_until_ms <= $1)) \
        ORDER BY due_at_ms, id LIMIT 1) \
    RETURNING id, attempts, phone_number_id, message_id";

/// `$1` message.
pub(crate) const FILE_OF_MESSAGE: &str = "SELECT media_id, mime_type, sha256, stored_at_ms \
    FROM media JOIN messages ON messages.id = media.message_id WHERE media.message_id = $1";

/// `$1` `claim_token`, `$2` path, `$3` bytes, `$4` reason, `$5` now.
pub(crate) const SETTLE_FILE: &str = "UPDATE media SET path = $2, bytes = $3, error = $4, \
    fetched_at_ms = iif($2 IS NULL, NULL, $5) \
    WHERE message_id = (SELECT outbox.message_id FROM outbox WHERE outbox.claim_token = $1)";

/// `$1` `claim_token`, `$2` not before, `$3` reason.
pub(crate) const RETRY_DOWNLOAD: &str = "UPDATE outbox SET state = 'queued', due_at_ms = $2, reason = $3, \
    claim_token = NULL, lease_until_ms = NULL WHERE claim_token = $1";

/// `$1` `claim_token`.
pub(crate) const END_DOWNLOAD: &str = "DELETE FROM outbox WHERE claim_token = $1";

/// Numbers that have something queued: one step through the index for each, however many rows there
/// are.
pub(crate) const OUTBOX_NUMBERS: &str = "WITH RECURSIVE numbers (number) AS ( \
    SELECT min(phone_number_id) FROM outbox WHERE state = 'queued' \
    UNION ALL SELECT (SELECT min(phone_number_id) FROM outbox \
        WHERE state = 'queued' AND phone_number_id > number) \
    FROM numbers WHERE number IS NOT NULL) \
    SELECT number FROM numbers WHERE number IS NOT NULL";
