//! A database with a long history, written by a few statements in place of millions of webhooks.
//!
//! The rows are as replyd writes them: of the same lengths, with keys of the same form, in the order
//! of time, so that the rows and keys of one conversation lie far apart. Half of the messages are
//! inbound, each with its reply, and each reply has three receipts. The contacts of the benchmark are
//! spread among the others.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tempfile::TempDir;

use crate::support::{self, Server};
use crate::traffic::{CONTACTS, FIRST_PHONE, NUMBERS, seconds_since_1970};

/// Messages of a conversation.
const EACH: u64 = 20;
/// Time that the history covers, in milliseconds.
const COVERED_MS: u64 = 90 * 86_400_000;
/// Rows of a statement.
const STEP: u64 = 100_000;
/// Name of the database file in a server's folder, as [`support::replyd`] has it.
pub(crate) const FILE: &str = "bench.db";

/// Number of contacts of a history, for each contact of the benchmark.
pub(crate) fn contacts_for_each(messages: u64) -> u64 {
    (messages / EACH / CONTACTS as u64).max(1)
}

/// Writes the history of so many messages into the database of a new folder, in the schema of this
/// replyd.
pub(crate) async fn write(binary: &str, messages: u64) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder for the database");
    create_schema(binary, folder.path());
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join(FILE))
        .journal_mode(SqliteJournalMode::Off)
        .synchronous(SqliteSynchronous::Off)
        .foreign_keys(false)
        // Kibibytes: every index fits.
        .pragma("cache_size", "-4000000");
    let mut database = options.connect().await.expect("the file was just made");
    for table in tables(messages) {
        fill(&mut database, &table).await;
    }
    println!();
    database.close().await.expect("everything is written");
    folder
}

async fn fill(database: &mut SqliteConnection, table: &Table) {
    let known = sqlx::query_scalar("SELECT name FROM pragma_table_info($1)").bind(table.name);
    let known: Vec<String> = known.fetch_all(&mut *database).await.expect("SQLite knows");
    let (names, values): (Vec<&str>, Vec<&str>) = table
        .columns
        .iter()
        .filter(|(name, _)| known.iter().any(|known| known == name))
        .map(|(name, value)| (*name, value.as_str()))
        .unzip();
    if names.is_empty() {
        return;
    }
    let (name, names, values) = (table.name, names.join(", "), values.join(", "));
    let mut written = 0;
    while written < table.rows {
        let first = written + 1;
        written = (written + STEP).min(table.rows);
        let text = format!(
            "WITH RECURSIVE numbers (i) AS (
                VALUES ({first}) UNION ALL SELECT i + 1 FROM numbers WHERE i < {written}
            )
            INSERT INTO {name} ({names}) SELECT {values} FROM {}",
            table.from
        );
        let inserted = sqlx::query(AssertSqlSafe(text)).execute(&mut *database);
        inserted
            .await
            .expect("no column that must be set is missing below");
        print!("\rhistory: {name} {written} of {}          ", table.rows);
        let _ = std::io::stdout().flush();
    }
}

/// Lets replyd create its tables, and stops it.
fn create_schema(binary: &str, folder: &Path) {
    const RULES: &str = "version = 1\n[[rule]]\nid = \"any\"\nreply = \"Hi\"\n";
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
    let config = "[log]\nfilter = \"error\"\n";
    let (mut command, address) = support::replyd(binary, folder, RULES, nowhere, config);
    let mut server = Server::start(&mut command, address);
    let stopped = kill_process(Pid::from_child(&server.process), Signal::TERM);
    stopped.expect("it runs");
    server.process.wait().expect("it ends");
}

/// Rows of one table. Columns that the schema does not have are left out, so that builds of before
/// and after a change can be filled.
struct Table {
    name: &'static str,
    rows: u64,
    from: String,
    /// Names, and values as SQL.
    columns: Vec<(&'static str, String)>,
}

fn tables(messages: u64) -> Vec<Table> {
    let contacts = contacts_for_each(messages) * CONTACTS as u64;
    let now_ms = seconds_since_1970() * 1_000;
    let (start_ms, step_ms) = (now_ms - COVERED_MS, (COVERED_MS / messages).max(1));
    // A conversation, with its number of the business as in `traffic.rs`.
    let conversation = |id: &str| {
        let each = contacts_for_each(messages);
        format!(
            "(SELECT i, {id} AS id, printf('1065%04d', ({id} - 1) / {each} % {NUMBERS}) AS number,
                {FIRST_PHONE} + {id} - 1 AS phone, {start_ms} + i * {step_ms} AS at_ms FROM numbers)"
        )
    };
    let table = |name, rows, from: &str, columns: &[(&'static str, &str)]| Table {
        name,
        rows,
        from: from.to_owned(),
        columns: columns
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect(),
    };
    let each = conversation("i");
    // Each pair of a message and its reply comes from another conversation than the one before.
    let mixed = conversation(&format!("((i - 1) / 2 * 7919 % {contacts} + 1)"));
    let replies = "numbers JOIN messages AS reply ON reply.id = (i - 1) / 3 * 2 + 2";
    vec![
        table("rules_versions", 1, &each, &RULES_VERSIONS),
        table("business_numbers", NUMBERS as u64, &each, &BUSINESS_NUMBERS),
        table("contacts", contacts, &each, &CONTACT),
        table("contact_phones", contacts, &each, &CONTACT_PHONES),
        table("conversations", contacts, &each, &CONVERSATIONS),
        table("messages", messages, &mixed, &MESSAGES),
        table("receipts", messages / 2 * 3, replies, &RECEIPTS),
    ]
}

type Columns<const N: usize> = [(&'static str, &'static str); N];

const RULES_VERSIONS: Columns<3> = [
    ("version", "'history'"),
    ("source", "'version = 1'"),
    ("first_used_ms", "at_ms"),
];
const CONTACT: Columns<4> = [
    ("id", "i"),
    ("wa_id", "phone"),
    ("name", "'Ana Lima'"),
    ("first_seen_ms", "at_ms"),
];
const BUSINESS_NUMBERS: Columns<2> = [
    ("phone_number_id", "printf('1065%04d', i - 1)"),
    ("waba_id", "'102290129340398'"),
];
const CONTACT_PHONES: Columns<2> = [("wa_id", "phone"), ("contact_id", "i")];
const CONVERSATIONS: Columns<7> = [
    ("id", "i"),
    ("contact_id", "i"),
    ("phone_number_id", "number"),
    (
        "state",
        r#"replace('{"replied_at":["@"],"last_inbound_at":"@","repeated":{"words":16620143975341635431,"times":1,"at":"@"}}', '@', strftime('%Y-%m-%dT%H:%M:%fZ', at_ms / 1000.0, 'unixepoch'))"#,
    ),
    ("inbound_count", "10"),
    ("last_inbound_ms", "at_ms"),
    ("last_message_ms", "at_ms"),
];
/// Odd rows are inbound, each even one is the reply to the row before.
const MESSAGES: Columns<20> = [
    ("id", "i"),
    ("conversation_id", "id"),
    ("direction", "iif(i % 2, 'in', 'out')"),
    ("phone_number_id", "number"),
    (
        "wamid",
        "'wamid.HBgLMTU1NTAwMDAwMDAVAgASGBQz' || hex(randomblob(8)) || 'AA=='",
    ),
    ("message_key", "lower(hex(randomblob(12)))"),
    ("kind", "iif(i % 2, 'text', 'buttons')"),
    (
        "text",
        "iif(i % 2, 'Hello, is there a menu for today?', 'Hi Ana Lima! What can we do for you?' || char(10) || 'Bench' || char(10) || '[Order a cake] [Opening hours] [Talk to us]')",
    ),
    ("origin", "iif(i % 2, 'contact', 'bot')"),
    ("sent_at_ms", "at_ms"),
    ("stored_at_ms", "at_ms"),
    (
        "raw",
        r#"iif(i % 2, '{"from":"' || phone || '","id":"wamid.HBgLMTU1NTAwMDAwMDAVAgASGBQzQTg2000000000000AA==","timestamp":"' || (at_ms / 1000) || '","type":"text","text":{"body":"Hello, is there a menu for today?"}}', '{"buttons":{"header":null,"body":"Hi Ana Lima! What can we do for you?","footer":"Bench","buttons":[{"id":"order","title":"Order a cake"},{"id":"hours","title":"Opening hours"},{"id":"human","title":"Talk to us"}]}}')"#,
    ),
    ("decision", "iif(i % 2, 'answered', NULL)"),
    (
        "explanation",
        r#"iif(i % 2, '{"normalized":"hello is there a menu for today","considered":[{"rule":"menu","verdict":"matched","because":""menu" is in the text, word 5"}]}', NULL)"#,
    ),
    ("rules_version", "'history'"),
    ("rule_id", "iif(i % 2, NULL, 'menu')"),
    ("reply_to_id", "iif(i % 2, NULL, i - 1)"),
    ("part", "iif(i % 2, NULL, 0)"),
    ("outbox_state", "iif(i % 2, NULL, 'accepted')"),
    ("delivery_status", "iif(i % 2, NULL, 'read')"),
];
const RECEIPTS: Columns<9> = [
    ("receipt_key", "lower(hex(randomblob(12)))"),
    ("message_key", "message_key"),
    (
        "status",
        "CASE i % 3 WHEN 1 THEN 'sent' WHEN 2 THEN 'delivered' ELSE 'read' END",
    ),
    ("at_ms", "sent_at_ms"),
    ("received_at_ms", "sent_at_ms"),
    ("claim_token", "lower(hex(randomblob(16)))"),
    (
        "pricing",
        r#"'{"billable":false,"pricing_model":"PMP","category":"service","type":"free_customer_service"}'"#,
    ),
    (
        "conversation",
        r#"'{"id":"6ceb9d929c9bdc4f90967a32f8639b4d","origin":{"type":"service"}}'"#,
    ),
    (
        "raw",
        r#"'{"id":"' || wamid || '","status":"delivered","timestamp":"' || (sent_at_ms / 1000) || '","recipient_id":"15550000000","biz_opaque_callback_data":"54003a82ea45476d8d17b8567c0b41ad","conversation":{"id":"6ceb9d929c9bdc4f90967a32f8639b4d","origin":{"type":"service"}},"pricing":{"billable":false,"pricing_model":"PMP","category":"service","type":"free_customer_service"}}'"#,
    ),
];
