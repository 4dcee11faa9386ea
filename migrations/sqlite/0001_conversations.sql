-- The whole history, made to be read: open it with any SQLite tool and start with the views at the end.
-- Times end in _ms and are milliseconds since 1970-01-01 UTC; the views show them as ISO 8601.

-- A person, known by phone number, by business-scoped user id, or by both.
CREATE TABLE contacts (
    id            INTEGER PRIMARY KEY,
    wa_id         TEXT UNIQUE,             -- phone number as WhatsApp writes it: digits, no plus; NULL while the person hides it
    user_id       TEXT UNIQUE,             -- business-scoped user id; NULL where Meta did not send one
    name          TEXT,                    -- the latest profile name we saw: chosen by the person, prove nothing by it
    username      TEXT,                    -- the latest username we saw, without @
    marketing_opted_out_ms INTEGER,          -- since when the person wants no marketing messages; NULL: nothing was said
    first_seen_ms INTEGER NOT NULL,
    CHECK (wa_id IS NOT NULL OR user_id IS NOT NULL)
) STRICT;

-- One contact with one of our numbers: the unit of order and of state.
CREATE TABLE conversations (
    id                INTEGER PRIMARY KEY,
    contact_id        INTEGER NOT NULL REFERENCES contacts (id),
    phone_number_id   TEXT    NOT NULL,    -- our number, by Meta's id
    state             TEXT    NOT NULL,    -- JSON: what the rules remember of this person
    inbound_count       INTEGER NOT NULL,    -- how many messages the person sent; 0 before means a first contact
    last_inbound_ms   INTEGER,             -- by WhatsApp's clock; the 24-hour window counts from here
    last_message_ms   INTEGER NOT NULL,    -- of either side; what lists are sorted by
    next_timer_ms        INTEGER,             -- when something in the state becomes due; NULL: nothing waits
    opted_out_ms      INTEGER,             -- since when the person wants nothing from us; notes tell by which message
    UNIQUE (contact_id, phone_number_id)
) STRICT;
CREATE INDEX conversations_by_last_message ON conversations (last_message_ms);
CREATE INDEX conversations_by_next_timer ON conversations (next_timer_ms) WHERE next_timer_ms IS NOT NULL;

-- Every message of both sides, for ever.
CREATE TABLE messages (
    id                INTEGER PRIMARY KEY,
    conversation_id   INTEGER NOT NULL REFERENCES conversations (id),
    direction         TEXT    NOT NULL CHECK (direction IN ('in', 'out')),
    phone_number_id   TEXT    NOT NULL,
    wamid             TEXT,                -- WhatsApp's id; NULL for one of ours that was not accepted (yet)
    -- First 24 hex digits of SHA-256 over phone_number_id, a zero byte and wamid. Unique in place of the pair itself,
    -- because an index over that long text is most of the cost of an insert. 96 bits: among a billion
    -- messages the odds of one clash are below 1 in 10,000,000,000.
    message_key       TEXT UNIQUE,
    kind              TEXT    NOT NULL,    -- text, image, button_reply, list, …: Meta's words for theirs, ours for ours
    text              TEXT    NOT NULL,    -- as the person saw it; buttons in brackets
    -- Who wrote it: the person; a rule; a colleague, in the phone app or by `replyd send`.
    origin            TEXT    NOT NULL CHECK (origin IN ('contact', 'bot', 'phone_app', 'operator')),
    quoted_wamid      TEXT,                -- the message it quotes, answers by a button, or reacts to; of either side
    sent_at_ms        INTEGER NOT NULL,    -- theirs: by WhatsApp's clock; ours: when it was decided
    stored_at_ms      INTEGER NOT NULL,
    raw               TEXT,                -- theirs: Meta's JSON byte for byte; ours: the reply as JSON
    -- The decision on one of theirs. Every one has exactly one; `pending` becomes another when the wait is over.
    decision          TEXT CHECK (decision IN
                          ('answered', 'silent', 'no_match', 'too_old', 'rate_limited', 'loop_detected', 'pending', 'opted_out', 'unsupported',
                           'handed_off', 'failed')),
    explanation       TEXT,                -- JSON: every rule that was looked at, and why it matched or did not
    rules_version     TEXT REFERENCES rules_versions (version),
    -- Where one of ours comes from, and what became of it.
    rule_id           TEXT,                -- the rule that gave it
    reply_to_id       INTEGER REFERENCES messages (id),  -- the message of theirs that it answers
    part              INTEGER,             -- 0 for the first of several replies
    variant           INTEGER,             -- which of the rule's variants, from 0; NULL when it has none
    outbox_state      TEXT CHECK (outbox_state IN ('queued', 'sending', 'accepted', 'unknown', 'held', 'dead', 'expired')),
    send_error        TEXT,                -- why it was not sent, or why we do not know
    delivery_status   TEXT CHECK (delivery_status IN ('sent', 'delivered', 'read', 'played', 'failed')),
    CHECK ((direction = 'in') = (decision IS NOT NULL)),
    CHECK ((direction = 'out') = (outbox_state IS NOT NULL))
) STRICT;
CREATE INDEX messages_by_conversation ON messages (conversation_id, id);

-- What WhatsApp told of our messages, one row per step. A step may be told before we know the message.
CREATE TABLE receipts (
    id                INTEGER PRIMARY KEY,
    receipt_key       TEXT    NOT NULL UNIQUE,  -- digest of number, wamid, status and participant: a step told twice is one row
    message_key       TEXT    NOT NULL,    -- as in messages
    status            TEXT    NOT NULL,    -- sent, delivered, read, played, failed; other words of Meta's are kept and move nothing
    participant       TEXT,                -- the member of a group it is about
    at_ms             INTEGER NOT NULL,    -- by WhatsApp's clock
    received_at_ms    INTEGER NOT NULL,
    claim_token       TEXT,                -- the attempt that sent the message, when WhatsApp echoed it
    pricing           TEXT,                -- JSON: billable, pricing_model, type, category
    conversation      TEXT,                -- JSON: what Meta counts it to
    errors            TEXT,                -- JSON array: why it failed
    raw               TEXT    NOT NULL
) STRICT;
CREATE INDEX receipts_by_message ON receipts (message_key);

-- What still has to reach WhatsApp. Rows that are settled leave, so this stays small.
CREATE TABLE outbox (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice: tags of old sends must not fit new rows
    conversation_id   INTEGER NOT NULL REFERENCES conversations (id),
    phone_number_id   TEXT    NOT NULL,
    kind              TEXT    NOT NULL CHECK (kind IN ('message', 'read_mark', 'download', 'action')),
    message_id        INTEGER REFERENCES messages (id),  -- ours to send, or theirs to mark read or fetch the file of
    action_number     INTEGER,             -- the action to do; with conversation_id the key of actions
    host              TEXT,                -- whom the action asks: one that does not answer holds up nobody else's
    state             TEXT    NOT NULL CHECK (state IN ('queued', 'sending', 'unknown', 'held')),
    due_at_ms         INTEGER NOT NULL,    -- not before
    expires_at_ms     INTEGER NOT NULL,    -- not after: a late answer confuses people
    attempts          INTEGER NOT NULL DEFAULT 0,
    claim_token             TEXT UNIQUE,         -- random per claim; a write that does not match it has no effect. It goes out as the
                                           -- message's biz_opaque_callback_data, so a receipt that brings it back proves the message was sent
    lease_until_ms    INTEGER,             -- sending: when the claim ends; unknown: since when we wait for a receipt
    reason            TEXT,                -- why it waits: what the last try met
    tries             TEXT    NOT NULL DEFAULT '[]',  -- JSON: when each try was, what it met and its code; the last hundred
    CHECK ((kind = 'action') = (action_number IS NOT NULL)),
    CHECK ((kind = 'action') = (host IS NOT NULL)),
    CHECK (kind = 'action' OR message_id IS NOT NULL)
) STRICT;
CREATE INDEX outbox_by_conversation ON outbox (conversation_id, kind, state, id);
CREATE INDEX outbox_by_due ON outbox (kind, state, due_at_ms, id);
CREATE INDEX outbox_by_number ON outbox (state, phone_number_id);
CREATE INDEX outbox_by_host ON outbox (host, due_at_ms, id) WHERE kind = 'action';

-- What rules asked of other services, and what came of it.
CREATE TABLE actions (
    conversation_id   INTEGER NOT NULL REFERENCES conversations (id),
    number            INTEGER NOT NULL,    -- counted in each conversation
    message_id        INTEGER REFERENCES messages (id),  -- the message of theirs it was done for
    request           TEXT    NOT NULL,    -- JSON
    asked_at_ms       INTEGER NOT NULL,
    ended_at_ms       INTEGER,             -- NULL while it is under way
    outcome           TEXT,                -- JSON: {"done": …} or {"failed": reason}
    PRIMARY KEY (conversation_id, number)
) STRICT;

-- What happened in a conversation beside what was said: opt-out, handoff, a loop, a budget that is used up, …
CREATE TABLE conversation_events (
    id                INTEGER PRIMARY KEY,
    conversation_id   INTEGER NOT NULL REFERENCES conversations (id),
    at_ms             INTEGER NOT NULL,
    kind              TEXT    NOT NULL,
    text              TEXT    NOT NULL,    -- for people
    message_id        INTEGER REFERENCES messages (id)  -- the message of theirs that it came with
) STRICT;
CREATE INDEX conversation_events_by_conversation ON conversation_events (conversation_id, id);

-- Files that people sent. Fetching them is off unless [media] download is on.
CREATE TABLE media (
    message_id        INTEGER PRIMARY KEY REFERENCES messages (id),
    media_id          TEXT    NOT NULL,    -- Meta's id, good for 7 days
    mime_type         TEXT,                -- as Meta told it
    sha256            TEXT,                -- as Meta told it, base64; what was fetched has been held against it
    path              TEXT,                -- below the media folder; NULL while it is not here
    bytes             INTEGER,
    fetched_at_ms     INTEGER,
    error             TEXT                 -- why it is not here
) STRICT;

-- Files we uploaded, so that none is uploaded twice while Meta still has it.
CREATE TABLE uploads (
    phone_number_id   TEXT    NOT NULL,    -- an upload is good for one number
    sha256            TEXT    NOT NULL,    -- of the file, hex
    mime_type         TEXT    NOT NULL,
    media_id          TEXT    NOT NULL,
    expires_at_ms     INTEGER NOT NULL,    -- 30 days after the upload, less a day
    PRIMARY KEY (phone_number_id, sha256, mime_type)
) STRICT;
CREATE INDEX uploads_by_expiry ON uploads (expires_at_ms);

-- What else Meta told us: history, calls, groups, account news. Kept, never answered.
CREATE TABLE account_events (
    id                INTEGER PRIMARY KEY,
    event_key         TEXT    NOT NULL UNIQUE,  -- digest of field, raw, account and time: the same news told twice is one row
    field             TEXT    NOT NULL,    -- Meta's word
    phone_number_id   TEXT,
    waba_id           TEXT,                -- the account, where the news names one
    occurred_at_ms        INTEGER NOT NULL,    -- when Meta said it; when it came, where Meta gives no time
    summary           TEXT    NOT NULL,    -- what it says, for people
    received_at_ms    INTEGER NOT NULL,
    raw               TEXT    NOT NULL
) STRICT;
-- How the account stands is read from the news of a few fields, in the order Meta told it.
CREATE INDEX account_events_in_order ON account_events (field, occurred_at_ms);

-- Updates we could not understand, byte for byte, with the reason.
CREATE TABLE quarantine (
    id                INTEGER PRIMARY KEY,
    raw_key           TEXT    NOT NULL UNIQUE,  -- digest of raw
    phone_number_id   TEXT,
    reason            TEXT    NOT NULL,
    received_at_ms    INTEGER NOT NULL,
    raw               BLOB    NOT NULL
) STRICT;

-- Which app secrets the service was started with, so that `doctor` does not take an old webhook for proof of a new secret.
CREATE TABLE app_secret_sets (
    id                INTEGER PRIMARY KEY,
    fingerprint       TEXT    NOT NULL,    -- keyed hash; the secrets cannot be had from it
    since_ms          INTEGER NOT NULL
) STRICT;

-- The full text of every set of rules that ever decided, so that an old answer can be explained.
CREATE TABLE rules_versions (
    version           TEXT PRIMARY KEY,    -- hash of source
    source            TEXT    NOT NULL,
    first_used_ms     INTEGER NOT NULL
) STRICT;

-- Empty. After a failed write a row comes and goes here, to see whether there is room again.
CREATE TABLE filler (
    id                INTEGER PRIMARY KEY CHECK (id = 1),
    bytes             BLOB    NOT NULL
) STRICT;

-- What the service must know of itself at its next start: one row. It travels with the file.
CREATE TABLE service_state (
    id                INTEGER PRIMARY KEY CHECK (id = 1),
    held_since_ms     INTEGER,             -- since when this is a copy from which nothing is sent until `replyd restore --release`;
                                           -- NULL: it is not held
    held_outbox_id    INTEGER NOT NULL DEFAULT 0  -- rows of the outbox up to this one were in the copy: they may have been sent
) STRICT;
INSERT INTO service_state (id) VALUES (1);

-- A conversation as people read it: SELECT * FROM transcript WHERE contact LIKE '%Ana%';
CREATE VIEW transcript AS
SELECT
    messages.conversation_id,
    messages.id AS message_id,
    strftime('%Y-%m-%dT%H:%M:%SZ', messages.sent_at_ms / 1000, 'unixepoch') AS time,
    coalesce(contacts.name, '+' || contacts.wa_id, contacts.user_id) AS contact,
    CASE messages.direction WHEN 'in' THEN 'them' ELSE 'us' END AS who,
    messages.origin AS by,
    messages.kind,
    messages.text,
    media.path AS file,
    messages.rule_id AS rule,
    messages.decision,
    coalesce(messages.delivery_status, messages.outbox_state) AS delivery,
    messages.send_error AS error
FROM messages
JOIN conversations ON conversations.id = messages.conversation_id
JOIN contacts ON contacts.id = conversations.contact_id
LEFT JOIN media ON media.message_id = messages.id
ORDER BY messages.conversation_id, messages.id;

-- One line per conversation, the latest first.
CREATE VIEW conversation_list AS
SELECT
    conversations.id AS conversation_id,
    coalesce(contacts.name, '+' || contacts.wa_id, contacts.user_id) AS contact,
    contacts.wa_id AS phone,
    conversations.phone_number_id AS our_number,
    (SELECT text FROM messages WHERE messages.conversation_id = conversations.id ORDER BY messages.id DESC LIMIT 1) AS last_message,
    strftime('%Y-%m-%dT%H:%M:%SZ', conversations.last_message_ms / 1000, 'unixepoch') AS last_at,
    conversations.inbound_count,
    -- Who answers now.
    CASE WHEN conversations.opted_out_ms IS NOT NULL THEN 'nobody: opted out'
         WHEN conversations.state->>'$.handoff_until' IS NOT NULL
             THEN 'a colleague until ' || (conversations.state->>'$.handoff_until')
         WHEN conversations.state->>'$.run' IS NOT NULL
             THEN 'the bot, in flow ' || (conversations.state->>'$.run.frames[0].flow')
         ELSE 'the bot' END AS mode,
    conversations.state->>'$.tags' AS tags,
    conversations.state->>'$.fields' AS fields,
    -- The oldest message of theirs that nothing of ours came after. What is held or has failed may never have arrived.
    (SELECT strftime('%Y-%m-%dT%H:%M:%SZ', min(theirs.sent_at_ms) / 1000, 'unixepoch')
     FROM messages AS theirs
     WHERE theirs.conversation_id = conversations.id
       AND theirs.direction = 'in'
       AND theirs.id > coalesce((SELECT max(coalesce(ours.reply_to_id, ours.id)) FROM messages AS ours
                                 WHERE ours.conversation_id = conversations.id AND ours.direction = 'out'
                                   AND ours.outbox_state NOT IN ('dead', 'expired', 'held')
                                   AND coalesce(ours.delivery_status, '') <> 'failed'), 0)
    ) AS unanswered_since,
    -- Until then WhatsApp takes free replies: 24 hours from their last message.
    strftime('%Y-%m-%dT%H:%M:%SZ', conversations.last_inbound_ms / 1000 + 86400, 'unixepoch') AS window_open_until
FROM conversations
JOIN contacts ON contacts.id = conversations.contact_id
ORDER BY conversations.last_message_ms DESC;
