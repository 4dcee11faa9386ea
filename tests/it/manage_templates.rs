//! `replyd templates` against the pretend WhatsApp: what it says, what it sends, what it leaves
//! behind.

use replyd::message::{HeaderShape, TemplateFile};
use serde_json::json;

use crate::support::commands::Bench;

const REMINDER: &str = r#"
name = "pickup_reminder"
language = "en_US"
category = "UTILITY"

[[components]]
type = "BODY"
text = "Hi {{1}}, your order waits for you."
example = { body_text = [["Ana"]] }

[[components]]
type = "BUTTONS"
buttons = [{ type = "QUICK_REPLY", text = "On my way" }]
"#;

#[tokio::test]
async fn templates_are_listed_and_filtered() {
    let bench = Bench::start().await;

    let said = bench
        .all(&[
            "templates list",
            "templates list --status rejected",
            "templates list --name cake --json",
            "templates list --name zebra",
            "templates list --status PAUSED --dry-run",
        ])
        .await;

    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn a_template_is_shown_as_a_phone_shows_it() {
    let bench = Bench::start().await;

    let said = bench
        .all(&[
            "templates show order_update",
            "templates show cake_ready --language en_US",
            "templates show weekend_offer",
            "templates show you_have_won",
        ])
        .await;

    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn a_template_that_is_not_there_is_told_with_what_is() {
    let bench = Bench::start().await;

    let said = bench
        .all(&[
            "templates show order",
            "templates show order_update --language de",
            "templates delete order --yes",
        ])
        .await;

    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn control_characters_of_a_template_do_not_reach_the_terminal() {
    let bench = Bench::start().await;
    bench.sandbox.prepare(|account| {
        account.templates[0]["components"][1]["text"] = json!("a\u{1b}[31mb\u{202e}c");
        account.templates[0]["status"] = json!("\u{1b}[2J\nAPPROVED");
    });

    // The runner fails on an escape code.
    let said = bench
        .all(&["templates show order_update", "templates list"])
        .await;

    assert!(said.contains("a␛[31mb<U+202E>c"), "{said}");
}

#[tokio::test]
async fn a_template_is_created_once() {
    let bench = Bench::start().await;
    bench.write("reminder.toml", REMINDER);

    let said = bench
        .all(&[
            "templates create reminder.toml --dry-run",
            "templates create reminder.toml",
            "templates create reminder.toml",
            "templates show pickup_reminder",
        ])
        .await;

    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn what_is_wrong_with_a_template_is_told_at_once_and_nothing_is_sent() {
    let bench = Bench::start().await;
    let wrong = REMINDER
        .replace("pickup_reminder", "Pickup Reminder")
        .replace("Hi {{1}},", "{{1}},")
        .replace("[[\"Ana\"]]", "[]")
        .replace("On my way", "I am on my way and will be there soon");
    bench.write("wrong.toml", &wrong);
    bench.write("broken.toml", "name = ");
    bench.write("broken.json", "{");

    let said = bench
        .all(&[
            "templates create wrong.toml",
            "templates create broken.toml",
            "templates create broken.json",
            "templates create missing.toml",
        ])
        .await;

    insta::assert_snapshot!(said);
    assert_eq!(bench.calls(), Vec::<String>::new());
}

#[tokio::test]
async fn deleting_is_confirmed_and_says_what_it_means() {
    let bench = Bench::start().await;

    let said = bench
        .all(&[
            "templates delete weekend_offer",
            "templates delete weekend_offer --dry-run",
            "templates delete weekend_offer --id 700100003 --yes",
            "templates delete order_update --yes --json",
        ])
        .await;

    insta::assert_snapshot!(said);
    let left = bench.sandbox.look(|state| state.account.templates.len());
    assert_eq!(left, 2);
    assert_eq!(
        bench.calls(),
        [
            "DELETE /v23.0/102290129340398/message_templates?hsm_id=700100003&name=weekend_offer",
            "DELETE /v23.0/102290129340398/message_templates?name=order_update",
        ]
    );
}

#[tokio::test]
async fn a_long_list_is_read_to_its_end_by_cursors() {
    let bench = Bench::start().await;
    bench.sandbox.prepare(|account| {
        let template = account.templates[0].clone();
        account.templates.resize(124, template);
    });

    let said = bench.replyd("templates list --json").await;

    let rows = said.lines().filter(|line| line.starts_with('{')).count();
    assert_eq!(rows, 124);
    let calls = bench.calls();
    let cursors = calls
        .iter()
        .map(|call| call.split_once("&after=").map(|(_, cursor)| cursor));
    assert_eq!(
        cursors.collect::<Vec<_>>(),
        [None, Some("row50"), Some("row100")]
    );
    assert!(
        !said.contains("sandbox-token"),
        "`next` holds a token: {said}"
    );
}

#[tokio::test]
async fn sync_writes_what_rules_need_beside_them() {
    let bench = Bench::start().await;

    let said = bench
        .all(&[
            "templates sync --dry-run",
            "templates sync",
            "templates sync --json",
        ])
        .await;

    let folder = bench.path("");
    let said = said.replace(folder.to_str().unwrap(), "");
    insta::assert_snapshot!(said);
    let text = bench.read("templates.json");
    let file: TemplateFile = serde_json::from_str(&text).unwrap();
    assert!(file.synced_at.ends_with('Z'), "{}", file.synced_at);
    insta::assert_snapshot!("templates.json", text.replace(&file.synced_at, "TIME"));
    let cake = &file.templates[0];
    assert_eq!((cake.name.as_str(), cake.named), ("cake_ready", true));
    assert_eq!(
        (&cake.header, &cake.body[..]),
        (
            &Some(HeaderShape::Image),
            &["name".to_owned(), "day".to_owned()][..]
        )
    );
}

#[tokio::test]
async fn a_sync_that_fails_leaves_the_file_that_was_there() {
    let bench = Bench::start().await;
    bench.write("templates.json", "the old one");
    bench.configure("maton", "another-key");

    let said = bench.replyd("templates sync").await;

    assert!(said.ends_with("--- exit 1\n"), "{said}");
    assert_eq!(bench.read("templates.json"), "the old one");
    let names: Vec<_> = std::fs::read_dir(bench.path("")).unwrap().collect();
    assert_eq!(names.len(), 2, "{names:?}");
}
