//! How SQLite goes about each statement of the service: never by reading a whole table that grows.
//!
//! By the SQLite that is built in, because another version plans otherwise.

use std::collections::{BTreeMap, BTreeSet};

use replyd::store::Store;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};

/// Tables that have more rows the longer the service is used.
const GROWING: [&str; 14] = [
    "messages",
    "conversations",
    "contacts",
    "contact_phones",
    "contact_user_ids",
    "receipts",
    "conversation_events",
    "actions",
    "media",
    "account_events",
    "quarantine",
    "outbox",
    "read_marks",
    "uploads",
];

/// Statements of commands alone, which may read a whole table while the owner waits.
const OF_COMMANDS: &[&str] = &[
    "account_events",
    "conversation_summaries",
    "copy_contents",
    "count_given_up",
    "count_inbound",
    "drop_overdue",
    "hold_copy",
    "inbound_texts",
    "list_outbox",
    "last_stored",
    "load_overdue",
    "pending_rows",
    "phone_numbers",
    "quick_check",
];

/// Scans that end after a few rows, or of tables that are small while all is well: file, and the
/// line of its plan.
const SHORT: [(&str, &str); 11] = [
    // Backwards from the newest message to the newest inbound one.
    ("newest_update", "SCAN messages"),
    ("newest_update", "SCAN account_events"),
    // Counts for a scraper: of waiting rows, and of the quarantine by an index alone.
    ("outbox_counts", "SCAN o"),
    // For tests alone.
    ("count_unsent", "SCAN outbox"),
    // Downloads that wait, by an index of their own.
    (
        "expire_downloads",
        "SCAN outbox USING INDEX outbox_downloads",
    ),
    (
        "quarantine_size",
        "SCAN quarantine USING COVERING INDEX sqlite_autoindex_quarantine_1",
    ),
    ("quarantine_size", "SCAN quarantine"),
    // Read marks that wait, of each conversation one: few, while the gateway answers.
    ("outbox_counts", "SCAN read_marks"),
    ("count_unsent", "SCAN read_marks"),
    ("due_read_marks", "SCAN read_marks"),
    ("sweep_read_marks", "SCAN read_marks"),
];

/// Every statement with the name of its file; the statements of one file are taken apart.
fn statements() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/sql/sqlite");
    let mut statements = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with("--"));
        let text = lines.collect::<Vec<_>>().join(" ");
        statements.extend(split(&text).map(|statement| (name.clone(), statement)));
    }
    statements
}

/// Splits at semicolons outside of texts.
fn split(text: &str) -> impl Iterator<Item = String> {
    let mut is_text = false;
    let parts = text.split(move |letter| {
        is_text ^= letter == '\'';
        letter == ';' && !is_text
    });
    let parts: Vec<String> = parts.map(|part| part.trim().to_owned()).collect();
    parts.into_iter().filter(|part| !part.is_empty())
}

/// The names that tables which grow go by in a statement.
fn names(statement: &str) -> BTreeSet<&str> {
    let words: Vec<&str> = statement
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|word| !word.is_empty())
        .collect();
    // A foreign key can lead to a table that the statement does not name.
    let mut names = BTreeSet::from(GROWING);
    for place in words.windows(3) {
        if GROWING.contains(&place[0]) && place[1] == "AS" {
            names.insert(place[2]);
        }
    }
    names
}

async fn scans(connection: &mut SqliteConnection) -> Vec<String> {
    let mut scans = Vec::new();
    for (name, statement) in statements() {
        if OF_COMMANDS.contains(&name.as_str()) {
            continue;
        }
        // What a new row could be missed by is only looked for after a row that came before the one
        // it refers to; the plan shows that search as if it were always done. What a row that goes
        // leaves behind is always looked for.
        let keys = if statement.starts_with("INSERT") {
            "PRAGMA foreign_keys = OFF"
        } else {
            "PRAGMA foreign_keys = ON"
        };
        execute(connection, keys).await;
        let names = names(&statement);
        let plan = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        for row in sqlx::query(plan).fetch_all(&mut *connection).await.unwrap() {
            let line: String = row.get("detail");
            let mut words = line.split(' ');
            if words.next() != Some("SCAN") || line.contains("VIRTUAL TABLE") {
                continue;
            }
            let is_short = SHORT.contains(&(name.as_str(), line.as_str()));
            if names.contains(words.next().unwrap()) && !is_short {
                scans.push(format!("{name}: {line}"));
            }
        }
    }
    scans
}

async fn execute(connection: &mut SqliteConnection, statement: &'static str) {
    sqlx::raw_sql(statement).execute(connection).await.unwrap();
}

/// Some thousand rows in each table, in the proportions of a service that has run for a while.
const ROWS: &str = "
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
    INSERT INTO contacts (id, wa_id, name, username, first_seen_ms)
    SELECT i, '1555' || i, 'name ' || i, NULL, i FROM n;
    INSERT INTO contact_phones (wa_id, contact_id) SELECT wa_id, id FROM contacts;
    INSERT INTO contact_user_ids (contact_id, scope, user_id)
    SELECT id, '1', 'US.' || id FROM contacts WHERE id % 3 = 0;
    INSERT INTO business_numbers (phone_number_id, waba_id) VALUES ('106540000000001', '1');
    INSERT INTO conversations (id, contact_id, phone_number_id, state, inbound_count, last_inbound_ms,
        last_message_ms, next_timer_ms)
    SELECT id, id, '106540000000001', '{}', 2, id, id, iif(id % 10, NULL, id) FROM contacts;
    INSERT INTO messages (conversation_id, direction, phone_number_id, wamid, message_key, kind, text, origin,
        sent_at_ms, stored_at_ms, raw, decision)
    SELECT id, 'in', phone_number_id, 'wamid.i' || id, 'i' || id, 'text', 'hello', 'contact', id, id, '{}', 'answered'
    FROM conversations;
    INSERT INTO messages (conversation_id, direction, phone_number_id, wamid, message_key, kind, text, origin,
        sent_at_ms, stored_at_ms, raw, outbox_state, reply_to_id)
    SELECT id, 'out', phone_number_id, 'wamid.o' || id, 'o' || id, 'text', 'hello', 'bot', id, id, '{}', 'accepted', id
    FROM conversations;
    INSERT INTO receipts (message_id, message_key, status, at_ms, received_at_ms, raw)
    SELECT id, message_key, 'read', id, id, '{}' FROM messages WHERE direction = 'out';
    INSERT INTO conversation_events (conversation_id, at_ms, kind, text) SELECT id, id, 'loop_detected', 'text' FROM conversations;
    INSERT INTO actions (conversation_id, number, request, asked_at_ms) SELECT id, 1, '{}', id FROM conversations;
    INSERT INTO media (message_id, media_id) SELECT id, 'm' || id FROM messages WHERE direction = 'in';
    INSERT INTO account_events (event_key, field, summary, occurred_at_ms, received_at_ms, raw)
    SELECT 'e' || id, 'calls', 'text', id, id, '{}' FROM conversations;
    INSERT INTO quarantine (raw_key, reason, received_at_ms, raw) SELECT 'q' || id, 'text', id, x'00' FROM conversations;
    INSERT INTO uploads (phone_number_id, sha256, mime_type, media_id, expires_at_ms)
    SELECT phone_number_id, 's' || id, 'image/png', 'm' || id, id FROM conversations;
    INSERT INTO outbox (conversation_id, phone_number_id, kind, message_id, action_number, host, state, due_at_ms,
        expires_at_ms, claim_token, lease_until_ms)
    SELECT conversation_id, phone_number_id,
        CASE id % 4 WHEN 2 THEN 'download' WHEN 3 THEN 'action' ELSE 'message' END, id,
        iif(id % 4 = 3, 1, NULL), iif(id % 4 = 3, 'host' || (id % 3), NULL),
        CASE id % 7 WHEN 0 THEN 'sending' WHEN 1 THEN 'held' WHEN 2 THEN 'unknown' ELSE 'queued' END, id, id + 1000,
        iif(id % 7 < 3, 'f' || id, NULL), iif(id % 7 < 3, id, NULL)
    FROM messages;
    INSERT INTO read_marks (conversation_id, phone_number_id, wamid, expires_at_ms)
    SELECT id, phone_number_id, 'wamid.i' || id, id + 1000 FROM conversations;";

#[tokio::test]
async fn no_statement_of_the_service_reads_a_whole_table_that_grows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let store = Store::open(&format!("sqlite:{}", path.display())).await;
    store.unwrap().close().await;
    assert!(statements().len() > 60, "{}", statements().len());
    let options = SqliteConnectOptions::new().filename(&path);
    let mut connection = options.connect().await.unwrap();

    let mut scanned = BTreeMap::new();
    scanned.insert("empty", scans(&mut connection).await);
    execute(&mut connection, "ANALYZE").await;
    scanned.insert("empty and analysed", scans(&mut connection).await);
    execute(&mut connection, ROWS).await;
    scanned.insert("full", scans(&mut connection).await);
    execute(&mut connection, "ANALYZE").await;
    scanned.insert("full and analysed", scans(&mut connection).await);
    // Statistics of a day on which nothing waited.
    let drained = "DELETE FROM outbox; DELETE FROM read_marks; ANALYZE";
    execute(&mut connection, drained).await;
    scanned.insert(
        "analysed with an empty outbox",
        scans(&mut connection).await,
    );

    scanned.retain(|_, scans| !scans.is_empty());
    assert!(scanned.is_empty(), "{scanned:#?}");
}
