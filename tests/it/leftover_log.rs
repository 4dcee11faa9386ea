//! A database and a write-ahead log beside it: those that do not belong together are refused, those
//! that do never are.

use std::fs;
use std::path::{Path, PathBuf};

use replyd::store::{Present, Store, StoreError};

use crate::support::bodies::{of_messages, text};
use crate::support::{ANA, ECHO, TestApp, transcript};

/// What a killed service leaves behind: the database and its log as they are now, in a folder of
/// their own.
fn image(app: &TestApp, name: &str) -> PathBuf {
    let folder = app.folder().join(name);
    fs::create_dir(&folder).unwrap();
    for end in ["", "-wal"] {
        fs::copy(
            beside(&app.database(), end),
            folder.join(format!("test.db{end}")),
        )
        .unwrap();
    }
    folder.join("test.db")
}

fn beside(database: &Path, end: &str) -> PathBuf {
    PathBuf::from(format!("{}{end}", database.display()))
}

fn url(database: &Path) -> String {
    format!("sqlite:{}", database.display())
}

async fn said(app: &TestApp, count: usize) {
    for number in 0..count {
        app.sandbox.say(ANA, &format!("message {number}")).await;
    }
    app.drained().await;
}

/// Opening it is refused for the log's sake, and nothing is changed by that.
async fn assert_refused(database: &Path, why: &str) {
    let read = || ["", "-wal"].map(|end| fs::read(beside(database, end)).ok());
    let before = read();

    let service = Store::open(&url(database)).await.unwrap_err();

    assert!(
        matches!(service, StoreError::ForeignLog { .. }),
        "{service:?}"
    );
    let told = service.to_string();
    assert!(
        told.contains(why) && told.contains("replyd restore FILE"),
        "{told}"
    );
    assert_eq!(read(), before, "nothing is changed");
    if database.exists() {
        let command = Store::open_for_cli(&url(database)).await.unwrap_err();
        assert!(
            matches!(command, StoreError::ForeignLog { .. }),
            "{command:?}"
        );
        assert_eq!(read(), before, "nothing is changed by a command either");
    }
}

async fn assert_opens(database: &Path, messages: usize) {
    let store = Store::open(&url(database)).await.unwrap();
    assert_eq!(transcript(&store, ANA).await.len(), messages);
    store.close().await;
}

#[tokio::test]
async fn what_a_killed_service_leaves_is_opened_with_all_that_it_holds() {
    let app = TestApp::start(ECHO).await;
    said(&app, 20).await;
    let killed = image(&app, "killed");

    // Also when all is moved elsewhere, beside the lock of another time.
    fs::write(beside(&killed, ".lock"), "1\n").unwrap();

    assert_opens(&killed, 40).await;
    assert_opens(&killed, 40).await;
}

#[tokio::test]
async fn a_backup_beside_a_log_that_was_left_over_is_refused() {
    let app = TestApp::start(ECHO).await;
    said(&app, 5).await;
    let backup = app.folder().join("backup.db");
    let (from, now) = (url(&app.database()), app.clock.now());
    let copied = replyd::store::backup(&from, &backup, Present::Stays, now, &|_, _| {});
    assert_eq!(copied.await.unwrap().messages, 10);
    said(&app, 20).await;
    let killed = image(&app, "killed");

    fs::copy(&backup, &killed).unwrap();

    assert_refused(&killed, "the database is a copy that never had a log").await;
}

#[tokio::test]
async fn an_older_copy_of_the_file_beside_a_log_that_was_left_over_is_refused() {
    let mut app = TestApp::start(ECHO).await;
    said(&app, 5).await;
    app.stop().await;
    let old = app.folder().join("old.db");
    fs::copy(app.database(), &old).unwrap();
    app.run().await;
    said(&app, 5).await;
    app.restart().await;
    said(&app, 20).await;
    let killed = image(&app, "killed");

    fs::copy(&old, &killed).unwrap();

    assert_refused(&killed, "of another time than the log").await;
}

#[tokio::test]
async fn a_log_without_its_database_is_refused() {
    let app = TestApp::start(ECHO).await;
    said(&app, 5).await;
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
    fs::rename(app.database(), beside(&app.database(), ".restoring")).unwrap();

    let refused = Store::open(&url(&app.database())).await.unwrap_err();

    assert!(
        matches!(refused, StoreError::HalfRestored(_)),
        "{refused:?}"
    );
    assert!(!app.database().exists());
}

#[tokio::test]
async fn a_service_that_finds_its_database_damaged_takes_and_sends_nothing_more() {
    let mut app = TestApp::start(ECHO).await;
    said(&app, 20).await;
    app.restart().await;
    let requests = app.sandbox.look(|state| state.requests.len());
    assert_eq!(app.store().check_for_damage().await.unwrap(), None);
    let mut bytes = fs::read(app.database()).unwrap();
    bytes[8 * 4096..].fill(0x5a);
    fs::write(app.database(), bytes).unwrap();

    let damage = app.store().check_for_damage().await.unwrap();

    assert!(damage.is_some());
    assert!(!app.store().may_send());
    let body = of_messages(&[text(ANA, "wamid.AFTER", "hello")]);
    assert_eq!(app.post(&body).await, 503);
    assert_eq!(app.sandbox.look(|state| state.requests.len()), requests);
}

#[tokio::test]
async fn a_file_that_rots_is_found_out_or_read_but_never_brings_the_service_down() {
    let mut app = TestApp::start(ECHO).await;
    said(&app, 15).await;
    app.stop().await;
    let sound = fs::read(app.database()).unwrap();
    let (mut random, mut found, mut harmless) = (2026_u64, 0, 0);

    for copy in 0..200 {
        // A file of its own each time: a store that did not open may release its lock a moment
        // later.
        let rotten = app.folder().join(format!("rotten-{copy}.db"));
        // Knuth's MMIX; the high bits are the good ones.
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let place = usize::try_from(random >> 33).unwrap() % sound.len();
        let mut bytes = sound.clone();
        bytes[place] ^= 1 << (random >> 30 & 7);
        fs::write(&rotten, bytes).unwrap();

        match Store::open(&url(&rotten)).await {
            Ok(store) => {
                // What a person wrote may have changed, which nobody can know; reading it must go
                // well or fail.
                if let Ok(list) = store.conversations(None, 10).await {
                    for one in list {
                        let _ = store.transcript(one.id, 100).await;
                    }
                }
                store.close().await;
                harmless += 1;
            }
            Err(StoreError::Damaged(_, what)) => {
                assert!(!what.is_empty());
                found += 1;
            }
            Err(StoreError::Database(error)) => {
                assert!(!matches!(error, sqlx::Error::WorkerCrashed), "{error}");
            }
            Err(StoreError::Migrate(_)) => {}
            Err(other) => assert!(matches!(other, StoreError::File { .. }), "{other:?}"),
        }
    }

    assert!(
        found > 0 && harmless > 0,
        "{found} were found, {harmless} opened"
    );
}
