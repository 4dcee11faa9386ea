use std::collections::BTreeSet;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions as _, Executor as _, Row as _, SqlSafeStr as _,
    Statement as _,
};

use super::{LOAD_BATCH, LOAD_RECEIPTS, STATEMENTS};
use crate::store::Store;

pub(super) struct Statement {
    pub(super) file: &'static str,
    pub(super) text: &'static str,
    pub(super) parameters: usize,
    /// Separated by commas; empty where no code reads columns by name.
    pub(super) columns: &'static str,
}

/// The numbers that a text names as `$1`, `$2`, ...
fn parameters(text: &str) -> BTreeSet<usize> {
    let digits = |rest: &str| {
        let end = rest.find(|letter: char| !letter.is_ascii_digit());
        rest[..end.unwrap_or(rest.len())].parse().ok()
    };
    text.split('$').skip(1).filter_map(digits).collect()
}

/// Splits a file into its comment and its statements; no text in it holds a semicolon at the end of
/// a line.
fn split(file: &str) -> (&str, Vec<&str>) {
    let body = file.lines().position(|line| !line.starts_with("--"));
    let start = file.split_inclusive('\n').take(body.unwrap_or_default());
    let (comment, body) = file.split_at(start.map(str::len).sum());
    let statements = body
        .split(";\n")
        .map(str::trim)
        .filter(|text| !text.is_empty());
    (comment, statements.collect())
}

#[tokio::test]
async fn each_statement_has_the_parameters_and_columns_that_the_code_counts_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let store = Store::open(&format!("sqlite:{}", path.display())).await;
    store.unwrap().close().await;
    let options = SqliteConnectOptions::new().filename(&path);
    let mut connection = options.connect().await.unwrap();

    for Statement {
        file,
        text,
        parameters: count,
        columns,
    } in STATEMENTS
    {
        let (comment, statements) = split(text);
        let unnumbered = text.matches('?').count() - comment.matches('?').count();
        if unnumbered > 0 {
            assert_eq!((unnumbered, statements.len()), (*count, 1), "{file}");
        }
        let expected: BTreeSet<usize> = (1..=*count - unnumbered).collect();
        assert_eq!(parameters(comment), expected, "comment of {file}");
        let mut used = BTreeSet::new();
        for statement in statements {
            let text = AssertSqlSafe(statement.to_owned()).into_sql_str();
            let prepared = (&mut connection).prepare(text).await;
            let prepared = prepared.unwrap_or_else(|error| panic!("{file}: {error}"));
            let numbers = parameters(statement);
            let bound = prepared.parameters().map(|either| either.right_or(0));
            assert_eq!(bound, Some(numbers.len() + unnumbered), "{file}");
            used.extend(numbers);
            if !columns.is_empty() {
                let names = prepared
                    .columns()
                    .iter()
                    .map(|column| column.name().to_owned());
                assert_eq!(names.collect::<Vec<_>>().join(", "), *columns, "{file}");
            }
        }
        assert_eq!(used, expected, "{file}");
    }
}

#[test]
fn each_file_is_a_statement() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/sql/sqlite");
    let entries = std::fs::read_dir(folder).unwrap();
    let files: BTreeSet<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let statements = STATEMENTS
        .iter()
        .map(|statement| format!("{}.sql", statement.file));
    assert_eq!(files, statements.collect());
}

/// One row for each list of the look-ups.
const KNOWN: &str = "
    INSERT INTO contacts (id, wa_id, first_seen_ms) VALUES (1, '15550001', 1);
    INSERT INTO contact_phones (wa_id, contact_id) VALUES ('15550001', 1);
    INSERT INTO contact_user_ids (contact_id, scope, user_id) VALUES (1, 'waba', 'US.1');
    INSERT INTO business_numbers (phone_number_id, waba_id) VALUES ('1065', 'waba');
    INSERT INTO conversations (id, contact_id, phone_number_id, state, inbound_count, last_message_ms)
    VALUES (1, 1, '1065', '{}', 0, 1);
    INSERT INTO messages (id, conversation_id, direction, phone_number_id, message_key, kind, text,
        origin, sent_at_ms, stored_at_ms, outbox_state)
    VALUES (1, 1, 'out', '1065', 'key', 'text', 'hello', 'bot', 1, 1, 'accepted');
    INSERT INTO receipts (message_id, message_key, status, at_ms, received_at_ms, raw)
    VALUES (1, 'key', 'failed', 1, 1, '{}');
    INSERT INTO outbox (conversation_id, phone_number_id, kind, message_id, state, due_at_ms,
        expires_at_ms, claim_token)
    VALUES (1, '1065', 'message', 1, 'unknown', 1, 1, 'token');";

/// SQLite 3.54 lost the mark of JSON on the way out of a subquery, and contacts came back as strings.
/// A value that went through `''||` has lost it on every version.
#[tokio::test]
async fn lookups_do_not_count_on_a_value_to_remember_that_it_is_json() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let store = Store::open(&format!("sqlite:{}", path.display())).await;
    store.unwrap().close().await;
    let options = SqliteConnectOptions::new().filename(&path);
    let mut connection = options.connect().await.unwrap();
    sqlx::raw_sql(KNOWN).execute(&mut connection).await.unwrap();

    for (text, sets, lists) in [
        (
            LOAD_BATCH,
            vec![r#"["key"]"#, r#"["15550001"]"#, "[]", r#"["1065"]"#],
            6,
        ),
        (LOAD_RECEIPTS, vec![r#"["key"]"#, r#"["token"]"#], 5),
    ] {
        let unmarked = text
            .replace("json_", "''||json_")
            .replace("''||json_each", "json_each");
        assert_ne!(unmarked, text);
        let mut results = Vec::new();
        for text in [text.to_owned(), unmarked] {
            let query = sets
                .iter()
                .fold(sqlx::query(AssertSqlSafe(text)), |query, set| {
                    query.bind(*set)
                });
            let row = query.fetch_one(&mut connection).await.unwrap();
            let texts: Vec<String> = (0..lists).map(|index| row.get(index)).collect();
            results.push(texts);
        }
        assert_eq!(results[0], results[1]);
        assert!(results[0].iter().all(|list| !list.is_empty()));
    }
}
