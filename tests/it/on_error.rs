//! `on_error` in place of a reply that WhatsApp refused, or accepted and then did not deliver.

use replyd::sandbox::{Fault, Receipts};
use serde_json::{Value, json};

use crate::support::{ANA, NUMBER, TestApp, assert_contains, bodies};

const RULES: &str = r#"
version = 1
[opt_out]
words = ["stop"]
reply = "You hear no more of us."
[[rule]]
id = "photo"
when.text.has = "photo"
reply = [{ image = "https://shop.example/a.jpg" }, { image = "https://shop.example/b.jpg" }]
on_error = "The photos are at shop.example, {{ contact.first_name | default('friend') }}."
[[rule]]
id = "offer"
when.text.has = "offer"
reply = { template = { name = "weekend_offer", language = "en_US" } }
on_error = "We have cakes today."
[[rule]]
id = "cake"
when.text.has = "cake"
reply = { image = "https://shop.example/a.jpg" }
on_error = { template = { name = "weekend_offer", language = "en_US" } }
[[rule]]
id = "other"
reply = "Write *photo*."
"#;

const IN_PLACE: &str = "The photos are at shop.example, Ana.";

/// A webhook that reports a failed message.
fn failed(wamid: &str, code: i64) -> String {
    let status = json!({
        "id": wamid, "status": "failed", "timestamp": "1767000050", "recipient_id": ANA,
        "errors": [{ "code": code }],
    });
    bodies::with_parts("messages", json!({ "statuses": [status] }))
}

async fn service() -> TestApp {
    let builder = TestApp::builder().rules(RULES).receipts(Receipts::Never);
    builder.start().await
}

/// Asks for the photos and gives the ids of the two.
async fn photos(app: &TestApp) -> Vec<String> {
    app.sandbox.say(ANA, "a photo, please").await;
    app.until_replies(ANA, 2).await;
    app.drained().await;
    let messages = app.transcript(ANA).await.into_iter();
    messages.skip(1).map(|it| it.wamid.unwrap()).collect()
}

/// Waits until it is settled for every failed reply what is sent in its place.
async fn settled(app: &TestApp) {
    app.until("no failure to settle", |store| async move {
        let waits = store.has_failed_replies().await.unwrap();
        (!waits).then_some(())
    })
    .await;
    app.drained().await;
}

async fn event(app: &TestApp) -> Option<String> {
    let history = app
        .looks_back(&format!("history {ANA} --json"))
        .await
        .stdout;
    let lines = history
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let mut events = lines.filter(|line: &Value| line["event"].is_string());
    let text = events.next_back()?["text"].as_str().unwrap().to_owned();
    Some(text)
}

async fn is_unanswered(app: &TestApp) -> bool {
    let conversations = app.store().conversations(Some(ANA), 1).await.unwrap();
    conversations[0].unanswered_since.is_some()
}

#[tokio::test]
async fn a_receipt_that_reports_a_failure_leads_to_on_error_once_for_the_whole_answer() {
    let app = service().await;
    let wamids = photos(&app).await;

    app.accept(&failed(&wamids[1], 131_053)).await;
    let replies = app.until_replies(ANA, 3).await;
    for wamid in [&wamids[0], &wamids[1]] {
        app.accept(&failed(wamid, 131_053)).await;
    }
    settled(&app).await;
    let history = app.looks_back(&format!("history {ANA}")).await.stdout;
    let why = app.looks_back(&format!("why {}", wamids[1])).await.stdout;

    assert_eq!(replies[2], IN_PLACE);
    assert_eq!(app.replies(ANA).len(), 3);
    assert!(!is_unanswered(&app).await);
    let event = "`photo` sends `on_error`, because its reply failed";
    for shown in [history, why] {
        assert_contains(&shown, event);
        assert_contains(&shown, "✗ failed error 131053");
        assert_contains(&shown, IN_PLACE);
    }
    let view = "SELECT count(*) FROM conversation_list WHERE unanswered_since IS NULL";
    assert_eq!(app.number(view).await, 1);
}

#[tokio::test]
async fn a_refusal_by_the_gateway_leads_to_on_error_too_and_its_failure_to_nothing() {
    let app = service().await;
    app.sandbox.script(Fault::Graph(131_051));

    app.sandbox.say(ANA, "a photo, please").await;
    app.until_replies(ANA, 2).await;
    settled(&app).await;
    let last = app.transcript(ANA).await.pop().unwrap();
    let answered = !is_unanswered(&app).await;
    app.accept(&failed(last.wamid.as_ref().unwrap(), 131_051))
        .await;
    settled(&app).await;

    assert_eq!(last.text, IN_PLACE);
    assert!(answered);
    assert_eq!(app.replies(ANA).len(), 2, "the second photo and the text");
    assert!(is_unanswered(&app).await, "the replacement failed");
}

#[tokio::test]
async fn nothing_is_sent_where_it_would_not_arrive_or_is_not_wanted() {
    for (code, then, reason) in [
        (130_403, None, "nothing reaches the contact"),
        (131_042, None, "the account cannot send"),
        (131_016, None, "the cause is not the message"),
        (131_047, None, "WhatsApp takes only templates"),
        (131_053, Some("stop"), "the contact has opted out"),
        (
            131_053,
            Some("hello"),
            "something was sent to the contact since",
        ),
    ] {
        let app = service().await;
        let wamids = photos(&app).await;
        if let Some(text) = then {
            app.sandbox.say(ANA, text).await;
            app.until_replies(ANA, 3).await;
            app.drained().await;
        }
        let before = app.replies(ANA).len();

        app.accept(&failed(&wamids[0], code)).await;
        settled(&app).await;

        let shown = event(&app).await.unwrap();
        let not_sent = "`photo`: its reply failed, and `on_error` was not sent: ";
        assert_contains(&shown, &format!("{not_sent}{reason}"));
        assert_eq!(app.replies(ANA).len(), before, "{code}");
    }
}

#[tokio::test]
async fn a_message_that_an_operator_dropped_is_not_replaced() {
    let app = service().await;
    app.sandbox.script(Fault::Graph(131_031));
    app.sandbox.say(ANA, "a photo, please").await;
    let row = app.until("a failed attempt", |store| async move {
        let rows = store.list_outbox(None, 10).await.unwrap();
        rows.into_iter().find(|row| row.attempts > 0)
    });
    let id = row.await.id;

    let dropped = app
        .looks_back(&format!("outbox drop {id} --yes"))
        .await
        .to_string();
    let waits = app.store().has_failed_replies().await.unwrap();

    assert_contains(&dropped, "dropped");
    assert!(!waits);
}

/// A service that has fetched one template.
async fn with_template(category: &str) -> TestApp {
    let builder = TestApp::builder().rules(RULES).config(NUMBER);
    let mut app = builder.stopped().await;
    let shape = json!({
        "name": "weekend_offer", "language": "en_US", "status": "APPROVED", "category": category,
        "header": null, "body": [], "named": false, "buttons": [], "cards": 0,
    });
    let file = json!({ "synced_at": "2026-01-23T10:00:00Z", "templates": [shape] });
    app.write("templates.json", file.to_string());
    app.run().await;
    app
}

async fn last_answer(app: &TestApp, text: &str) -> String {
    let before = app.replies(ANA).len();
    app.sandbox.say(ANA, text).await;
    app.until_replies(ANA, before + 1).await.pop().unwrap()
}

#[tokio::test]
async fn a_marketing_template_does_not_go_to_a_contact_who_stopped_marketing() {
    let app = with_template("MARKETING").await;

    let first = last_answer(&app, "an offer?").await;
    app.accept(&bodies::marketing_stop(ANA)).await;
    let stopped = last_answer(&app, "an offer?").await;
    let why = app.transcript(ANA).await;
    let why = why.iter().rfind(|it| it.direction == "in").unwrap();
    let resume = bodies::marketing_stop(ANA).replace("\"stop\"", "\"resume\"");
    app.accept(&resume).await;
    let resumed = last_answer(&app, "an offer?").await;

    assert_contains(&first, "[template] weekend_offer");
    assert_eq!(stopped, "We have cakes today.");
    assert_contains(
        why.explanation.as_ref().unwrap(),
        "the template `weekend_offer` is marketing, which the contact has stopped (131050)",
    );
    assert_contains(&resumed, "[template] weekend_offer");
}

#[tokio::test]
async fn a_refusal_of_marketing_is_remembered_and_other_templates_still_go() {
    for category in ["MARKETING", "UTILITY"] {
        for by_receipt in [false, true] {
            let app = with_template(category).await;
            if by_receipt {
                last_answer(&app, "an offer?").await;
                app.drained().await;
                let sent = app.transcript(ANA).await.pop().unwrap().wamid.unwrap();
                app.accept(&failed(&sent, 131_050)).await;
                app.until_replies(ANA, 2).await;
            } else {
                app.sandbox.script(Fault::Graph(131_050));
                assert_eq!(last_answer(&app, "an offer?").await, "We have cakes today.");
            }
            settled(&app).await;

            let next = last_answer(&app, "an offer?").await;

            let wanted = match category {
                "MARKETING" => "We have cakes today.",
                _ => "[template] weekend_offer",
            };
            assert_contains(&next, wanted);
        }
    }
}

#[tokio::test]
async fn whether_on_error_may_go_to_the_contact_is_asked_when_the_reply_has_failed() {
    for stops in [false, true] {
        let app = with_template("MARKETING").await;
        last_answer(&app, "a cake").await;
        app.drained().await;
        let sent = app.transcript(ANA).await.pop().unwrap().wamid.unwrap();
        if stops {
            app.accept(&bodies::marketing_stop(ANA)).await;
        }

        app.accept(&failed(&sent, 131_053)).await;
        settled(&app).await;

        let event = event(&app).await.unwrap();
        let replies = app.replies(ANA);
        if stops {
            assert_contains(
                &event,
                "was not sent: the template `weekend_offer` is marketing",
            );
            assert_eq!(replies.len(), 1);
        } else {
            assert_contains(&event, "sends `on_error`");
            assert_eq!(replies[1], "[template] weekend_offer");
        }
    }
}
