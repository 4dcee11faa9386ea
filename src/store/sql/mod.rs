//! Statements: one file each in `sqlite/`, with its number of parameters.
//!
//! The comment at the top of a file describes the statement and names its parameters. A file with
//! several statements is one hand-over to the database's thread. Statements are written so that few
//! of them have to differ for another database (`sqlite/` has room for a sibling): numbered
//! parameters, the time as a parameter, `ON CONFLICT`, `RETURNING`, `->>` with a bare key.
//!
//! **Rows.** Rows that every batch writes are bound values, because SQLite unfolds JSON at several
//! times the cost of an insert. Their file holds the values of one row, `(VALUES (?, ?))`, which
//! [`Writes`](super::writes::Writes) repeats for 64 rows at most. Statements that it joins into one
//! text say `?`, because numbers would have to go on from one statement to the next.
//!
//! **Sets.** Any other set of rows, and every set of keys to look up, is one parameter: a JSON array
//! that `json_each` unfolds, so that one statement serves a batch of any size.
//!
//! **One-row JSON.** Every row of a result is a hand-off between threads. A query that gives many
//! rows to a transaction therefore builds one row of JSON (`json_object`, `json_group_array`),
//! which [`Transaction::fetch_json`](super::transaction::Transaction::fetch_json) reads. The look-ups
//! of every batch give one row of texts instead, each of which joins arrays without names
//! (`group_concat`); [`list`](super::row::list) reads them. Names cost as much as values, and some
//! versions of SQLite forget on the way out of a subquery that a value is JSON.
//!
//! **Plans.** No statement of the service may read a whole table that grows. Where an index on a
//! common value would look cheaper to the planner, the condition is written so that it cannot use
//! it (`NOT IN`, or `+` before the column); `CROSS JOIN` is a join whose order the planner keeps.
//! `tests/it/plans.rs` holds the plan of each statement, by the SQLite that is built in.

#[cfg(test)]
mod tests;

/// Declares a constant for each statement: `NAME: "file" [number of parameters] => "columns"`. The
/// columns are listed where code depends on their names or their order.
macro_rules! statements {
    ($($name:ident: $file:literal [$parameters:literal] $(=> $columns:literal)?,)*) => {
        $(pub(super) const $name: &str = include_str!(concat!("sqlite/", $file, ".sql"));)*

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
    INSERT_RULES_VERSION: "insert_rules_version" [3],
    NEWEST_MIGRATION: "newest_migration" [0],

    // ---- probe ----------------------------------------------------------------------------------
    WRITE_FILLER: "write_filler" [1],
    DELETE_FILLER: "delete_filler" [0],
    DISABLE_CACHE: "disable_cache" [0],

    // ---- receive --------------------------------------------------------------------------------
    LOAD_BATCH: "load_batch" [4],
    QUOTED_MESSAGES: "quoted_messages" [1],
    WRITE_CONTACTS: "write_contacts" [5],
    DELETE_CONTACT_PHONES: "delete_contact_phones" [1],
    DELETE_CONTACT_USER_IDS: "delete_contact_user_ids" [1],
    INSERT_CONTACT_PHONES: "insert_contact_phones" [2],
    INSERT_CONTACT_USER_IDS: "insert_contact_user_ids" [3],
    WRITE_BUSINESS_NUMBERS: "write_business_numbers" [2],
    WRITE_CONVERSATIONS: "write_conversations" [9],
    INSERT_MESSAGES: "insert_messages" [22],
    LINK_REPLIES: "link_replies" [1],
    WRITE_READ_MARKS: "write_read_marks" [4],
    INSERT_OUTBOX: "insert_outbox" [13],
    INSERT_MEDIA: "insert_media" [4],
    INSERT_SIDE_EFFECTS: "insert_side_effects" [4],
    SPREAD_OPT_OUTS: "spread_opt_outs" [1],
    CONVERSATIONS_OF_CONTACTS: "conversations_of_contacts" [1] => "id",
    CANCEL_REPLIES: "cancel_replies" [1],
    CANCEL_ACTIONS: "cancel_actions" [2],
    LOAD_MERGES: "load_merges" [1],
    MERGE_CONTACTS: "merge_contacts" [2],
    LOAD_RECEIPTS: "load_receipts" [2],
    ACCEPT_PROVEN: "accept_proven" [1],
    INSERT_RECEIPTS: "insert_receipts" [14],
    ADVANCE_MESSAGES: "advance_messages" [2],
    NEW_RECIPIENT_IDS: "new_recipient_ids" [1],
    UPDATE_DELIVERY_STATUS: "update_delivery_status" [1],
    HAS_EARLY_RECEIPTS: "has_early_receipts" [1],
    STOP_MARKETING: "stop_marketing" [2],
    INSERT_ACCOUNT_EVENTS: "insert_account_events" [2],
    UPDATE_MARKETING_CONSENT: "update_marketing_consent" [2],
    UPDATE_PROFILES: "update_profiles" [1],
    INSERT_QUARANTINE: "insert_quarantine" [3],

    // ---- timers and actions ---------------------------------------------------------------------
    LOAD_DUE: "load_due" [2],
    NEXT_TIMER: "next_timer" [0],
    HAS_FAILED_REPLIES: "has_failed_replies" [0],
    LOAD_FAILED_REPLIES: "load_failed_replies" [1],
    SETTLE_FAILED_REPLIES: "settle_failed_replies" [2],
    ACTION_HOSTS: "action_hosts" [1],
    CLAIMABLE_ACTIONS: "claimable_actions" [3],
    RECENT_MESSAGES: "recent_messages" [2],
    LOAD_CLAIMED_ACTIONS: "load_claimed_actions" [1],
    END_ACTIONS: "end_actions" [2],

    // ---- outbox ---------------------------------------------------------------------------------
    END_LEASES: "end_leases" [0],
    CLAIMABLE_MESSAGES: "claimable_messages" [3],
    CLAIM_ROWS: "claim_rows" [2],
    SETTLE_MESSAGES: "settle_messages" [7],
    REMEMBER_REFUSALS: "remember_refusals" [2],
    SETTLE_ROWS: "settle_rows" [2],
    DELETE_ROWS: "delete_rows" [1],
    LOAD_UNSETTLED: "load_unsettled" [2],
    SWEEP_MESSAGES: "sweep_messages" [2],
    DUE_READ_MARKS: "due_read_marks" [5],
    DELETE_READ_MARKS: "delete_read_marks" [1],
    SWEEP_READ_MARKS: "sweep_read_marks" [1],
    NEXT_DUE: "next_due" [1],
    COUNT_UNSENT: "count_unsent" [0],
    COUNT_HELD: "count_held" [0],
    OUTBOX_COUNTS: "outbox_counts" [0] =>
        "state, kind, total, since_ms",
    COUNT_GIVEN_UP: "count_given_up" [1],
    LIST_OUTBOX: "list_outbox" [3] =>
        "id, conversation_id, kind, state, phone_number_id, host, due_at_ms, expires_at_ms, \
         lease_until_ms, attempts, reason, tries, contact, phone, message_kind, text, rule_id, \
         since_ms, last_inbound_ms, window_closed_ms, opted_out, behind",
    RETRY_BY_HAND: "retry_by_hand" [2],
    END_BY_HAND: "end_by_hand" [1],

    // ---- media ----------------------------------------------------------------------------------
    EXPIRE_DOWNLOADS: "expire_downloads" [1],
    CLAIM_DOWNLOAD: "claim_download" [3] =>
        "id, attempts, phone_number_id, message_id",
    MEDIA_OF_MESSAGE: "media_of_message" [1] =>
        "media_id, mime_type, sha256, stored_at_ms",
    SETTLE_MEDIA: "settle_media" [5],
    RETRY_DOWNLOAD: "retry_download" [3],
    DELETE_DOWNLOAD: "delete_download" [1],
    OUTBOX_NUMBERS: "outbox_numbers" [0],

    // ---- reading --------------------------------------------------------------------------------
    CONVERSATION_SUMMARIES: "conversation_summaries" [3] =>
        "id, contact, phone, phone_number_id, last_message, last_message_ms, inbound_count, \
         unanswered_since_ms, window_open_until_ms",
    TRANSCRIPT: "transcript" [2] =>
        "id, direction, sent_at_ms, stored_at_ms, kind, text, origin, wamid, decision, \
         explanation, rule_id, reply_to_id, rules_version, outbox_state, delivery_status, \
         send_error, error_code, replaced_by_id, outbox_id, path, error, phone_number_id, \
         quoted_wamid, raw_with_ad",
    CONVERSATION_EVENTS: "conversation_events" [1] =>
        "at_ms, kind, text, message_id",
    ACCOUNT_EVENTS: "account_events" [2] =>
        "id, field, phone_number_id, summary, received_at_ms, raw",
    RECORDED_CONVERSATIONS: "recorded_conversations" [3] =>
        "id, phone_number_id, state, inbound_count, wa_id, user_id, name, username, \
         refuses_marketing",
    RECORDED_MESSAGES: "recorded_messages" [2] =>
        "id, conversation_id, is_inbound, origin, text, raw, wamid, stored_at_ms, decision, \
         rule_id, reply_to_id",
    RECORDED_ACTIONS: "recorded_actions" [2] =>
        "conversation_id, request, outcome, ended_at_ms",
    COUNT_INBOUND: "count_inbound" [1],
    LAST_STORED: "last_stored" [0],
    INBOUND_TEXTS: "inbound_texts" [3] =>
        "id, text, decision, explanation",
    PHONE_NUMBERS: "phone_numbers" [0],
    FIND_MESSAGE: "find_message" [1] =>
        "id, conversation_id",

    // ---- commands beside the service ------------------------------------------------------------
    FIND_UPLOAD: "find_upload" [4],
    UPSERT_UPLOAD: "upsert_upload" [6],
    SEND_ELIGIBILITY: "send_eligibility" [3] =>
        "last_inbound_ms, window_closed_ms, no_marketing, opted_out, wa_id, user_id",
    INSERT_SENT: "insert_sent" [2],
    CLOSE_WINDOW: "close_window" [3],

    // ---- account, secrets, quarantine -----------------------------------------------------------
    ACCOUNT_STATUS_EVENTS: "account_status_events" [2] =>
        "id, field, waba_id, occurred_at_ms, raw",
    INSERT_SECRETS: "insert_secrets" [2],
    NEWEST_SECRETS: "newest_secrets" [0] =>
        "fingerprint, since_ms",
    QUARANTINE_SIZE: "quarantine_size" [0],
    NEWEST_UPDATE: "newest_update" [0],

    // ---- restored copies ------------------------------------------------------------------------
    HOLD: "hold" [0] =>
        "held_since_ms, held_outbox_id",
    RELEASE_HOLD: "release_hold" [0],
    PENDING_ROWS: "pending_rows" [1] =>
        "kind, state, is_from_copy, rows",
    LOAD_OVERDUE: "load_overdue" [2],
    DROP_OVERDUE: "drop_overdue" [3],

    // ---- files of the database ------------------------------------------------------------------
    HAS_TABLES: "has_tables" [0],
    APPLIED_MIGRATIONS: "applied_migrations" [0] =>
        "version, checksum",
    USED_BYTES: "used_bytes" [0],
    COPY_INTO: "copy_into" [1],
    HOLD_COPY: "hold_copy" [1],
    COPY_CONTENTS: "copy_contents" [0] =>
        "messages, conversations, newest_ms",
    COUNT_ORPHANS: "count_orphans" [0],
    QUICK_CHECK: "quick_check" [0],
    FULL_CHECK: "full_check" [0],
    REMOVE_LOG: "remove_log" [0],

    // ---- transactions ---------------------------------------------------------------------------
    BEGIN: "begin" [0],
    COMMIT: "commit" [0],
    ROLLBACK: "rollback" [0],
}
