//! Conversations from end to end: signed webhooks in, replies on the phone, history in the
//! database.

use replyd::clock::Clock;
use replyd::sandbox::{Receipts, webhooks};
use serde_json::json;

use crate::support::{ANA, NUMBERS, Options, TestApp, bodies, texts};

const BAKERY: &str = include_str!("../../examples/bakery.toml");

#[tokio::test]
async fn a_person_orders_a_cake_by_text_button_and_list() {
    let app = TestApp::start(BAKERY).await;

    app.sandbox.say(ANA, "hello").await;
    app.sandbox
        .wait_for("buttons", |state| state.option(ANA, "order").cloned())
        .await;
    app.sandbox.tap(ANA, "order").await;
    app.sandbox
        .wait_for("a list", |state| state.option(ANA, "cake-plum").cloned())
        .await;
    let last = app.sandbox.tap(ANA, "cake-plum").await;
    app.sandbox
        .wait_for("the answer", |state| state.replies(ANA).get(2).map(|_| ()))
        .await;
    app.drained().await;
    let entries = app.all_read(ANA).await;

    let replies = app.sandbox.look(|state| {
        state
            .replies(ANA)
            .iter()
            .map(|text| (*text).to_owned())
            .collect::<Vec<_>>()
    });
    assert!(replies[0].starts_with("Hi Ana!"), "{replies:?}");
    assert!(
        replies[2].starts_with("Plum tray, a good choice!"),
        "{replies:?}"
    );
    let marked = app
        .sandbox
        .look(|state| state.marked().map(str::to_owned).collect::<Vec<_>>());
    assert_eq!(
        marked.last().map(String::as_str),
        Some(last.as_str()),
        "the newest is marked"
    );
    assert_eq!(
        texts(&entries, "in"),
        ["hello", "[Order a cake]", "[Plum tray]"]
    );
    assert!(texts(&entries, "out")[0].ends_with("[Order a cake] [Opening hours] [Talk to us]"));
    let rules: Vec<_> = entries
        .iter()
        .filter_map(|entry| entry.rule.as_deref())
        .collect();
    assert_eq!(rules, ["menu", "order", "cake-chosen"]);
    let decisions: Vec<_> = entries
        .iter()
        .filter_map(|entry| entry.decision.as_deref())
        .collect();
    assert_eq!(decisions, ["answered"; 3]);
}

#[tokio::test]
async fn the_typing_indicator_comes_before_the_reply_it_announces() {
    let app = TestApp::start(BAKERY).await;

    app.sandbox.say(ANA, "hello").await;
    app.sandbox
        .wait_for("reply and mark", |state| state.requests.get(1).map(|_| ()))
        .await;

    let kinds = app.sandbox.look(|state| {
        let shown = state.requests.iter().map(|request| {
            (
                request.body["status"] == "read",
                request.body["typing_indicator"]["type"].clone(),
            )
        });
        shown.collect::<Vec<_>>()
    });
    assert_eq!(kinds, [(true, json!("text")), (false, json!(null))]);
}

#[tokio::test]
async fn a_person_who_hides_the_phone_is_answered_by_user_id() {
    let app = TestApp::start(BAKERY).await;
    let mut message = bodies::text("", "wamid.HIDDEN", "hello");
    message["from_user_id"] = json!("US.1234567890");
    let contacts = json!([{ "profile": { "name": "Bo" }, "user_id": "US.1234567890" }]);
    let parts = json!({ "contacts": contacts, "messages": [message] });
    let value = webhooks::messages_value(NUMBERS[0], parts);

    assert_eq!(app.post(&bodies::of_value(&value)).await, 200);
    let body = app.sandbox.wait_for("a reply", |state| {
        state.accepted().next().map(|request| request.body.clone())
    });
    let body = body.await;

    assert_eq!(body["recipient"], "US.1234567890");
    assert!(
        body.get("to").is_none(),
        "an empty `to` would never arrive: {body}"
    );
}

#[tokio::test]
async fn a_conversation_goes_on_after_a_restart() {
    let mut app = TestApp::start(
        r#"
version = 1
[[rule]]
id = "welcome"
when.first_contact = true
reply = { text = "Welcome!", buttons = [ { id = "more", title = "More" } ] }
[[rule]]
id = "more"
when.button = "more"
once = "1h"
reply = "There is more."
[[rule]]
id = "again"
reply = "We know each other."
"#,
    )
    .await;

    app.sandbox.say(ANA, "hello").await;
    app.sandbox
        .wait_for("buttons", |state| state.option(ANA, "more").cloned())
        .await;
    app.restart().await;
    app.sandbox.tap(ANA, "more").await;
    app.sandbox
        .wait_for("a reply", |state| state.replies(ANA).get(1).map(|_| ()))
        .await;
    app.restart().await;
    app.sandbox.tap(ANA, "more").await;
    app.sandbox
        .wait_for("a reply", |state| state.replies(ANA).get(2).map(|_| ()))
        .await;

    let said = app.sandbox.look(|state| state.replies(ANA).join(" | "));
    assert_eq!(said, "Welcome! | There is more. | We know each other.");
}

#[tokio::test]
async fn every_kind_of_message_is_stored_under_its_name_and_with_its_json() {
    let app = TestApp::start("version = 1").await;
    let media = |kind: &str| json!({ "type": kind, kind: { "id": "900", "caption": "see" } });
    let voice = json!({ "type": "audio", "audio": { "id": "1", "voice": true } });
    let location = json!({ "type": "location", "location": { "latitude": 1.5, "longitude": 2 } });
    let reply = json!({ "type": "button_reply", "button_reply": { "id": "a", "title": "A" } });
    let contacts =
        json!({ "type": "contacts", "contacts": [{ "name": { "formatted_name": "Bo" } }] });
    let kinds = [
        ("text", json!({ "type": "text", "text": { "body": "x" } })),
        ("image", media("image")),
        ("video", media("video")),
        ("document", media("document")),
        ("sticker", media("sticker")),
        ("voice", voice),
        ("location", location),
        ("contacts", contacts),
        (
            "button_reply",
            json!({ "type": "interactive", "interactive": reply }),
        ),
        (
            "button",
            json!({ "type": "button", "button": { "payload": "STOP", "text": "Stop" } }),
        ),
        (
            "reaction",
            json!({ "type": "reaction", "reaction": { "message_id": "w", "emoji": "👍" } }),
        ),
        (
            "order",
            json!({ "type": "order", "order": { "catalog_id": "7", "product_items": [] } }),
        ),
        (
            "poll_of_the_future",
            json!({ "type": "poll_of_the_future" }),
        ),
    ];
    let messages: Vec<_> = kinds
        .iter()
        .map(|(name, content)| bodies::message(ANA, &format!("wamid.{name}"), content.clone()))
        .collect();

    assert_eq!(app.post(&bodies::of_messages(&messages)).await, 200);

    let stored = app.transcript(ANA).await;
    let names: Vec<_> = stored.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(names, kinds.map(|(name, _)| name));
    let decided = stored
        .iter()
        .filter(|entry| entry.decision.is_some())
        .count();
    assert_eq!(decided, stored.len(), "each has exactly one decision");
}

#[tokio::test]
async fn only_messages_are_answered_whatever_else_meta_tells() {
    let app = TestApp::start(crate::support::ECHO).await;
    let text = bodies::text(ANA, "wamid.ECHO", "typed in the shop's phone");
    let echo = webhooks::messages_value(NUMBERS[0], json!({ "message_echoes": [text] }));
    let thread = json!({ "id": ANA, "messages": [bodies::text(ANA, "wamid.OLD", "old")] });
    let history =
        webhooks::messages_value(NUMBERS[0], json!({ "history": [{ "threads": [thread] }] }));
    let mut group = bodies::text(ANA, "wamid.GROUP", "in a group");
    group["group_id"] = json!("Y2Fw");

    for (field, value) in [
        ("smb_message_echoes", &echo),
        ("history", &history),
        ("calls", &echo),
    ] {
        assert_eq!(app.post(&webhooks::body(field, value)).await, 200);
    }
    assert_eq!(app.post(&bodies::of_messages(&[group])).await, 200);
    assert_eq!(
        app.post(&bodies::of_messages(&[bodies::text(ANA, "wamid.1", "hi")]))
            .await,
        200
    );
    app.sandbox
        .wait_for("the one reply", |state| {
            state.replies(ANA).first().map(|_| ())
        })
        .await;
    app.drained().await;

    let entries = app.transcript(ANA).await;
    assert_eq!(
        texts(&entries, "in"),
        ["hi"],
        "the others are kept elsewhere"
    );
    assert_eq!(app.sandbox.look(|state| state.accepted().count()), 1);
}

#[tokio::test]
async fn a_backlog_from_a_downtime_is_stored_and_not_answered() {
    let app = TestApp::start(crate::support::ECHO).await;
    let mut old = bodies::text(ANA, "wamid.OLD", "are you there?");
    old["timestamp"] = json!((Clock::System.now().as_second() - 3600).to_string());

    assert_eq!(app.post(&bodies::of_messages(&[old])).await, 200);

    let entries = app.transcript(ANA).await;
    assert_eq!(entries[0].decision.as_deref(), Some("too_old"));
    assert_eq!(app.store().count_unsent().await.unwrap(), 0);
}

#[tokio::test]
async fn receipts_that_are_early_doubled_or_reversed_end_the_same() {
    for receipts in [Receipts::Early, Receipts::Doubled, Receipts::Reversed] {
        let app = TestApp::with(Options {
            receipts,
            ..Options::default()
        })
        .await;

        app.sandbox.say(ANA, "hello").await;
        let entries = app.until("a reply that was read", |store| async move {
            let entries = crate::support::transcript(&store, ANA).await;
            let read = |entry: &replyd::store::TranscriptMessage| {
                entry.delivery_status.as_deref() == Some("read")
            };
            entries.iter().any(read).then_some(entries)
        });
        let entries = entries.await;
        app.drained().await;

        assert_eq!(texts(&entries, "out"), ["you said hello"], "{receipts:?}");
        assert_eq!(
            app.sandbox.look(|state| state.accepted().count()),
            1,
            "{receipts:?}"
        );
    }
}
