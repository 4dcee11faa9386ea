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
        (&format!("{ANA} below --image cake.jpg"), "image"),
        (&format!("{ANA} --video {link}"), "video"),
        (&format!("{ANA} --audio {link} --voice"), "audio"),
        (
            &format!("{ANA} --document cake.jpg --filename Cake.jpg"),
            "document",
        ),
        (&format!("{ANA} --sticker {link}"), "sticker"),
        (
            &format!("{ANA} --location -23.5,46.6 --place Shop"),
            "location",
        ),
        (
            &format!("{ANA} --contact Luna --phone +15550001111"),
            "contacts",
        ),
        (
            &format!("{ANA} --template order_update --language en_US --value Ana --value 4711"),
            "template",
        ),
        (&format!("{ANA} --reply list.toml"), "interactive"),
        ("BR.8801 'to a user id'", "text"),
        (
            &format!("{ANA} quoting --quote wamid.OLD= --preview"),
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
            "send 15550000001",
            &format!("send 15550000001 {long}"),
            "send 'a phone' Hello",
            "send 15550000001 --image notes.txt",
            "send 15550000001 --location here",
            "send 15550000001 --contact ''",
            "send 15550000001 --reply reply.toml",
            "send 15550000001 Hello --location 1,2",
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
        "send 15550000001 Hello --dry-run",
        "send 15550000001 --image cake.jpg --dry-run",
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
        ("send 15550000001 Hello", None),
        ("send 15550000001 Hello --json", None),
        ("send 15550000001 Hello", Some(Fault::Graph(131_026))),
        ("send 15550000001 Hello", Some(Fault::TooMany(3))),
        ("send 15550000001 Hello", Some(Fault::LostAnswer)),
        ("send 15550000001 Hello --number 999", None),
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
