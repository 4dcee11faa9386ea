//! `replyd send`, `read` and `events` as an owner uses them, against the sandbox.

use replyd::sandbox::{Fault, webhooks};
use serde_json::{Value, json};

use crate::media::JPEG;
use crate::support::run::replyd;
use crate::support::test_cli::TestCli;
use crate::support::{ANA, NUMBER, TestApp, assert_contains, bodies, folder_with};

/// The text with `wamid.ID` in place of ids that differ from run to run.
fn redacted(text: &str) -> String {
    let id = regex::Regex::new("wamid[.]BUSINESS[[:alnum:]]*").unwrap();
    id.replace_all(text, "wamid.ID").into_owned()
}

/// A file as `templates sync` writes it, with one template.
fn template_file(shape: &Value) -> String {
    json!({ "synced_at": "2026-11-23T10:00:00Z", "templates": [shape] }).to_string()
}

#[tokio::test]
async fn each_kind_of_message_is_sent_as_meta_wants_it() {
    let cli = TestCli::with_graph().await;
    cli.write("cake.jpg", JPEG);
    cli.write(
        "list.toml",
        "text = \"Choose\"\n[list]\nbutton = \"Open\"\n[[list.sections]]\nrows = [{ id = \"a\", title = \"A\" }]\n",
    );
    let link = "https://a.example/x";
    let commands = [
        ("'+1 555 000-0001' Hello", "text"),
        (
            "'00 44 (0) 20 7946 0958' 'a zero for calls at home'",
            "text",
        ),
        (&format!("+{ANA} below --image cake.jpg"), "image"),
        (&format!("+{ANA} --video {link}"), "video"),
        (&format!("+{ANA} --audio {link} --voice"), "audio"),
        (
            &format!("+{ANA} --document cake.jpg --filename Cake.jpg"),
            "document",
        ),
        (&format!("+{ANA} --sticker {link}"), "sticker"),
        (
            &format!("+{ANA} --location -23.5,46.6 --place Shop"),
            "location",
        ),
        (
            &format!("+{ANA} --contact Luna --phone '+1 555 000-1111'"),
            "contacts",
        ),
        (
            &format!("+{ANA} --contact Luna --phone '0171 2345678'"),
            "contacts",
        ),
        (
            &format!("+{ANA} --template order_update --language en_US --value Ana --value 4711"),
            "template",
        ),
        (&format!("+{ANA} --reply list.toml"), "interactive"),
        ("BR.8801 'to a user id'", "text"),
        (
            &format!("+{ANA} quoting --quote wamid.OLD= --preview"),
            "text",
        ),
    ];
    let mut sent = Vec::new();

    for (arguments, kind) in commands {
        cli.replyd(&format!("send {arguments}")).await.done();
        let body = cli.last_body();
        assert_eq!(body["type"], kind, "{arguments}");
        sent.push(format!("{} -> {body}", arguments.replace('\'', "")));
    }

    insta::assert_snapshot!("sent", sent.join("\n"));
}

#[tokio::test]
async fn messages_that_whatsapp_would_refuse_are_not_sent() {
    let cli = TestCli::with_graph().await;
    cli.write("notes.txt", "not a picture");
    cli.write(
        "reply.toml",
        "text = \"Hi {{ contact.name }}\"\nbuttns = []\n",
    );
    let long = "x".repeat(4097);

    let session = cli
        .session(&[
            "send +15550000001",
            &format!("send +15550000001 {long}"),
            "send 'a phone' Hello",
            "send 4155551212 Hello",
            "send '0171 2345678' Hello",
            "send '+34 600 000 0000' Hello",
            "send +99912345678 Hello",
            "send +15550000001 --image notes.txt",
            "send +15550000001 --location here",
            "send +15550000001 --contact ''",
            "send +15550000001 --reply reply.toml",
            "send +15550000001 Hello --location 1,2",
        ])
        .await;

    insta::assert_snapshot!("refused", session.replace(&long, "LONG"));
    assert_eq!(cli.requests(), 0);
}

#[tokio::test]
async fn a_dry_run_shows_the_exact_request_and_sends_nothing() {
    let cli = TestCli::with_graph().await;
    cli.write("cake.jpg", JPEG);

    let session = cli.session(&[
        "send +15550000001 Hello --dry-run",
        "send +15550000001 --image cake.jpg --dry-run",
        "read wamid.A= --typing --dry-run",
    ]);

    insta::assert_snapshot!("dry_run", session.await);
    assert_eq!(cli.requests(), 0);
}

#[tokio::test]
async fn the_id_or_the_reason_is_shown_as_text_and_as_json() {
    let cli = TestCli::with_graph().await;
    let mut shown = Vec::new();

    for (line, fault) in [
        ("send +15550000001 Hello", None),
        ("send +15550000001 Hello --json", None),
        ("send +15550000001 Hello", Some(Fault::Graph(131_026))),
        ("send +15550000001 Hello", Some(Fault::TooMany(3))),
        ("send +15550000001 Hello", Some(Fault::LostAnswer)),
        ("send +15550000001 Hello --number 999", None),
        ("read wamid.UNKNOWN", None),
    ] {
        if let Some(fault) = fault {
            cli.sandbox.script(fault);
        }
        shown.push(cli.replyd(line).await.to_string());
    }

    insta::assert_snapshot!("told", redacted(&shown.join("\n")));
}

/// A running service with a number to send from, whose account is not configured.
async fn service() -> TestApp {
    let number = "[[number]]\nphone_number_id = \"106540000000001\"\n";
    TestApp::builder().config(number).start().await
}

#[tokio::test]
async fn a_message_sent_by_hand_stands_in_the_history_with_its_receipts() {
    let app = service().await;
    app.sandbox.say(ANA, "is anybody there?").await;
    app.drained().await;

    app.replyd("send 15550000001 'yes, me'").await.done();

    let messages = app.until_read(ANA).await;
    let last = messages.last().unwrap();
    let (text, origin) = (last.text.as_str(), last.origin.as_str());
    assert_eq!((text, origin), ("yes, me", "operator"));
    let history = app.replyd("history 15550000001").await;
    assert_contains(&history.stdout, "by hand · ✓✓ read");
}

#[tokio::test]
async fn a_file_is_uploaded_once_and_its_id_is_remembered() {
    let app = service().await;
    app.sandbox.say(ANA, "show me").await;
    app.drained().await;
    app.write("cake.jpg", JPEG);

    app.replyd("send 15550000001 --image cake.jpg").await.done();
    let again = app.replyd("send 15550000001 --image cake.jpg").await;

    assert_contains(&again.done(), "uploaded before, as 900200");
    let accepted = app.accepted();
    let images = accepted.iter().filter(|body| body["type"] == "image");
    let ids: Vec<_> = images.map(|body| &body["image"]["id"]).collect();
    assert_eq!(ids, ["900200", "900200"]);
}

#[tokio::test]
async fn a_contact_who_stopped_marketing_or_was_silent_for_a_day_is_sent_nothing() {
    let app = service().await;
    let shape = json!({ "name": "sale", "language": "en", "status": "APPROVED", "category": "MARKETING",
        "header": null, "body": [], "named": false, "buttons": [], "cards": 0 });
    app.write("templates.json", template_file(&shape));
    let mut old = bodies::text(ANA, "wamid.OLD", "long ago");
    old["timestamp"] = json!("1767000000");
    app.accept(&bodies::with_messages(&[old])).await;
    app.accept(&bodies::marketing_stop(ANA)).await;

    // The copy of the templates stands beside the rules, wherever the command runs.
    let elsewhere = folder_with(&[]);
    let config = format!("--config '{}'", app.path("replyd.toml").display());
    let send = async |what| {
        let line = format!("send 15550000001 {what} {config}");
        replyd(elsewhere.path(), &line).await.refused()
    };
    let text = send("Hello").await;
    let template = send("--template sale --language en").await;

    assert_contains(&text, "not written in the last 24 hours");
    assert_contains(&template, "opted out of marketing messages");
    assert_eq!(app.accepted().len(), 0);
}

/// End of Ana's window, as `history --json` shows it.
async fn window_open_until(app: &TestApp) -> Option<jiff::Timestamp> {
    let conversations = app.store().conversations(Some(ANA), 1).await;
    conversations.unwrap()[0].window_open_until
}

/// A receipt for a message of ours that WhatsApp refused because of the closed window.
fn refused_as_late(wamid: &str, seconds: i64) -> String {
    let status = json!({ "id": wamid, "status": "failed", "timestamp": seconds.to_string(),
        "recipient_id": ANA, "errors": [{ "code": 131_047, "title": "Re-engagement message" }] });
    bodies::with_parts("messages", json!({ "statuses": [status] }))
}

#[tokio::test]
async fn a_contact_who_never_wrote_is_tried_until_whatsapp_refuses() {
    let app = service().await;

    app.replyd(&format!("send +{ANA} Hello")).await.done();
    app.replyd(&format!("send {ANA} 'Are you there?'"))
        .await
        .done();
    let before = window_open_until(&app).await;
    let wamid = app.transcript(ANA).await[1].wamid.clone().unwrap();
    let now = app.clock.now().as_second();
    app.accept(&refused_as_late(&wamid, now)).await;
    let refused = app.replyd(&format!("send {ANA} Hello?")).await.refused();
    app.accept(&bodies::with_text(ANA, "wamid.BACK", "here I am"))
        .await;
    app.drained().await;
    // Meta repeats receipts.
    app.accept(&refused_as_late(&wamid, now - 1)).await;
    let after = app.replyd(&format!("send {ANA} Hello!")).await;

    assert_eq!(before, None);
    assert_contains(&refused, "WhatsApp refused the last message (131047)");
    after.done();
}

#[tokio::test]
async fn a_refusal_in_the_gateways_answer_is_remembered_too() {
    let app = service().await;
    app.sandbox.script(Fault::Graph(131_047));

    let first = app.replyd(&format!("send +{ANA} Hello")).await.refused();
    let second = app.replyd(&format!("send {ANA} Hello")).await.refused();
    let line =
        format!("send {ANA} --template order_update --language en_US --value Ana --value 4711");
    let template = app.replyd(&line);

    assert_contains(&first, "131047");
    assert_contains(&second, "WhatsApp refused the last message (131047)");
    template.await.done();
}

#[tokio::test]
async fn a_time_ahead_of_our_clock_counts_as_now() {
    let app = service().await;
    let mut early = bodies::text(ANA, "wamid.EARLY", "from the future");
    early["timestamp"] = json!("4000000000");

    app.accept(&bodies::with_messages(&[early])).await;

    let window = window_open_until(&app).await.unwrap();
    let day = jiff::SignedDuration::from_hours(24);
    assert!(window <= app.clock.now() + day, "{window}");
}

#[tokio::test]
async fn a_contact_is_looked_up_by_the_number_in_every_usual_spelling() {
    let app = service().await;
    let phone = "447911123456";
    app.accept(&bodies::with_text(phone, "wamid.GB", "hello"))
        .await;

    for written in [
        phone,
        "+44 (0) 7911 123456",
        "0044 7911 123456",
        "07911 123456",
    ] {
        let history = app.replyd(&format!("history '{written}'")).await;
        assert_contains(&history.done(), "hello");
    }
    app.replyd(&format!("send {phone} Hello")).await.done();
    let national = app.replyd("send '07911 123456' Hello").await;
    assert_contains(&national.refused(), "the phone number has no country code");
}

#[tokio::test]
async fn a_colleagues_message_from_the_phone_app_was_sent() {
    let app = service().await;
    app.accept(&bodies::with_text(ANA, "wamid.ASKS", "hello?"))
        .await;
    let echo = json!({ "from": "15550001111", "to": ANA, "id": "wamid.ECHO",
        "timestamp": app.clock.now().as_second().to_string(),
        "type": "text", "text": { "body": "from my phone" } });
    let echoes = json!({ "message_echoes": [echo] });
    app.accept(&bodies::with_parts("smb_message_echoes", echoes))
        .await;

    let history = app.replyd(&format!("history {ANA}")).await.done();

    assert_contains(&history, "a colleague, in the phone app · ✓ sent");
}

#[tokio::test]
async fn receipts_that_come_before_their_message_count_once_it_is_known() {
    let app = service().await;
    let receipt = |status: &str| {
        let seconds = app.clock.now().as_second().to_string();
        let receipt = json!({ "id": "wamid.ECHO", "status": status, "recipient_id": ANA,
            "timestamp": seconds });
        bodies::with_parts("messages", json!({ "statuses": [receipt] }))
    };
    let echo = json!({ "from": "15550001111", "to": ANA, "id": "wamid.ECHO",
        "timestamp": app.clock.now().as_second().to_string(),
        "type": "text", "text": { "body": "from my phone" } });
    let echoes = bodies::with_parts("smb_message_echoes", json!({ "message_echoes": [echo] }));

    app.accept(&receipt("delivered")).await;
    app.accept(&echoes).await;
    let early = app.transcript(ANA).await.pop().unwrap().delivery_status;
    app.accept(&receipt("delivered")).await;
    app.accept(&receipt("failed")).await;
    let late = app.transcript(ANA).await.pop().unwrap().delivery_status;

    assert_eq!(early.as_deref(), Some("delivered"));
    assert_eq!(late.as_deref(), Some("failed"));
    let stored = app.number("SELECT count(*) FROM receipts").await;
    assert_eq!(stored, 2, "each step is stored once");
}

#[tokio::test]
async fn a_read_mark_by_hand_is_seen_on_the_phone() {
    let rules = "version = 1\n[bot]\nmark_read = false\n[[rule]]\nid = \"quiet\"\n";
    let app = TestApp::builder().rules(rules).config(NUMBER).start().await;
    let wamid = app.sandbox.say(ANA, "seen?").await;

    let elsewhere = folder_with(&[]);
    let config = app.path("replyd.toml");
    let line = format!("read {} --config '{}'", wamid.as_str(), config.display());
    let run = replyd(elsewhere.path(), &line).await;

    assert_contains(&run.done(), "marked read");
    assert!(app.sandbox.look(|state| state.screens[ANA][0].read));
}

#[tokio::test]
async fn news_of_the_account_is_listed_as_text_and_as_json() {
    let app = service().await;
    let news = json!({ "event": "REJECTED", "message_template_id": 7, "message_template_name": "order_ok",
        "message_template_language": "en-US", "reason": "INVALID_FORMAT" });
    let field = "message_template_status_update";
    app.accept(&webhooks::body(field, &news)).await;
    let call = json!({ "calls": [{ "event": "connect" }] });
    app.accept(&bodies::with_parts("calls", call)).await;

    let text = app.replyd("events").await.done();
    let json_lines = app.replyd(&format!("events --field {field} --json")).await;

    assert_contains(&text, "template order_ok (en_US): REJECTED, INVALID_FORMAT");
    assert_contains(&text, "call connect");
    let event: Value = serde_json::from_str(&json_lines.stdout).unwrap();
    assert_eq!(event["raw"], news);
    assert_eq!(app.number("SELECT count(*) FROM account_events").await, 2);
}

#[tokio::test]
async fn a_template_is_held_against_the_fetched_one_before_it_is_sent() {
    let cli = TestCli::with_graph().await;
    let shape = json!({ "name": "order_update", "language": "en_US", "status": "APPROVED", "category": "UTILITY",
        "header": null, "body": ["1", "2"], "named": false, "cards": 0,
        "buttons": [{ "kind": "url", "text": "Track it", "needs_value": true }] });
    cli.write("templates.json", template_file(&shape));

    let line = "send 15550000001 --template order_update --language en_US --value Ana";
    let shown = cli.replyd(line).await.to_string();

    assert_contains(
        &shown,
        "the text of the template takes 2 values, and gets 1",
    );
    assert_contains(&shown, "button 1 (\"Track it\") needs a value");
    assert_eq!(cli.requests(), 0);
}

#[tokio::test]
async fn the_header_of_a_template_is_a_text_a_named_value_or_a_link() {
    let cli = TestCli::with_graph().await;
    let parameter = async |header: &str| {
        let line =
            format!("send +15550000001 --template t --language en --dry-run --header '{header}'");
        let shown = cli.replyd(&line).await.done();
        let body: Value = serde_json::from_str(&shown[shown.find('{').unwrap()..]).unwrap();
        body["template"]["components"][0]["parameters"][0].clone()
    };

    for (header, expected) in [
        (
            "Hello\tthere   Ana",
            json!({ "type": "text", "text": "Hello there Ana" }),
        ),
        (
            "customer=Ana",
            json!({ "type": "text", "parameter_name": "customer", "text": "Ana" }),
        ),
        (
            "page=https://a.example",
            json!({ "type": "text", "parameter_name": "page", "text": "https://a.example" }),
        ),
        (
            "See https://a.example",
            json!({ "type": "text", "text": "See https://a.example" }),
        ),
        (
            "https://a.example/h.jpg",
            json!({ "type": "image", "image": { "link": "https://a.example/h.jpg" } }),
        ),
    ] {
        assert_eq!(parameter(header).await, expected, "{header}");
    }
}

#[tokio::test]
async fn a_one_time_code_goes_to_phone_numbers_only() {
    let cli = TestCli::with_graph().await;
    let shape = json!({ "name": "sign_in", "language": "en", "status": "APPROVED", "category": "AUTHENTICATION",
        "header": null, "body": ["1"], "named": false, "cards": 0,
        "buttons": [{ "kind": "otp", "text": "Copy", "needs_value": true }] });
    cli.write("templates.json", template_file(&shape));
    let code = "template = { name = \"sign_in\", language = \"en\", body = [\"47\"], buttons = [{ code = \"47\" }] }";
    cli.write("code.toml", code);

    let refused = cli.replyd("send DE.1234567 --reply code.toml").await;
    let shown = cli
        .replyd("send +15550000001 --reply code.toml --dry-run")
        .await;

    assert_contains(
        &refused.refused(),
        "one-time codes to phone numbers only (131062)",
    );
    assert_contains(&shown.done(), "\"sub_type\": \"url\"");
    assert_eq!(cli.requests(), 0);
}
