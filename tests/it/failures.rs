//! Messages that WhatsApp accepted and did not deliver: they count as unanswered, and every place
//! that shows a fate says why, in words.

use replyd::sandbox::{Receipts, State, Verdict};
use serde_json::{Value, json};

use crate::support::{ANA, ECHO, NUMBER, TestApp, assert_contains, bodies, run};

/// Two messages in one answer.
const TWO: &str = "version = 1\n[[rule]]\nid = \"two\"\nreply = [\"first\", \"second\"]\n";

/// A webhook that reports a failed message.
fn failed(wamid: &str, errors: &Value) -> String {
    let status = json!({
        "id": wamid, "status": "failed", "timestamp": "1767000050", "recipient_id": ANA,
        "errors": errors,
    });
    bodies::with_parts("messages", json!({ "statuses": [status] }))
}

fn undeliverable() -> Value {
    json!([{ "code": 131_026, "title": "Message undeliverable",
        "error_data": { "details": "Message Undeliverable." } }])
}

/// A service whose contact got both parts of the answer; gives their ids.
async fn answered(receipts: Receipts) -> (TestApp, Vec<String>) {
    let app = TestApp::builder()
        .rules(TWO)
        .receipts(receipts)
        .start()
        .await;
    app.sandbox.say(ANA, "hello").await;
    app.until_replies(ANA, 2).await;
    app.drained().await;
    let messages = app.transcript(ANA).await;
    let wamids = messages.into_iter().skip(1).map(|it| it.wamid.unwrap());
    let wamids = wamids.collect();
    (app, wamids)
}

async fn waits(app: &TestApp) -> bool {
    let conversations = app.store().conversations(Some(ANA), 1).await.unwrap();
    let by_view = app
        .number("SELECT count(*) FROM conversation_list WHERE unanswered_since IS NOT NULL")
        .await;
    let waits = conversations[0].unanswered_since.is_some();
    assert_eq!(by_view, i64::from(waits), "the view and the list agree");
    waits
}

#[tokio::test]
async fn a_failed_part_of_an_answer_leaves_its_message_unanswered_until_a_later_answer() {
    for part in [0, 1] {
        let (app, wamids) = answered(Receipts::Normal).await;
        app.until_read(ANA).await;
        assert!(!waits(&app).await);

        app.accept(&failed(&wamids[part], &undeliverable())).await;
        let waited = waits(&app).await;
        app.sandbox.say(ANA, "hello?").await;
        app.until_replies(ANA, 4).await;
        app.drained().await;

        assert!(waited, "part {part} failed after it was read");
        assert!(!waits(&app).await);
    }
}

#[tokio::test]
async fn a_failure_is_told_in_words_wherever_a_fate_is_shown() {
    const WORDS: &str = "error 131026: the contact cannot receive it: no WhatsApp, an old version, \
         terms not accepted, or a block (Message Undeliverable.)";
    let (app, wamids) = answered(Receipts::Never).await;

    app.accept(&failed(&wamids[0], &undeliverable())).await;
    app.accept(&failed(&wamids[1], &json!([{ "code": 131_053 }])))
        .await;
    let history = app.looks_back("history 15550000001").await.stdout;
    let lines = app.looks_back("history 15550000001 --json").await.stdout;
    let why = app.looks_back(&format!("why {}", wamids[0])).await.stdout;
    let why_json = format!("why {} --json", wamids[0]);
    let why_json = app.looks_back(&why_json).await.stdout;
    let why_json: Value = serde_json::from_str(&why_json).unwrap();
    let in_view = "SELECT count(*) FROM transcript WHERE delivery = 'failed' \
        AND error LIKE 'error 1310%: %' AND error NOT LIKE '%{%'";

    assert_contains(&history, &format!("✗ failed {WORDS}"));
    assert_contains(&history, "what to do: check the type and size of the file");
    assert!(!history.contains('{'), "{history}");
    let first: Value = serde_json::from_str(lines.lines().nth(1).unwrap()).unwrap();
    assert_eq!(first["send_error"], WORDS);
    assert_eq!(first["error_code"], 131_026);
    assert_contains(&why, &format!("✗ failed {WORDS}"));
    assert_eq!(why_json["answers"][0]["send_error"], WORDS);
    assert_eq!(why_json["answers"][1]["error_code"], 131_053);
    assert_eq!(app.number(in_view).await, 2);
}

#[tokio::test]
async fn failures_are_counted_once_by_code_however_often_they_are_reported() {
    let (app, wamids) = answered(Receipts::Never).await;
    let bodies = [
        failed(&wamids[0], &undeliverable()),
        failed(&wamids[1], &json!([{ "code": 987_654 }])),
        failed("wamid.OF_ANOTHER_APP", &json!([])),
    ];

    for body in bodies.iter().chain(&bodies) {
        app.accept(body).await;
    }
    let metrics = app.metrics().await;

    for label in [
        "class=\"undeliverable\",code=\"131026\"",
        "class=\"give_up\",code=\"other\"",
        "class=\"give_up\",code=\"none\"",
    ] {
        let line = format!("replyd_delivery_failures_total{{{label}}} 1\n");
        assert_contains(&metrics, &line);
    }
}

#[tokio::test]
async fn the_log_has_one_line_for_many_failures_and_nothing_of_the_contact() {
    let app = TestApp::builder().rules(TWO).stopped().await;
    let mut served = app.served().await;
    app.sandbox.say(ANA, "hello").await;
    app.until_replies(ANA, 2).await;
    let wamids: Vec<String> = app.sandbox.look(|state: &State| {
        let sent = state.accepted();
        sent.filter_map(|request| match &request.verdict {
            Verdict::Accepted(wamid) => Some(wamid.clone()),
            Verdict::Marked | Verdict::Refused(_) => None,
        })
        .collect()
    });

    for wamid in &wamids {
        app.accept(&failed(wamid, &undeliverable())).await;
    }
    let logs = served.stop().await;

    let lines: Vec<&str> = logs
        .lines()
        .filter(|line| line.contains("did not deliver"))
        .collect();
    let [line] = lines[..] else {
        panic!("one line: {logs}");
    };
    assert_contains(line, "131026");
    for secret in [ANA, "first", &wamids[0]] {
        assert!(!line.contains(secret), "{line}");
    }
}

/// Meta answers 100 with subcode 33 for a number id that is wrong or not ours to use.
#[tokio::test]
async fn replies_of_an_unknown_number_are_kept_and_say_what_to_check() {
    let app = TestApp::builder().rules(TWO).start().await;
    let message = bodies::text(ANA, "wamid.A", "hello");

    app.accept(&bodies::with_numbers(&[("106549999999999", vec![message])]))
        .await;
    let row = app.until("a failed attempt", |store| async move {
        let rows = store.list_outbox(None, 10).await.unwrap();
        rows.into_iter()
            .find(|row| row.attempts > 0 && row.state == "queued")
    });
    let row = row.await;

    let reason = row.reason.unwrap();
    assert_contains(&reason, "error 100 (subcode 33): ");
    assert_contains(
        &reason,
        "what to do: check phone_number_id, gateway.connection",
    );
    assert!(!reason.contains("rule"), "{reason}");
}

/// With "Require app secret" on at Meta, a call without `appsecret_proof` fails with code 100.
#[tokio::test]
async fn a_required_proof_of_the_app_secret_goes_out_with_every_call() {
    let app = TestApp::builder()
        .rules(ECHO)
        .config(NUMBER)
        .stopped()
        .await;
    app.sandbox.require_app_secret();

    let refused = app.replyd("send +15550000001 Hello").await.to_string();
    let mut command = run::command(app.folder());
    command.env("REPLYD__GATEWAY__APP_SECRET_PROOF", "true");
    let mut served = app.served_by(command.arg("serve")).await;
    app.sandbox.say(ANA, "hello").await;
    app.until_replies(ANA, 1).await;
    let logs = served.stop().await;
    let config = app
        .config()
        .replace("[gateway]", "[gateway]\napp_secret_proof = true");
    app.write("replyd.toml", config);
    let sent = app.replyd("send +15550000001 Hello").await.to_string();
    let shown = app.replyd("send +15550000001 Hello --dry-run").await;

    assert_contains(&refused, "error 100: ");
    assert_contains(&refused, "set gateway.app_secret_proof = true");
    assert_contains(&sent, "accepted:");
    assert_contains(&shown.stdout, "/messages?appsecret_proof=***");
    assert!(!logs.contains("appsecret_proof"), "{logs}");
}
