//! A database and a write-ahead log beside it: those that do not belong together are refused, those
//! that do never are.

use std::fs;
use std::path::{Path, PathBuf};

use replyd::store::{Present, Store, StoreError};

use crate::support::{ANA, ECHO, TestApp, assert_contains, bodies, transcript};

/// Copies the database and its log as a killed service leaves them, into a folder of their own.
fn image(app: &TestApp, name: &str) -> PathBuf {
    let folder = app.path(name);
    fs::create_dir(&folder).unwrap();
    for end in ["", "-wal"] {
        let copy = folder.join(format!("test.db{end}"));
        fs::copy(with_ending(&app.database(), end), copy).unwrap();
    }
    folder.join("test.db")
}

fn with_ending(database: &Path, end: &str) -> PathBuf {
    PathBuf::from(format!("{}{end}", database.display()))
}

fn url(database: &Path) -> String {
    format!("sqlite:{}", database.display())
}

async fn converse(app: &TestApp, count: usize) {
    for number in 0..count {
        app.sandbox.say(ANA, &format!("message {number}")).await;
    }
    app.drained().await;
}

/// Opening it is refused for the log's sake, and nothing is changed by that.
async fn assert_refused(database: &Path, why: &str) {
    let read = || ["", "-wal"].map(|end| fs::read(with_ending(database, end)).ok());
    let before = read();

    let error = Store::open(&url(database)).await.unwrap_err();

    assert!(matches!(error, StoreError::ForeignLog { .. }), "{error:?}");
    assert_contains(&error.to_string(), why);
    assert_contains(&error.to_string(), "replyd restore FILE");
    assert_eq!(read(), before, "nothing is changed");
    if database.exists() {
        let error = Store::open_for_cli(&url(database)).await.unwrap_err();
        assert!(matches!(error, StoreError::ForeignLog { .. }), "{error:?}");
        assert_eq!(read(), before, "nothing is changed by a command either");
    }
}

async fn assert_opens(database: &Path, messages: usize) {
    let store = Store::open(&url(database)).await.unwrap();
    assert_eq!(transcript(&store, ANA).await.len(), messages);
    store.close().await;
}

#[tokio::test]
async fn the_files_of_a_killed_service_are_opened_with_all_messages() {
    let app = TestApp::start(ECHO).await;
    converse(&app, 20).await;
    let killed = image(&app, "killed");

    // Also when all is moved elsewhere, beside the lock of another time.
    fs::write(with_ending(&killed, ".lock"), "1\n").unwrap();

    assert_opens(&killed, 40).await;
    assert_opens(&killed, 40).await;
}

#[tokio::test]
async fn a_backup_beside_a_log_that_was_left_over_is_refused() {
    let app = TestApp::start(ECHO).await;
    converse(&app, 5).await;
    let backup = app.path("backup.db");
    let (from, now) = (url(&app.database()), app.clock.now());
    let copied = replyd::store::backup(&from, &backup, Present::Stays, now, &|_, _| {});
    assert_eq!(copied.await.unwrap().messages, 10);
    converse(&app, 20).await;
    let killed = image(&app, "killed");

    fs::copy(&backup, &killed).unwrap();

    assert_refused(&killed, "the database is a copy that never had a log").await;
}

#[tokio::test]
async fn an_older_copy_of_the_file_beside_a_log_that_was_left_over_is_refused() {
    let mut app = TestApp::start(ECHO).await;
    converse(&app, 5).await;
    app.stop().await;
    let old = app.path("old.db");
    fs::copy(app.database(), &old).unwrap();
    app.run().await;
    converse(&app, 5).await;
    app.restart().await;
    converse(&app, 20).await;
    let killed = image(&app, "killed");

    fs::copy(&old, &killed).unwrap();

    assert_refused(&killed, "of another time than the log").await;
}

#[tokio::test]
async fn a_log_without_its_database_is_refused() {
    let app = TestApp::start(ECHO).await;
    converse(&app, 5).await;
    let killed = image(&app, "killed");

    fs::write(&killed, "").unwrap();
    assert_refused(&killed, "the database is missing or empty").await;
    fs::remove_file(&killed).unwrap();
    assert_refused(&killed, "the database is missing or empty").await;
}

#[tokio::test]
async fn a_restore_that_was_interrupted_is_not_taken_for_a_new_database() {
    let mut app = TestApp::start(ECHO).await;
    app.stop().await;
    fs::rename(app.database(), with_ending(&app.database(), ".restoring")).unwrap();

    let refused = Store::open(&url(&app.database())).await.unwrap_err();

    let is_half = matches!(refused, StoreError::HalfRestored(_));
    assert!(is_half, "{refused:?}");
    assert!(!app.database().exists());
}

#[tokio::test]
async fn a_service_that_finds_its_database_damaged_takes_and_sends_nothing_more() {
    let mut app = TestApp::start(ECHO).await;
    converse(&app, 20).await;
    app.restart().await;
    let requests = app.requests();
    assert_eq!(app.store().check_for_damage().await.unwrap(), None);
    let mut bytes = fs::read(app.database()).unwrap();
    bytes[8 * 4096..].fill(0x5a);
    fs::write(app.database(), bytes).unwrap();

    let damage = app.store().check_for_damage().await.unwrap();

    assert!(damage.is_some());
    assert!(!app.store().may_send());
    let body = bodies::with_text(ANA, "wamid.AFTER", "hello");
    assert_eq!(app.post(&body).await, 503);
    assert_eq!(app.requests(), requests);
}

#[tokio::test]
async fn a_file_that_rots_is_found_out_or_read_but_never_brings_the_service_down() {
    let mut app = TestApp::start(ECHO).await;
    converse(&app, 15).await;
    app.stop().await;
    let intact = fs::read(app.database()).unwrap();
    let (mut random, mut damaged, mut harmless) = (2026_u64, 0, 0);

    for copy in 0..200 {
        // A file of its own each time: a store that did not open may release its lock a moment
        // later.
        let rotten = app.path(&format!("rotten-{copy}.db"));
        // Knuth's MMIX; the high bits are the good ones.
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let place = usize::try_from(random >> 33).unwrap() % intact.len();
        let mut bytes = intact.clone();
        bytes[place] ^= 1 << (random >> 30 & 7);
        fs::write(&rotten, bytes).unwrap();

        match Store::open(&url(&rotten)).await {
            Ok(store) => {
                // A text may have changed, which cannot be found out; reading it must go well or
                // fail.
                if let Ok(list) = store.conversations(None, 10).await {
                    for conversation in list {
                        let _ = store.transcript(conversation.id, 100).await;
                    }
                }
                store.close().await;
                harmless += 1;
            }
            Err(StoreError::Damaged(_, what)) => {
                assert!(!what.is_empty());
                damaged += 1;
            }
            Err(StoreError::Database(error)) => {
                assert!(!matches!(error, sqlx::Error::WorkerCrashed), "{error}");
            }
            Err(StoreError::Migrate(_)) => {}
            Err(other) => assert!(matches!(other, StoreError::File { .. }), "{other:?}"),
        }
    }

    let (is_found, is_opened) = (damaged > 0, harmless > 0);
    assert!(is_found && is_opened, "{damaged} found, {harmless} opened");
}
