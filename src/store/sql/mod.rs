//! Statements: one file each in `sqlite/`, with its number of parameters.
//!
//! The first line of a file names the parameters. A file with several statements is one hand-over
//! to the database's thread. Texts are written so that another database needs few other ones
//! (`sqlite/` has room for a sibling): numbered parameters, the time as a parameter, `ON CONFLICT`,
//! `RETURNING`, `->>` with a bare key.
//!
//! **Sets.** A set of rows is one parameter: a JSON array that `json_each` unfolds, so that the
//! number of statements does not depend on the size of a batch.
//!
//! **One-row JSON.** Every row of a result is a hand-off between threads. A query that gives many
//! rows to a transaction therefore builds one row of JSON (`json_object`, `json_group_array`), which
//! [`Transaction::fetch_json`](super::transaction::Transaction::fetch_json) reads.
//!
//! **Plans.** No statement of the service may read a whole table that grows. Where an index on a
//! common value would look cheaper to the planner, the condition is written so that it cannot use
//! it (`NOT IN`); `CROSS JOIN` is a join whose order the planner keeps. `tests/it/plans.rs` holds
//! the plan of each statement, by the SQLite that is built in.

#[cfg(test)]
mod tests;

/// Makes a constant of each statement: `NAME: "file" [number of parameters] => "columns"`. The
/// columns are given where code reads them by name.
macro_rules! statements {
    ($(
        $(#[$doc:meta])*
        $name:ident: $file:literal [$parameters:literal] $(=> $columns:literal)?,
    )*) => {
        $(
            $(#[$doc])*
            pub(super) const $name: &str = include_str!(concat!("sqlite/", $file, ".sql"));
        )*

        #[cfg(test)]
        const STATEMENTS: &[tests::Statement] = &[$(
            tests::Statement {
                file: $file,
                text: $name,
                parameters: $parameters,
                columns: concat!("" $(, $columns)?),
            },
        )*];
    };
}

statements! {
    // ---- rules and schema -----------------------------------------------------------------------
    /// Inserts a version of the rules, unless it was used before.
    INSERT_RULES_VERSION: "insert_rules_version" [3],
    /// Version of the schema.
    NEWEST_MIGRATION: "newest_migration" [0],

    // ---- probe ----------------------------------------------------------------------------------
    /// Takes as much room as a batch of messages.
    WRITE_FILLER: "write_filler" [1],
    /// Gives the room of the filler back.
    DELETE_FILLER: "delete_filler" [0],
    /// Makes every read go to the file.
    DISABLE_CACHE: "disable_cache" [0],

    // ---- receive --------------------------------------------------------------------------------
    /// Stored messages, contacts and conversations of a batch, and the last ids, as one-row JSON.
    LOAD_BATCH: "load_batch" [4],
    /// Writes everything that a batch of messages leaves behind.
    INSERT_BATCH: "insert_batch" [7],
    /// Sets late decisions and inserts conversation events and actions.
    INSERT_SIDE_EFFECTS: "insert_side_effects" [4],
    /// Expires the queued replies of contacts that opted out.
    CANCEL_REPLIES: "cancel_replies" [1],
    /// Ends the queued actions of contacts that opted out, and decides the messages that waited for
    /// them.
    CANCEL_ACTIONS: "cancel_actions" [2],
    /// Pairs of conversations with one number of the business that a merge of contacts joins, as
    /// one-row JSON.
    LOAD_MERGES: "load_merges" [1],
    /// Moves everything of `from` to `to`, contacts and conversations, and deletes `from`.
    MERGE_CONTACTS: "merge_contacts" [2],
    /// Inserts new receipts, accepts messages whose claim token came back, and deletes their outbox
    /// rows.
    INSERT_RECEIPTS: "insert_receipts" [2],
    /// Completes contacts that had only a phone number with the user id of a receipt.
    COMPLETE_USER_IDS: "complete_user_ids" [1],
    /// Sets the furthest step of each message: a read proves a delivery, and `failed` stays.
    UPDATE_DELIVERY_STATUS: "update_delivery_status" [1],
    /// Inserts new account events.
    INSERT_ACCOUNT_EVENTS: "insert_account_events" [2],
    /// Sets whether contacts accept marketing, by either id; the last preference of a contact
    /// counts.
    UPDATE_MARKETING_CONSENT: "update_marketing_consent" [2],
    /// Inserts unreadable updates; each names its part of the bytes, because JSON carries none.
    INSERT_QUARANTINE: "insert_quarantine" [3],

    // ---- timers and actions ---------------------------------------------------------------------
    /// Conversations with a timer that is due, as one-row JSON.
    LOAD_DUE: "load_due" [2],
    /// Time of the next timer.
    NEXT_TIMER: "next_timer" [0],
    /// Hosts with an action to run: one step through the index for each.
    ACTION_HOSTS: "action_hosts" [1],
    /// Actions that wait longest, also those whose lease has ended, as one-row JSON.
    CLAIMABLE_ACTIONS: "claimable_actions" [3],
    /// Latest messages of conversations, the oldest first, as one-row JSON.
    RECENT_MESSAGES: "recent_messages" [2],
    /// Claimed actions with their conversations, in the shape of [`LOAD_DUE`], as one-row JSON.
    LOAD_CLAIMED_ACTIONS: "load_claimed_actions" [1],
    /// Records the outcomes of actions and deletes their outbox rows.
    END_ACTIONS: "end_actions" [2],

    // ---- outbox ---------------------------------------------------------------------------------
    /// Ends every lease: at a start no other process can be sending.
    END_LEASES: "end_leases" [0],
    /// Next message of each conversation in which none is before it, as one-row JSON.
    CLAIMABLE_MESSAGES: "claimable_messages" [3],
    /// Read marks of conversations in which nothing is being sent, in the shape of
    /// [`CLAIMABLE_MESSAGES`].
    CLAIMABLE_READ_MARKS: "claimable_read_marks" [3],
    /// Claims outbox rows.
    CLAIM_ROWS: "claim_rows" [2],
    /// Records the result of sends in messages whose claim token still matches.
    SETTLE_MESSAGES: "settle_messages" [1],
    /// Settles rows that stay, to be retried or as unknown, and keeps the reasons of the last
    /// hundred
    /// attempts.
    SETTLE_ROWS: "settle_rows" [2],
    /// Deletes rows whose claim token still matches.
    DELETE_ROWS: "delete_rows" [1],
    /// Messages to sweep (unknown for long, lease ended, expired), as one-row JSON.
    LOAD_UNSETTLED: "load_unsettled" [2],
    /// Moves swept messages to their new state. A held one stops blocking its conversation, and a
    /// late
    /// receipt still finds it; an expired one leaves.
    SWEEP_MESSAGES: "sweep_messages" [2],
    /// Deletes read marks whose lease or time is over: one that may have been sent does no harm.
    SWEEP_READ_MARKS: "sweep_read_marks" [1],
    /// Time at which the next row becomes due.
    NEXT_DUE: "next_due" [1],
    /// Number of rows that delivery has not finished.
    COUNT_UNSENT: "count_unsent" [0],
    /// Number of messages that wait for an operator, read from an index alone.
    COUNT_HELD: "count_held" [0],
    /// Number of rows by state and kind, and the time of the oldest.
    OUTBOX_COUNTS: "outbox_counts" [0] =>
        "state, kind, total, since_ms",
    /// Number of messages that were refused for good or expired since a time.
    COUNT_GIVEN_UP: "count_given_up" [1],
    /// Rows as an operator reads them, the oldest first.
    LIST_OUTBOX: "list_outbox" [3] =>
        "id, conversation_id, kind, state, phone_number_id, host, due_at_ms, expires_at_ms, \
         lease_until_ms, attempts, reason, tries, contact, phone, message_kind, text, rule_id, \
         since_ms, last_inbound_ms, opted_out, behind",
    /// Puts rows to the front. The claim token of the last attempt stays until the next claim:
    /// until
    /// then a receipt that brings it back proves that the message was sent.
    RETRY_BY_HAND: "retry_by_hand" [2],
    /// Ends rows without sending them.
    END_BY_HAND: "end_by_hand" [1],

    // ---- media ----------------------------------------------------------------------------------
    /// Ends the downloads of files that Meta has deleted.
    EXPIRE_DOWNLOADS: "expire_downloads" [1],
    /// Claims the download that waits longest, also one whose lease has ended.
    CLAIM_DOWNLOAD: "claim_download" [3] =>
        "id, attempts, phone_number_id, message_id",
    /// File of a message.
    MEDIA_OF_MESSAGE: "media_of_message" [1] =>
        "media_id, mime_type, sha256, stored_at_ms",
    /// Records a downloaded file, or the reason why there is none.
    SETTLE_MEDIA: "settle_media" [5],
    /// Queues a claimed download again.
    RETRY_DOWNLOAD: "retry_download" [3],
    /// Deletes the outbox row of a download.
    DELETE_DOWNLOAD: "delete_download" [1],
    /// Phone numbers with queued rows: one step through the index for each.
    OUTBOX_NUMBERS: "outbox_numbers" [0],

    // ---- reading --------------------------------------------------------------------------------
    /// Conversations that match a search best, the latest first; a phone number matches from six
    /// digits
    /// on.
    CONVERSATION_SUMMARIES: "conversation_summaries" [3] =>
        "id, contact, phone, phone_number_id, last_message, last_message_ms, inbound_count, \
         unanswered_since_ms, window_open_until_ms",
    /// Latest messages of a conversation; one that is still queued has the reason of its last
    /// attempt.
    TRANSCRIPT: "transcript" [2] =>
        "id, direction, sent_at_ms, stored_at_ms, kind, text, origin, wamid, decision, \
         explanation, rule_id, reply_to_id, rules_version, outbox_state, delivery_status, \
         send_error, outbox_id, path, error",
    /// Events of a conversation, the oldest first.
    CONVERSATION_EVENTS: "conversation_events" [1] =>
        "at_ms, kind, text, message_id",
    /// Latest account events, the oldest first.
    ACCOUNT_EVENTS: "account_events" [2] =>
        "id, field, phone_number_id, summary, received_at_ms, raw",
    /// Conversations after an id, the lowest first.
    RECORDED_CONVERSATIONS: "recorded_conversations" [3] =>
        "id, phone_number_id, state, inbound_count, wa_id, user_id, name, username",
    /// Messages of conversations, but for those sent by `replyd send`.
    RECORDED_MESSAGES: "recorded_messages" [2] =>
        "id, conversation_id, direction, origin, text, raw, stored_at_ms, wamid, decision, \
         rule_id, reply_to_id",
    /// Finished actions of conversations.
    RECORDED_ACTIONS: "recorded_actions" [2] =>
        "conversation_id, request, outcome, ended_at_ms",
    /// Number of inbound messages.
    COUNT_INBOUND: "count_inbound" [1],
    /// Time of the message that was stored last.
    LAST_STORED: "last_stored" [0],
    /// Texts that contacts wrote, the latest first.
    INBOUND_TEXTS: "inbound_texts" [3] =>
        "id, text, decision, explanation",
    /// Numbers of the business that have conversations.
    PHONE_NUMBERS: "phone_numbers" [0],
    /// Inbound message by its key or by that of a reply to it. The keys have an index, the ids of
    /// WhatsApp have none.
    FIND_MESSAGE: "find_message" [1] =>
        "id, conversation_id",

    // ---- commands beside the service ------------------------------------------------------------
    /// Media id of a file that was uploaded before.
    FIND_UPLOAD: "find_upload" [4],
    /// Records an upload and deletes those that Meta has forgotten.
    UPSERT_UPLOAD: "upsert_upload" [6],
    /// Facts about a contact that decide whether a message may be sent.
    SEND_ELIGIBILITY: "send_eligibility" [3] =>
        "last_inbound_ms, no_marketing, opted_out",
    /// Inserts a message sent by hand, with its contact and conversation when they are new.
    INSERT_SENT: "insert_sent" [2],

    // ---- account, secrets, quarantine -----------------------------------------------------------
    /// Account events about how the account stands, in the order of Meta's times.
    ACCOUNT_NEWS: "account_news" [2] =>
        "id, field, waba_id, occurred_at_ms, raw",
    /// Inserts a set of app secrets, unless it is the latest one.
    INSERT_SECRETS: "insert_secrets" [2],
    /// App secrets of the last start.
    NEWEST_SECRETS: "newest_secrets" [0] =>
        "fingerprint, since_ms",
    /// Number of quarantined updates and the time of the newest.
    QUARANTINE_SIZE: "quarantine_size" [0],
    /// Time of the newest inbound message or account event.
    NEWEST_UPDATE: "newest_update" [0],

    // ---- restored copies ------------------------------------------------------------------------
    /// Time since which nothing is sent, and the last outbox row of the copy.
    HOLD: "hold" [0] =>
        "held_since_ms, held_outbox_id",
    /// Lets the outbox send again.
    RELEASE_HOLD: "release_hold" [0],
    /// Number of outbox rows by kind and state, those of the copy apart.
    PENDING_ROWS: "pending_rows" [1] =>
        "kind, state, is_from_copy, rows",
    /// Conversations with an overdue timer or an action of the copy, as one-row JSON.
    LOAD_OVERDUE: "load_overdue" [2],
    /// Drops the queued replies and all actions of the copy; downloads stay.
    DROP_OVERDUE: "drop_overdue" [3],

    // ---- files of the database ------------------------------------------------------------------
    /// Whether the tables are there without which a file is no database of replyd.
    HAS_TABLES: "has_tables" [0],
    /// Steps of the schema that were applied, the oldest first.
    APPLIED_MIGRATIONS: "applied_migrations" [0] =>
        "version, checksum",
    /// Number of bytes that a copy will have, roughly.
    USED_BYTES: "used_bytes" [0],
    /// Copies one snapshot into a file that is missing or empty, while writers go on.
    COPY_INTO: "copy_into" [1],
    /// Marks a copy as one that sends nothing.
    HOLD_COPY: "hold_copy" [1],
    /// Number of messages and conversations, and the time of the last message.
    COPY_CONTENTS: "copy_contents" [0] =>
        "messages, conversations, newest_ms",
    /// Number of rows that refer to missing rows.
    COUNT_ORPHANS: "count_orphans" [0],
    /// Reports `ok` or the damage of the file, after the connection's cache is emptied.
    QUICK_CHECK: "quick_check" [0],
    /// Reports `ok` or the damage of the file and of its indexes.
    FULL_CHECK: "full_check" [0],
    /// Folds the write-ahead log into the file and deletes it.
    REMOVE_LOG: "remove_log" [0],

    // ---- transactions ---------------------------------------------------------------------------
    /// Starts a transaction and takes the write lock.
    BEGIN: "begin" [0],
    /// Commits a transaction.
    COMMIT: "commit" [0],
    /// Ends a transaction without its writes.
    ROLLBACK: "rollback" [0],
}
