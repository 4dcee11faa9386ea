//! Conversations from end to end: signed webhooks in, replies on the phone, history in the
//! database.

use replyd::sandbox::{Receipts, State};
use serde_json::json;

use crate::support::{ANA, BO, ECHO, TestApp, bodies, texts};

const BAKERY: &str = include_str!("../../examples/bakery.toml");

#[tokio::test]
async fn a_contact_orders_a_cake_by_text_button_and_list() {
    let app = TestApp::start(BAKERY).await;

    app.sandbox.say(ANA, "hello").await;
    app.until_option(ANA, "order").await;
    app.sandbox.tap(ANA, "order").await;
    app.until_option(ANA, "cake-plum").await;
    let last = app.sandbox.tap(ANA, "cake-plum").await;
    app.until_replies(ANA, 3).await;
    app.drained().await;
    let messages = app.until_read(ANA).await;

    let replies = app.replies(ANA);
    assert!(replies[0].starts_with("Hi Ana!"), "{replies:?}");
    let choice = "Plum tray, a good choice!";
    assert!(replies[2].starts_with(choice), "{replies:?}");
    let newest = |state: &State| state.marked().last().map(str::to_owned);
    let marked = app.sandbox.look(newest);
    assert_eq!(marked.as_deref(), Some(last.as_str()), "the newest");
    let inbound = ["hello", "[Order a cake]", "[Plum tray]"];
    assert_eq!(texts(&messages, "in"), inbound);
    let buttons = "[Order a cake] [Opening hours] [Talk to us]";
    assert!(texts(&messages, "out")[0].ends_with(buttons));
    let rules = messages
        .iter()
        .filter_map(|message| message.rule.as_deref());
    let rules: Vec<_> = rules.collect();
    assert_eq!(rules, ["menu", "order", "cake-chosen"]);
    assert_eq!(app.decisions(ANA).await, ["answered"; 3]);
}

#[tokio::test]
async fn messages_without_an_answer_are_marked_once_each() {
    let rules = "version = 1\n[[rule]]\nid = \"never\"\nwhen.text.is = \"never said\"\n";
    let app = TestApp::start(rules).await;

    let mut said = Vec::new();
    for phone in [ANA, BO] {
        said.push(app.sandbox.say(phone, "hello").await.as_str().to_owned());
        app.drained().await;
    }

    let of_state = |state: &State| state.marked().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(app.sandbox.look(of_state), said);
    assert_eq!(app.requests(), 2, "nothing else was sent");
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
async fn a_contact_without_a_phone_is_answered_by_user_id() {
    let app = TestApp::start(BAKERY).await;
    let mut message = bodies::text("", "wamid.HIDDEN", "hello");
    message["from_user_id"] = json!("US.1234567890");
    let contacts = json!([{ "profile": { "name": "Bo" }, "user_id": "US.1234567890" }]);
    let parts = json!({ "contacts": contacts, "messages": [message] });

    app.accept(&bodies::with_parts("messages", parts)).await;
    let body = app.sandbox.wait_for("a reply", |state| {
        state.accepted().next().map(|request| request.body.clone())
    });
    let body = body.await;

    assert_eq!(body["recipient"], "US.1234567890");
    let why = "an empty `to` would never arrive";
    assert!(body.get("to").is_none(), "{why}: {body}");
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
    app.until_option(ANA, "more").await;
    app.restart().await;
    app.sandbox.tap(ANA, "more").await;
    app.until_replies(ANA, 2).await;
    app.restart().await;
    app.sandbox.tap(ANA, "more").await;
    app.until_replies(ANA, 3).await;

    let expected = ["Welcome!", "There is more.", "We know each other."];
    assert_eq!(app.replies(ANA), expected);
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

    app.accept(&bodies::with_messages(&messages)).await;

    let stored = app.transcript(ANA).await;
    let names: Vec<_> = stored.iter().map(|message| message.kind.as_str()).collect();
    assert_eq!(names, kinds.map(|(name, _)| name));
    let decided = app.decisions(ANA).await.len();
    assert_eq!(decided, stored.len(), "each has exactly one decision");
}

#[tokio::test]
async fn only_messages_are_answered_and_no_other_updates() {
    let app = TestApp::start(ECHO).await;
    let text = bodies::text(ANA, "wamid.ECHO", "typed in the shop's phone");
    let echo = json!({ "message_echoes": [text] });
    let thread = json!({ "id": ANA, "messages": [bodies::text(ANA, "wamid.OLD", "old")] });
    let history = json!({ "history": [{ "threads": [thread] }] });
    let mut group = bodies::text(ANA, "wamid.GROUP", "in a group");
    group["group_id"] = json!("Y2Fw");

    for (field, parts) in [
        ("smb_message_echoes", echo.clone()),
        ("history", history),
        ("calls", echo),
    ] {
        app.accept(&bodies::with_parts(field, parts)).await;
    }
    app.accept(&bodies::with_messages(&[group])).await;
    app.accept(&bodies::with_text(ANA, "wamid.1", "hi")).await;
    app.until_replies(ANA, 1).await;
    app.drained().await;

    let messages = app.transcript(ANA).await;
    assert_eq!(
        texts(&messages, "in"),
        ["hi"],
        "the others are kept elsewhere"
    );
    assert_eq!(app.accepted().len(), 1);
}

#[tokio::test]
async fn a_backlog_from_a_downtime_is_stored_and_not_answered() {
    let app = TestApp::start(ECHO).await;
    let old = bodies::old_text(ANA, "wamid.OLD", "are you there?", 3_600);

    app.accept(&bodies::with_messages(&[old])).await;

    assert_eq!(app.decisions(ANA).await, ["too_old"]);
    assert_eq!(app.store().count_unsent().await.unwrap(), 0);
}

#[tokio::test]
async fn receipts_that_are_early_doubled_or_reversed_end_the_same() {
    for receipts in [Receipts::Early, Receipts::Doubled, Receipts::Reversed] {
        let app = TestApp::builder().receipts(receipts).start().await;

        app.sandbox.say(ANA, "hello").await;
        let messages = app.until_transcript("a reply that was read", ANA, |messages| {
            let mut statuses = messages
                .iter()
                .map(|message| message.delivery_status.as_deref());
            let is_read = statuses.any(|status| status == Some("read"));
            is_read.then_some(messages)
        });
        let messages = messages.await;
        app.drained().await;

        assert_eq!(texts(&messages, "out"), ["you said hello"], "{receipts:?}");
        assert_eq!(app.accepted().len(), 1, "{receipts:?}");
    }
}
