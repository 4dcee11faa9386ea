-- The whole history, made to be read: open it with any SQLite tool and start with the views at the
-- end. Times end in _ms and are milliseconds since 1970-01-01 UTC; the views show them as ISO 8601.
--
-- A CHECK of few words is a chain of OR: SQLite builds a table for `IN (...)` with every row.

-- A contact, known by phone number, by business-scoped user ids, or by both.
CREATE TABLE contacts (
    id                     INTEGER PRIMARY KEY,
    -- Phone number as WhatsApp wrote it last: digits, no plus. NULL while the contact hides it.
    wa_id                  TEXT,
    name                   TEXT,             -- latest profile name; chosen by the contact, no proof
    username               TEXT,             -- latest username, without @
    marketing_opted_out_ms INTEGER,          -- since when it refuses marketing; NULL: never
    -- Since when it has opted out of all messages at all numbers; NULL: not, or at some only.
    opted_out_ms           INTEGER,
    first_seen_ms          INTEGER NOT NULL
) STRICT;

-- Every spelling of a contact's phone number: with and without the digit that Brazil, Mexico and
-- Argentina added or dropped, and as it was dialled before WhatsApp said how it is written.
CREATE TABLE contact_phones (
    wa_id                  TEXT PRIMARY KEY,
    contact_id             INTEGER NOT NULL REFERENCES contacts (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_phones_by_contact ON contact_phones (contact_id);

-- User ids of a contact. Each portfolio of business accounts has an id of its own for one person,
-- so that a contact has one id per account; accounts of one portfolio have the same.
CREATE TABLE contact_user_ids (
    contact_id             INTEGER NOT NULL REFERENCES contacts (id),
    -- Account (WABA) that the id was seen under; the number of the business while no webhook has
    -- named its account.
    scope                  TEXT    NOT NULL,
    user_id                TEXT    NOT NULL,
    PRIMARY KEY (contact_id, scope)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX contact_user_ids_by_user_id ON contact_user_ids (user_id, scope);

-- Account of each number of the business, as webhooks name it.
CREATE TABLE business_numbers (
    phone_number_id        TEXT PRIMARY KEY,
    waba_id                TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One contact with one number of the business: the unit of order and of state.
CREATE TABLE conversations (
    id               INTEGER PRIMARY KEY,
    contact_id       INTEGER NOT NULL REFERENCES contacts (id),
    phone_number_id  TEXT    NOT NULL,       -- number of the business, by Meta's id
    state            TEXT    NOT NULL,       -- JSON: what the rules remember of the contact
    inbound_count    INTEGER NOT NULL,       -- number of messages from the contact
    -- By WhatsApp's clock; starts the 24-hour window. NULL: we wrote first, the window is unknown.
    last_inbound_ms  INTEGER,
    -- When WhatsApp refused a free message (131047); NULL again as soon as the contact writes.
    window_closed_ms INTEGER,
    last_message_ms  INTEGER NOT NULL,       -- inbound or outbound; lists are sorted by it
    next_timer_ms    INTEGER,                -- when the next timer of the state is due
    -- Refuses every message since then; a conversation event names the message that said so.
    opted_out_ms     INTEGER,
    UNIQUE (contact_id, phone_number_id)
) STRICT;
CREATE INDEX conversations_by_last_message ON conversations (last_message_ms);
CREATE INDEX conversations_by_next_timer ON conversations (next_timer_ms)
    WHERE next_timer_ms IS NOT NULL;

-- Every message, inbound and outbound, for ever.
CREATE TABLE messages (
    id               INTEGER PRIMARY KEY,
    conversation_id  INTEGER NOT NULL REFERENCES conversations (id),
    direction        TEXT    NOT NULL CHECK (direction = 'in' OR direction = 'out'),
    phone_number_id  TEXT    NOT NULL,
    wamid            TEXT,                   -- WhatsApp's id; NULL for an outbound one not accepted
    -- First 24 hex digits of SHA-256 over phone_number_id, a zero byte and wamid. Unique in place
    -- of the pair itself, because an index over that long text is most of the cost of an insert.
    -- 96 bits: among a billion messages the odds of one clash are below 1 in 10,000,000,000.
    message_key      TEXT UNIQUE,
    kind             TEXT    NOT NULL,       -- text, image, button_reply, list, ...
    text             TEXT    NOT NULL,       -- as the contact saw it; buttons in brackets
    -- Author: the contact, a rule, a colleague in the phone app or by `replyd send`, or, inbound, the
    -- number of the business itself.
    origin           TEXT    NOT NULL
        CHECK (
            origin = 'contact' OR origin = 'bot' OR origin = 'phone_app' OR origin = 'operator'
            OR origin = 'number_itself'
        ),
    quoted_wamid     TEXT,                   -- message it quotes, answers by a button or reacts to
    sent_at_ms       INTEGER NOT NULL,       -- inbound: by WhatsApp's clock; outbound: the decision
    stored_at_ms     INTEGER NOT NULL,
    raw              TEXT,                   -- inbound: Meta's JSON, byte for byte; outbound: JSON
    -- Decision on an inbound message. Each has exactly one; `pending` becomes another one later.
    decision         TEXT
        CHECK (
            decision = 'answered' OR decision = 'silent' OR decision = 'no_match'
            OR decision = 'too_old' OR decision = 'rate_limited' OR decision = 'loop_detected'
            OR decision = 'pending' OR decision = 'opted_out' OR decision = 'unsupported'
            OR decision = 'handed_off' OR decision = 'failed'
        ),
    explanation      TEXT,                   -- JSON: each rule considered, with the reason
    rules_version    TEXT REFERENCES rules_versions (version),
    -- Origin and fate of an outbound message.
    rule_id          TEXT,                   -- rule that gave it
    reply_to_id      INTEGER REFERENCES messages (id), -- inbound message that it answers
    -- 0 for the first of several replies; NULL for what stands in for a failed one.
    part             INTEGER,
    variant          INTEGER,                -- variant of the rule, from 0; NULL without variants
    outbox_state     TEXT
        CHECK (
            outbox_state = 'queued' OR outbox_state = 'sending' OR outbox_state = 'accepted'
            OR outbox_state = 'unknown' OR outbox_state = 'held' OR outbox_state = 'dead'
            OR outbox_state = 'expired'
        ),
    -- Why it was not sent or did not arrive, or why that is unknown: code, meaning, remedy.
    send_error       TEXT,
    error_code       INTEGER,                -- Meta's code in send_error, if there is one
    -- What the error that ended it is about: give_up, contact, account, ... NULL: it did not fail,
    -- or was ended here.
    error_class      TEXT,
    -- JSON array: messages to send if it fails, from the rule's on_error. NULL again as soon as it
    -- is settled whether they are sent: that is asked once.
    instead          TEXT,
    -- First message that was sent in place of the answer that this is a part of.
    replaced_by_id   INTEGER REFERENCES messages (id),
    delivery_status  TEXT
        CHECK (
            delivery_status = 'sent' OR delivery_status = 'delivered'
            OR delivery_status = 'read' OR delivery_status = 'played'
            OR delivery_status = 'failed'
        ),
    CHECK ((direction = 'in') = (decision IS NOT NULL)),
    CHECK ((direction = 'out') = (outbox_state IS NOT NULL))
) STRICT;
CREATE INDEX messages_by_conversation ON messages (conversation_id, id);
CREATE INDEX messages_to_replace ON messages (error_class)
    WHERE instead IS NOT NULL AND error_class IS NOT NULL;

-- WhatsApp's reports on outbound messages, one row per step: a step that comes twice is one row. A
-- step may come before the message is known.
CREATE TABLE receipts (
    id               INTEGER PRIMARY KEY,
    message_id       INTEGER REFERENCES messages (id), -- NULL while the message is not known
    message_key      TEXT    NOT NULL,       -- as in messages
    -- sent, delivered, read, played, failed; other words of Meta are stored without effect.
    status           TEXT    NOT NULL,
    participant      TEXT,                   -- member of a group that it is about
    at_ms            INTEGER NOT NULL,       -- by WhatsApp's clock
    received_at_ms   INTEGER NOT NULL,
    claim_token      TEXT,                   -- attempt that sent the message, if WhatsApp echoed it
    pricing          TEXT,                   -- JSON: billable, pricing_model, type, category
    conversation     TEXT,                   -- JSON: conversation that Meta counts it to
    errors           TEXT,                   -- JSON array of Meta's: why it failed
    error_code       INTEGER,                -- the code in `errors` that the reason is about
    error_class      TEXT,                   -- as in messages
    reason           TEXT,                   -- why it failed, in words
    raw              TEXT    NOT NULL
) STRICT;
-- By ids of messages, which grow: new rows of the index lie together on the disk.
CREATE UNIQUE INDEX receipts_by_message ON receipts (message_id, status, coalesce(participant, ''))
    WHERE message_id IS NOT NULL;
CREATE UNIQUE INDEX receipts_by_key ON receipts (message_key, status, coalesce(participant, ''))
    WHERE message_id IS NULL;

-- Work that has yet to reach WhatsApp or another service. Settled rows leave: this stays small.
CREATE TABLE outbox (
    -- Never given twice: claim tokens of old sends must not fit new rows.
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation_id  INTEGER NOT NULL REFERENCES conversations (id),
    phone_number_id  TEXT    NOT NULL,
    kind             TEXT    NOT NULL
        CHECK (kind = 'message' OR kind = 'download' OR kind = 'action'),
    -- Outbound message to send, or inbound one to download the file of.
    message_id       INTEGER REFERENCES messages (id),
    action_number    INTEGER,                -- with conversation_id the key of actions
    host             TEXT,                   -- host it calls; a slow one delays no other
    state            TEXT    NOT NULL
        CHECK (state = 'queued' OR state = 'sending' OR state = 'unknown' OR state = 'held'),
    due_at_ms        INTEGER NOT NULL,       -- not before
    expires_at_ms    INTEGER NOT NULL,       -- not after: a late answer confuses
    attempts         INTEGER NOT NULL DEFAULT 0,
    -- Random per claim; a write that does not match it has no effect. It goes out as the message's
    -- biz_opaque_callback_data, so a receipt that brings it back proves that the message was sent.
    claim_token      TEXT UNIQUE,
    -- `sending`: end of the claim; `unknown`: since when a receipt is awaited.
    lease_until_ms   INTEGER,
    reason           TEXT,                   -- result of the last attempt
    -- JSON: time, result and error code of each attempt; the last hundred.
    tries            TEXT    NOT NULL DEFAULT '[]',
    CHECK ((kind = 'action') = (action_number IS NOT NULL)),
    CHECK ((kind = 'action') = (host IS NOT NULL)),
    CHECK (kind = 'action' OR message_id IS NOT NULL)
) STRICT;
-- Each index holds only the rows that are looked for in it: every reply pays for them three times,
-- when it is queued, claimed and settled.
CREATE INDEX outbox_by_conversation ON outbox (conversation_id);
CREATE INDEX outbox_by_due ON outbox (due_at_ms, id) WHERE kind = 'message' AND state = 'queued';
CREATE INDEX outbox_by_number ON outbox (phone_number_id)
    WHERE kind = 'message' AND state = 'queued';
CREATE INDEX outbox_by_lease ON outbox (state, lease_until_ms) WHERE lease_until_ms IS NOT NULL;
CREATE INDEX outbox_downloads ON outbox (due_at_ms, id) WHERE kind = 'download';
CREATE INDEX outbox_by_host ON outbox (host, due_at_ms, id) WHERE kind = 'action';

-- Messages that are still to be marked as read: of each conversation the newest, which marks all
-- before it. Nothing claims a row, because a mark that is sent twice does no harm. It is tried once:
-- whatever the answer, the row leaves.
CREATE TABLE read_marks (
    conversation_id  INTEGER PRIMARY KEY REFERENCES conversations (id),
    phone_number_id  TEXT    NOT NULL,
    wamid            TEXT    NOT NULL,
    expires_at_ms    INTEGER NOT NULL        -- not after
) STRICT, WITHOUT ROWID;

-- Requests of rules to other services, with their outcome.
CREATE TABLE actions (
    conversation_id  INTEGER NOT NULL REFERENCES conversations (id),
    number           INTEGER NOT NULL,       -- counted in each conversation
    message_id       INTEGER REFERENCES messages (id), -- inbound message that led to it
    request          TEXT    NOT NULL,       -- JSON
    asked_at_ms      INTEGER NOT NULL,
    ended_at_ms      INTEGER,                -- NULL while it runs
    outcome          TEXT,                   -- JSON: {"done": ...} or {"failed": reason}
    PRIMARY KEY (conversation_id, number)
) STRICT;

-- Events of a conversation that are not messages: opt-out, handoff, loop, used-up budget, ...
CREATE TABLE conversation_events (
    id               INTEGER PRIMARY KEY,
    conversation_id  INTEGER NOT NULL REFERENCES conversations (id),
    at_ms            INTEGER NOT NULL,
    kind             TEXT    NOT NULL,
    text             TEXT    NOT NULL,       -- description to read
    -- Inbound message that it came with, or reply whose failure it is about.
    message_id       INTEGER REFERENCES messages (id)
) STRICT;
CREATE INDEX conversation_events_by_conversation ON conversation_events (conversation_id, id);

-- Files that contacts sent. They are downloaded only with `[media] download`.
CREATE TABLE media (
    message_id       INTEGER PRIMARY KEY REFERENCES messages (id),
    media_id         TEXT    NOT NULL,       -- Meta's id, valid for 7 days
    mime_type        TEXT,                   -- by Meta
    sha256           TEXT,                   -- by Meta, base64; checked after the download
    path             TEXT,                   -- below the media folder; NULL until downloaded
    bytes            INTEGER,
    fetched_at_ms    INTEGER,
    error            TEXT                    -- why it is not downloaded
) STRICT;

-- Uploaded files, so that none is uploaded twice while Meta still has it.
CREATE TABLE uploads (
    phone_number_id  TEXT    NOT NULL,       -- an upload is valid for one number
    sha256           TEXT    NOT NULL,       -- of the file, hex
    mime_type        TEXT    NOT NULL,
    media_id         TEXT    NOT NULL,
    expires_at_ms    INTEGER NOT NULL,       -- 30 days after the upload, less a day
    PRIMARY KEY (phone_number_id, sha256, mime_type)
) STRICT;
CREATE INDEX uploads_by_expiry ON uploads (expires_at_ms);

-- Other updates of Meta: history, calls, groups, account news. Stored, never answered.
CREATE TABLE account_events (
    id               INTEGER PRIMARY KEY,
    -- Digest of field, raw, account and time: an event that comes twice is one row.
    event_key        TEXT    NOT NULL UNIQUE,
    field            TEXT    NOT NULL,       -- Meta's word
    phone_number_id  TEXT,
    waba_id          TEXT,                   -- account, if the event names one
    occurred_at_ms   INTEGER NOT NULL,       -- by Meta; time of arrival where Meta gives none
    summary          TEXT    NOT NULL,       -- description to read
    received_at_ms   INTEGER NOT NULL,
    raw              TEXT    NOT NULL
) STRICT;
-- How the account stands is read from the events of a few fields, in the order of Meta's times.
CREATE INDEX account_events_in_order ON account_events (field, occurred_at_ms);

-- Updates that could not be read, byte for byte, with the reason.
CREATE TABLE quarantine (
    id               INTEGER PRIMARY KEY,
    raw_key          TEXT    NOT NULL UNIQUE, -- digest of raw
    phone_number_id  TEXT,
    reason           TEXT    NOT NULL,
    received_at_ms   INTEGER NOT NULL,
    raw              BLOB    NOT NULL
) STRICT;

-- App secrets of each start, so that `doctor` does not take an old webhook for proof of a new
-- secret.
CREATE TABLE app_secret_sets (
    id               INTEGER PRIMARY KEY,
    fingerprint      TEXT    NOT NULL,       -- keyed hash; does not reveal the secrets
    since_ms         INTEGER NOT NULL
) STRICT;

-- Full text of every version of the rules that ever decided, so that old answers can be explained.
CREATE TABLE rules_versions (
    version          TEXT PRIMARY KEY,       -- hash of source
    source           TEXT    NOT NULL,
    first_used_ms    INTEGER NOT NULL
) STRICT;

-- Empty. After a failed write a row comes and goes here, to test whether there is room again.
CREATE TABLE filler (
    id               INTEGER PRIMARY KEY CHECK (id = 1),
    bytes            BLOB    NOT NULL
) STRICT;

-- State of the service for its next start: one row. It travels with the file.
CREATE TABLE service_state (
    id               INTEGER PRIMARY KEY CHECK (id = 1),
    -- Since when this is a copy that sends nothing until `replyd restore --release`; else NULL.
    held_since_ms    INTEGER,
    -- Outbox rows up to this one were in the copy: they may have been sent.
    held_outbox_id   INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO service_state (id) VALUES (1);

-- The contact of each conversation, with the user id that holds for its number of the business.
CREATE VIEW conversation_contacts AS
SELECT
    conversations.id AS conversation_id,
    contacts.id AS contact_id,
    contacts.wa_id,
    coalesce(
        (
            SELECT person.user_id
            FROM business_numbers AS number
            JOIN contact_user_ids AS person ON person.scope = number.waba_id
            WHERE number.phone_number_id = conversations.phone_number_id
                AND person.contact_id = contacts.id
        ),
        (
            SELECT person.user_id
            FROM contact_user_ids AS person
            WHERE person.contact_id = contacts.id
                AND person.scope = conversations.phone_number_id
        ),
        -- Of an account that is not the number's: to show, and to try.
        (
            SELECT person.user_id
            FROM contact_user_ids AS person
            WHERE person.contact_id = contacts.id
            ORDER BY person.scope
            LIMIT 1
        )
    ) AS user_id,
    contacts.name,
    contacts.username,
    contacts.marketing_opted_out_ms
FROM conversations
JOIN contacts ON contacts.id = conversations.contact_id;

-- Messages to read: SELECT * FROM transcript WHERE contact LIKE '%Ana%';
CREATE VIEW transcript AS
SELECT
    messages.conversation_id,
    messages.id AS message_id,
    strftime('%Y-%m-%dT%H:%M:%SZ', messages.sent_at_ms / 1000, 'unixepoch') AS time,
    coalesce(contacts.name, '+' || contacts.wa_id, contacts.user_id) AS contact,
    CASE messages.direction WHEN 'in' THEN 'inbound' ELSE 'outbound' END AS direction,
    messages.origin AS by,
    messages.kind,
    messages.text,
    media.path AS file,
    messages.rule_id AS rule,
    messages.decision,
    coalesce(messages.delivery_status, messages.outbox_state) AS delivery,
    messages.send_error AS error
FROM messages
JOIN conversation_contacts AS contacts ON contacts.conversation_id = messages.conversation_id
LEFT JOIN media ON media.message_id = messages.id
ORDER BY messages.conversation_id, messages.id;

-- One line per conversation, the latest first.
CREATE VIEW conversation_list AS
SELECT
    conversations.id AS conversation_id,
    coalesce(contacts.name, '+' || contacts.wa_id, contacts.user_id) AS contact,
    contacts.wa_id AS phone,
    conversations.phone_number_id AS our_number,
    (
        SELECT text
        FROM messages
        WHERE messages.conversation_id = conversations.id
        ORDER BY messages.id DESC
        LIMIT 1
    ) AS last_message,
    strftime('%Y-%m-%dT%H:%M:%SZ', conversations.last_message_ms / 1000, 'unixepoch') AS last_at,
    conversations.inbound_count,
    -- Who answers now.
    CASE
        WHEN conversations.opted_out_ms IS NOT NULL THEN 'nobody: opted out'
        WHEN conversations.state->>'$.handoff_until' IS NOT NULL
            THEN 'a colleague until ' || (conversations.state->>'$.handoff_until')
        WHEN conversations.state->>'$.run' IS NOT NULL
            THEN 'the bot, in flow ' || (conversations.state->>'$.run.frames[0].flow')
        ELSE 'the bot'
    END AS mode,
    conversations.state->>'$.tags' AS tags,
    conversations.state->>'$.fields' AS fields,
    -- The oldest inbound message without a later reply. A reply that is held or has failed may
    -- never have arrived; of several, each must, or what was sent in their place.
    (
        SELECT strftime('%Y-%m-%dT%H:%M:%SZ', min(inbound.sent_at_ms) / 1000, 'unixepoch')
        FROM messages AS inbound
        WHERE inbound.conversation_id = conversations.id
            AND inbound.direction = 'in'
            AND inbound.origin = 'contact'
            AND inbound.id > coalesce(
                (
                    SELECT coalesce(
                            outbound.reply_to_id, outbound.replaced_by_id, outbound.id
                        ) AS answered_id
                    FROM messages AS outbound
                    WHERE outbound.conversation_id = conversations.id
                        AND outbound.direction = 'out'
                    GROUP BY answered_id
                    HAVING total(
                        outbound.replaced_by_id IS NULL
                        AND (
                            outbound.outbox_state IN ('dead', 'expired', 'held')
                            OR coalesce(outbound.delivery_status, '') = 'failed'
                        )
                    ) = 0
                    ORDER BY answered_id DESC
                    LIMIT 1
                ),
                0
            )
    ) AS unanswered_since,
    -- End of the window for free replies: 24 hours after the last inbound message, or earlier when
    -- WhatsApp refused one. NULL: unknown, because the contact has never written.
    strftime(
        '%Y-%m-%dT%H:%M:%SZ',
        coalesce(
            conversations.window_closed_ms / 1000, conversations.last_inbound_ms / 1000 + 86400
        ),
        'unixepoch'
    ) AS window_open_until
FROM conversations
JOIN conversation_contacts AS contacts ON contacts.conversation_id = conversations.id
ORDER BY conversations.last_message_ms DESC;
