//! What becomes of replies that cannot be sent: tried by time, given up with a reason, held for a
//! person, and what that person does about it.

use std::process::{Command, Stdio};
use std::time::Duration;

use replyd::clock::Clock;
use replyd::sandbox::{Fault, Receipts};
use serde_json::Value;
use sqlx::Row as _;

use crate::raw_http::get;
use crate::sqlite;
use crate::support::{ANA, ECHO, Options, TestApp, transcript};

/// A send of unknown fate is held after a second.
const QUICKLY_HELD: &str = "[delivery]\nunknown_wait = \"1s\"\n";

/// A service whose clock stands still until the test moves it.
async fn by_manual_clock(extra: &'static str) -> TestApp {
    TestApp::with(Options {
        clock: Clock::manual("2026-11-23T15:00:00Z".parse().unwrap()),
        receipts: Receipts::Never,
        extra,
        ..Options::default()
    })
    .await
}

/// Moves the clock, has a person write (which wakes delivery), and waits until nothing that is due
/// is left undone.
async fn pass(app: &TestApp, time: Duration, who: &str) {
    app.clock.advance(time);
    app.sandbox.say(who, "hello").await;
    let query = format!(
        "SELECT count(*) FROM outbox WHERE kind = 'message' AND (state = 'sending' \
         OR (state = 'queued' AND expires_at_ms > {now} AND due_at_ms <= {now} AND NOT EXISTS (SELECT 1 FROM outbox AS e \
             WHERE e.conversation_id = outbox.conversation_id AND e.id < outbox.id AND e.kind = 'message')))",
        now = app.clock.now().as_millisecond()
    );
    let (database, query) = (app.database(), query.as_str());
    let done = app.until("everything that is due", |_| {
        let database = database.clone();
        async move {
            let rows = sqlite::rows(&database, query).await.unwrap();
            (rows[0].get::<i64, _>(0) == 0).then_some(())
        }
    });
    done.await;
}

fn person(number: usize) -> String {
    format!("1556{number:07}")
}

/// Runs `replyd` on the database of this test, with nobody at a terminal.
fn replyd(app: &TestApp, arguments: &[&str]) -> (i32, String, String) {
    let database = format!("sqlite:{}", app.database().display());
    let output = Command::new(env!("CARGO_BIN_EXE_replyd"))
        .args(arguments)
        .args(["--timezone", "UTC", "--database", &database])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn objects(lines: &str) -> Vec<Value> {
    let lines = lines.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A service that holds one reply to Ana, and the id of its row. A proxy's error page came in place
/// of an answer.
async fn with_a_held_reply() -> (TestApp, String) {
    let app = TestApp::with(Options {
        receipts: Receipts::Never,
        extra: QUICKLY_HELD,
        ..Options::default()
    })
    .await;
    app.sandbox.script(Fault::BadGateway);
    app.sandbox.say(ANA, "hello").await;
    let held = app.until("a held reply", |store| async move {
        let rows = store.list_outbox(Some("held"), 2).await.unwrap();
        rows.first().map(|row| row.id.to_string())
    });
    let id = held.await;
    (app, id)
}

/// Waits until the last message with Ana has reached this state of the outbox.
async fn ends_as(app: &TestApp, state: &'static str) {
    let ended = app.until("the end of a reply", move |store| async move {
        let last = transcript(&store, ANA).await.pop().unwrap();
        (last.outbox_state.as_deref() == Some(state)).then_some(())
    });
    ended.await;
}

#[tokio::test]
async fn a_fault_of_two_minutes_costs_no_reply() {
    for code in [2, 131_000] {
        let app = by_manual_clock("").await;
        for _ in 0..1_000 {
            app.sandbox.script(Fault::Graph(code));
        }

        let mut people = 0;
        for _ in 0..12 {
            people += 1;
            pass(&app, Duration::from_secs(10), &person(people)).await;
        }
        let tries = app.sandbox.look(|state| state.requests.len());
        app.sandbox.clear_faults();
        for _ in 0..10 {
            people += 1;
            pass(&app, Duration::from_secs(30), &person(people)).await;
        }
        app.drained().await;

        for number in 1..=people {
            let who = person(number);
            let replies = app.sandbox.look(|state| state.replies(&who).len());
            let entries = app.transcript(&who).await;
            assert_eq!(replies, 1, "{code}: {entries:?}");
            assert_eq!(entries[1].outbox_state.as_deref(), Some("accepted"));
        }
        // Read marks are among them, one for each message.
        assert!(tries < 12 * 9, "{code}: {tries} requests in two minutes");
    }
}

#[tokio::test]
async fn what_is_not_sent_in_its_time_says_how_often_it_was_tried_and_lets_the_next_go() {
    let app = by_manual_clock("[delivery]\ngive_up_after = \"2m\"\n").await;
    for _ in 0..100 {
        app.sandbox.script(Fault::Graph(131_000));
    }

    app.sandbox.say(ANA, "one").await;
    for number in 1..=7 {
        pass(&app, Duration::from_secs(10), &person(number)).await;
    }
    app.sandbox.say(ANA, "two").await;
    let rows = app.store().list_outbox(Some("queued"), 100).await;
    let ours = rows
        .unwrap()
        .into_iter()
        .filter(|row| row.kind == "message" && row.phone.as_deref() == Some(ANA));
    let [first, second] = ours.collect::<Vec<_>>().try_into().unwrap();
    for number in 8..=13 {
        pass(&app, Duration::from_secs(10), &person(number)).await;
    }
    app.sandbox.clear_faults();
    let given_up = app.until("the end of the first", |store| async move {
        let entries = transcript(&store, ANA).await;
        let first = entries
            .into_iter()
            .find(|entry| entry.text == "you said one")?;
        (first.outbox_state.as_deref() == Some("expired")).then_some(first)
    });
    let given_up = given_up.await;
    pass(&app, Duration::from_secs(1), &person(14)).await;
    ends_as(&app, "accepted").await;

    assert_eq!((first.behind, second.behind), (None, Some(first.id)));
    assert!(first.attempts > 2 && first.tries.len() == first.attempts as usize);
    assert!(first.tries.iter().all(|one| one.code == Some(131_000)));
    let why = given_up.send_error.unwrap();
    assert!(why.starts_with("tried "), "{why}");
    assert!(why.contains(" times for 2m, last: error 131000: "), "{why}");
    let metrics = app.metrics().await;
    let failures = "replyd_send_failures_total{class=\"retry_wide\",code=\"131000\"}";
    assert!(metrics.contains(failures), "{metrics}");
}

#[tokio::test]
async fn a_held_reply_is_told_everywhere_and_its_person_still_waits() {
    let (app, id) = with_a_held_reply().await;

    let told = app.until("the condition", |_| async {
        let ready = get(app.admin(), "/readyz").await;
        ready.body.contains("held sends").then_some(ready)
    });
    let ready = told.await;
    let metrics = app.metrics().await;
    let (_, history, _) = replyd(&app, &["history", ANA]);
    let (_, list, _) = replyd(&app, &["history", "--json"]);
    let (_, outbox, _) = replyd(&app, &["outbox", "list"]);
    let (_, shown, _) = replyd(&app, &["outbox", "show", &id]);

    assert_eq!(ready.status, 200, "webhooks are taken all the same");
    assert!(
        ready.body.contains("held sends: 1 message may or may not"),
        "{}",
        ready.body
    );
    for state in ["queued", "sending", "unknown", "held"] {
        for kind in ["message", "read_mark", "download", "action"] {
            let rows = i32::from((state, kind) == ("held", "message"));
            let line = format!("replyd_outbox_rows{{state=\"{state}\",kind=\"{kind}\"}} {rows}\n");
            assert!(metrics.contains(&line), "{line}{metrics}");
        }
        let line = format!("replyd_outbox_oldest_seconds{{state=\"{state}\"}} ");
        assert!(metrics.contains(&line), "{line}{metrics}");
    }
    assert!(
        history.contains(&format!("`replyd outbox show {id}`")),
        "{history}"
    );
    assert!(objects(&list)[0]["unanswered_since"].is_string(), "{list}");
    assert!(
        outbox.contains("held") && outbox.contains("502") && outbox.contains(ANA),
        "{outbox}"
    );
    assert!(
        shown.contains("you said hello") && shown.contains("it may arrive twice"),
        "{shown}"
    );
    assert!(shown.contains("  try 1 · "), "{shown}");
}

#[tokio::test]
async fn a_held_reply_is_sent_again_only_for_somebody_who_knows_and_by_the_running_service() {
    let (app, id) = with_a_held_reply().await;

    let unasked = replyd(&app, &["outbox", "retry", &id]);
    let dry = replyd(&app, &["outbox", "retry", &id, "--dry-run"]);
    assert_eq!(app.sandbox.look(|state| state.replies(ANA).len()), 0);
    let retried = replyd(&app, &["outbox", "retry", &id, "--yes"]);
    ends_as(&app, "accepted").await;
    let again = replyd(&app, &["outbox", "retry", &id, "--yes"]);

    assert!(unasked.0 == 1 && unasked.2.contains("--yes"), "{unasked:?}");
    assert!(dry.0 == 0 && dry.1.contains("would be queued"), "{dry:?}");
    assert!(
        retried.0 == 0 && retried.1.contains("it may arrive twice"),
        "{retried:?}"
    );
    assert!(
        again.0 == 1 && again.1.contains("it is not in the outbox"),
        "{again:?}"
    );
    assert_eq!(app.sandbox.look(|state| state.replies(ANA).len()), 1);
    let cleared = app.until("no condition", |_| async {
        (get(app.admin(), "/readyz").await.body == "ready\n").then_some(())
    });
    cleared.await;
}

#[tokio::test]
async fn everything_held_is_dropped_at_once_without_a_service() {
    let (mut app, id) = with_a_held_reply().await;
    app.stop().await;

    let unasked = replyd(&app, &["outbox", "drop", "--all", "--state", "held"]);
    let dropped = replyd(
        &app,
        &[
            "outbox", "drop", "--all", "--state", "held", "--yes", "--json",
        ],
    );
    let none = replyd(&app, &["outbox", "list"]);
    let shown = replyd(&app, &["outbox", "show", &id]);
    let (_, history, _) = replyd(&app, &["history", ANA]);

    assert!(unasked.0 == 1 && unasked.2.contains("--yes"), "{unasked:?}");
    assert_eq!(dropped.0, 0, "{dropped:?}");
    assert_eq!(objects(&dropped.1)[0]["done"], "dropped");
    assert!(none.2.contains("nothing waits to be sent"), "{none:?}");
    assert!(shown.0 == 1 && shown.2.contains("no row"), "{shown:?}");
    assert!(
        history.contains("dropped by hand; it may have been sent"),
        "{history}"
    );
}

#[tokio::test]
async fn a_row_that_is_being_sent_is_left_alone() {
    let app = TestApp::start(ECHO).await;
    app.sandbox.script(Fault::Stall);
    app.sandbox.say(ANA, "hello").await;
    app.sandbox
        .wait_for("the stall", |state| state.stalled().then_some(()))
        .await;
    let rows = app.store().list_outbox(Some("sending"), 9).await;
    let rows = rows.unwrap();
    let id = rows
        .iter()
        .find(|row| row.kind == "message")
        .unwrap()
        .id
        .to_string();

    let retried = replyd(&app, &["outbox", "retry", &id, "--yes"]);
    let dropped = replyd(&app, &["outbox", "drop", &id, "--yes"]);
    app.sandbox.release();
    ends_as(&app, "accepted").await;

    for refused in [retried, dropped] {
        assert!(
            refused.0 == 1 && refused.1.contains("being sent right now"),
            "{refused:?}"
        );
    }
    assert_eq!(app.sandbox.look(|state| state.replies(ANA).len()), 1);
}

#[tokio::test]
async fn what_waits_for_its_next_try_is_tried_at_once_when_somebody_says_so() {
    let app = by_manual_clock("").await;
    app.sandbox.script(Fault::Graph(2));
    app.sandbox.say(ANA, "hello").await;
    let waits = app.until("a reply that waits", |store| async move {
        let rows = store.list_outbox(Some("queued"), 9).await.unwrap();
        let waits = rows.into_iter().find(|row| row.attempts == 1);
        waits.map(|row| row.id)
    });
    let id = waits.await;

    // The clock of the command is the machine's: what matters is that the row goes out at the clock
    // of the service.
    let asked = replyd::store::RetryByHand {
        ids: vec![id],
        repeat: replyd::store::Repeat::Refused,
        give_up_after: Duration::from_mins(15),
        now: app.clock.now(),
    };
    let done = app.store().retry_by_hand(&asked).await.unwrap();
    ends_as(&app, "accepted").await;

    assert!(done[0].1.is_ok(), "{done:?}");
}
