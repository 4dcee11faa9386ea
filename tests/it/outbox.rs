//! Replies that cannot be sent: tried again in time, given up with a reason, or held until the
//! owner retries or drops them.

use std::time::Duration;

use replyd::sandbox::{Fault, Receipts};
use serde_json::Value;
use sqlx::Row as _;

use crate::raw_http::get;
use crate::sqlite;
use crate::support::served::until_ready_says;
use crate::support::{ANA, ECHO, TestApp, assert_contains};

/// A send of unknown fate is held after a second.
const QUICKLY_HELD: &str = "[delivery]\nunknown_wait = \"1s\"\n";

/// A service whose clock stands still until the test moves it.
async fn by_manual_clock(config: &str) -> TestApp {
    let now = "2026-11-23T15:00:00Z".parse().unwrap();
    let builder = TestApp::builder().at(now).receipts(Receipts::Never);
    builder.config(config).start().await
}

/// Moves the clock, has a contact write (which wakes delivery), and waits until nothing that is due
/// is left undone.
async fn pass(app: &TestApp, time: Duration, phone: &str) {
    app.clock.advance(time);
    app.sandbox.say(phone, "hello").await;
    let query = format!(
        "SELECT count(*) FROM outbox WHERE kind = 'message' AND (state = 'sending' \
         OR (state = 'queued' AND expires_at_ms > {now} AND due_at_ms <= {now} AND NOT EXISTS (SELECT 1 FROM outbox AS e \
             WHERE e.conversation_id = outbox.conversation_id AND e.id < outbox.id AND e.kind = 'message')))",
        now = app.clock.now().as_millisecond()
    );
    let (database, query) = (&app.database(), query.as_str());
    app.until("everything that is due", |_| async move {
        let rows = sqlite::rows(database, query).await.unwrap();
        (rows[0].get::<i64, _>(0) == 0).then_some(())
    })
    .await;
}

fn nth_phone(number: usize) -> String {
    format!("1556{number:07}")
}

/// The objects of an output, one a line.
pub(crate) fn objects(lines: &str) -> Vec<Value> {
    let objects = lines.lines().map(serde_json::from_str);
    objects.collect::<Result<_, _>>().unwrap()
}

/// A service that holds one reply to Ana, and the id of its row. A proxy's error page came in place
/// of an answer.
async fn with_a_held_reply() -> (TestApp, String) {
    let builder = TestApp::builder().receipts(Receipts::Never);
    let app = builder.config(QUICKLY_HELD).start().await;
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
    app.until_transcript("the end of a reply", ANA, |mut messages| {
        let last = messages.pop().unwrap();
        (last.outbox_state.as_deref() == Some(state)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_fault_of_two_minutes_costs_no_reply() {
    for code in [2, 131_000] {
        let app = by_manual_clock("").await;
        for _ in 0..1_000 {
            app.sandbox.script(Fault::Graph(code));
        }

        let mut contacts = 0;
        for _ in 0..12 {
            contacts += 1;
            pass(&app, Duration::from_secs(10), &nth_phone(contacts)).await;
        }
        let tries = app.requests();
        app.sandbox.clear_faults();
        for _ in 0..10 {
            contacts += 1;
            pass(&app, Duration::from_secs(30), &nth_phone(contacts)).await;
        }
        app.drained().await;

        for number in 1..=contacts {
            let phone = nth_phone(number);
            let replies = app.replies(&phone).len();
            let messages = app.transcript(&phone).await;
            assert_eq!(replies, 1, "{code}: {messages:?}");
            assert_eq!(messages[1].outbox_state.as_deref(), Some("accepted"));
        }
        // Read marks are among them, one for each message.
        assert!(tries < 12 * 9, "{code}: {tries} requests in two minutes");
    }
}

#[tokio::test]
async fn a_reply_that_is_not_sent_in_time_records_its_tries_and_lets_the_next_go() {
    let app = by_manual_clock("[delivery]\ngive_up_after = \"2m\"\n").await;
    for _ in 0..100 {
        app.sandbox.script(Fault::Graph(131_000));
    }

    app.sandbox.say(ANA, "one").await;
    for number in 1..=7 {
        pass(&app, Duration::from_secs(10), &nth_phone(number)).await;
    }
    app.sandbox.say(ANA, "two").await;
    let rows = app.store().list_outbox(Some("queued"), 100).await;
    let rows_of_ana = rows
        .unwrap()
        .into_iter()
        .filter(|row| row.kind == "message" && row.phone.as_deref() == Some(ANA));
    let [first, second] = rows_of_ana.collect::<Vec<_>>().try_into().unwrap();
    for number in 8..=13 {
        pass(&app, Duration::from_secs(10), &nth_phone(number)).await;
    }
    app.sandbox.clear_faults();
    let given_up = app.until_transcript("the end of the first", ANA, |messages| {
        let mut messages = messages.into_iter();
        let first = messages.find(|message| message.text == "you said one")?;
        (first.outbox_state.as_deref() == Some("expired")).then_some(first)
    });
    let given_up = given_up.await;
    pass(&app, Duration::from_secs(1), &nth_phone(14)).await;
    ends_as(&app, "accepted").await;

    assert_eq!((first.behind, second.behind), (None, Some(first.id)));
    assert!(first.attempts > 2 && first.tries.len() == first.attempts as usize);
    assert!(
        first
            .tries
            .iter()
            .all(|attempt| attempt.code == Some(131_000))
    );
    let why = given_up.send_error.unwrap();
    assert!(why.starts_with("tried "), "{why}");
    assert_contains(&why, " times for 2m, last: error 131000: ");
    let metrics = app.metrics().await;
    let failures = "replyd_send_failures_total{class=\"retry_wide\",code=\"131000\"}";
    assert_contains(&metrics, failures);
}

#[tokio::test]
async fn a_held_reply_is_reported_everywhere_and_its_contact_still_waits() {
    let (app, id) = with_a_held_reply().await;

    until_ready_says(app.admin(), |body| body.contains("held sends")).await;
    let ready = get(app.admin(), "/readyz").await;
    let metrics = app.metrics().await;
    let history = app.looks_back("history 15550000001").await.stdout;
    let list = app.looks_back("history --json").await.stdout;
    let outbox = app.looks_back("outbox list").await.stdout;
    let shown = app.looks_back(&format!("outbox show {id}")).await.stdout;

    assert_eq!(ready.status, 200, "webhooks are taken all the same");
    assert_contains(&ready.body, "held sends: 1 message may or may not");
    for state in ["queued", "sending", "unknown", "held"] {
        for kind in ["message", "read_mark", "download", "action"] {
            let rows = i32::from((state, kind) == ("held", "message"));
            let line = format!("replyd_outbox_rows{{state=\"{state}\",kind=\"{kind}\"}} {rows}\n");
            assert_contains(&metrics, &line);
        }
        let line = format!("replyd_outbox_oldest_seconds{{state=\"{state}\"}} ");
        assert_contains(&metrics, &line);
    }
    assert_contains(&history, &format!("`replyd outbox show {id}`"));
    assert!(objects(&list)[0]["unanswered_since"].is_string(), "{list}");
    for part in ["held", "502", ANA] {
        assert_contains(&outbox, part);
    }
    for part in ["you said hello", "it may arrive twice", "  try 1 · "] {
        assert_contains(&shown, part);
    }
}

#[tokio::test]
async fn a_held_reply_is_sent_again_only_after_a_confirmation_and_by_the_running_service() {
    let (app, id) = with_a_held_reply().await;

    let line = format!("outbox retry {id}");
    let unasked = app.looks_back(&line).await;
    let dry = app.looks_back(&format!("{line} --dry-run")).await;
    assert_eq!(app.replies(ANA).len(), 0);
    let retried = app.looks_back(&format!("{line} --yes")).await;
    ends_as(&app, "accepted").await;
    let again = app.looks_back(&format!("{line} --yes")).await;

    unasked.refused();
    assert_contains(&unasked.stderr, "--yes");
    dry.done();
    assert_contains(&dry.stdout, "would be queued");
    retried.done();
    assert_contains(&retried.stdout, "it may arrive twice");
    again.refused();
    assert_contains(&again.stdout, "it is not in the outbox");
    assert_eq!(app.replies(ANA).len(), 1);
    until_ready_says(app.admin(), |body| body == "ready\n").await;
}

#[tokio::test]
async fn everything_held_is_dropped_at_once_without_a_service() {
    let (mut app, id) = with_a_held_reply().await;
    app.stop().await;

    let line = "outbox drop --all --state held";
    let unasked = app.looks_back(line).await;
    let dropped = app.looks_back(&format!("{line} --yes --json")).await;
    let none = app.looks_back("outbox list").await;
    let shown = app.looks_back(&format!("outbox show {id}")).await;
    let history = app.looks_back("history 15550000001").await;

    unasked.refused();
    assert_contains(&unasked.stderr, "--yes");
    dropped.done();
    assert_eq!(objects(&dropped.stdout)[0]["done"], "dropped");
    assert_contains(&none.stderr, "nothing waits to be sent");
    shown.refused();
    assert_contains(&shown.stderr, "no row");
    let dropped = "dropped by hand; it may have been sent";
    assert_contains(&history.stdout, dropped);
}

#[tokio::test]
async fn characters_that_turn_the_text_around_are_escaped_in_json() {
    let app = TestApp::start(ECHO).await;
    app.sandbox.script(Fault::Stall);
    app.sandbox.say(ANA, "a\u{202e}b").await;
    app.until_stalled().await;
    let rows = app.store().list_outbox(Some("sending"), 9).await;
    let mut rows = rows.unwrap().into_iter();
    let row = rows.find(|row| row.kind == "message").unwrap();

    let list = app.looks_back("outbox list --json").await.done();
    let show = format!("outbox show {} --json", row.id);
    let shown = app.looks_back(&show).await.done();

    for output in [list, shown] {
        assert_contains(&output, "a\\u202eb");
        assert!(!output.contains('\u{202e}'), "{output}");
    }
    app.sandbox.release();
}

#[tokio::test]
async fn a_row_that_is_being_sent_is_left_alone() {
    let app = TestApp::start(ECHO).await;
    app.sandbox.script(Fault::Stall);
    app.sandbox.say(ANA, "hello").await;
    app.until_stalled().await;
    let rows = app.store().list_outbox(Some("sending"), 9).await;
    let mut rows = rows.unwrap().into_iter();
    let row = rows.find(|row| row.kind == "message").unwrap();

    let retried = app
        .looks_back(&format!("outbox retry {} --yes", row.id))
        .await;
    let dropped = app
        .looks_back(&format!("outbox drop {} --yes", row.id))
        .await;
    app.sandbox.release();
    ends_as(&app, "accepted").await;

    for run in [retried, dropped] {
        run.refused();
        assert_contains(&run.stdout, "being sent right now");
    }
    assert_eq!(app.replies(ANA).len(), 1);
}

#[tokio::test]
async fn a_reply_that_waits_for_its_next_try_is_tried_at_once_by_hand() {
    let app = by_manual_clock("").await;
    app.sandbox.script(Fault::Graph(2));
    app.sandbox.say(ANA, "hello").await;
    let waits = app.until("a reply that waits", |store| async move {
        let rows = store.list_outbox(Some("queued"), 9).await.unwrap();
        let waits = rows.into_iter().find(|row| row.attempts == 1);
        waits.map(|row| row.id)
    });
    let id = waits.await;

    // The clock of the command is the machine's; the row must go out at the clock of the service.
    let request = replyd::store::RetryByHand {
        ids: vec![id],
        repeat: replyd::store::Repeat::Refused,
        give_up_after: Duration::from_mins(15),
        now: app.clock.now(),
    };
    let done = app.store().retry_by_hand(&request).await.unwrap();
    ends_as(&app, "accepted").await;

    assert!(done[0].1.is_ok(), "{done:?}");
}
