//! Commands that manage the account, where more than their output counts; the sessions in
//! `tests/cases/commands` show the rest.

use std::os::unix::fs::PermissionsExt as _;

use replyd::message::{HeaderShape, TemplateFile};
use replyd::sandbox::WABA;
use serde_json::json;

use crate::support::test_cli::TestCli;
use crate::support::{API_KEY, assert_contains, names};

const ACTIVE: &str = "21fd90f9-0000-4000-8000-000000000001";

#[tokio::test]
async fn a_description_that_may_be_too_long_is_warned_of() {
    let cli = TestCli::new().await;

    let description = "x".repeat(300);
    let line = format!("profile update --description {description}");
    let output = cli.replyd(&line).await.done();

    assert_contains(&output, "warning: description: has 300 characters");
}

#[tokio::test]
async fn the_address_is_drawn_when_asked_for() {
    let cli = TestCli::new().await;

    let output = cli.replyd("connections create --qr").await.done();

    let drawn: Vec<&str> = output.lines().filter(|line| line.contains('█')).collect();
    // 33 modules and an edge of 4 at each side, two of them in the height of a line.
    let widths: Vec<usize> = drawn.iter().map(|line| line.chars().count()).collect();
    let is_square = widths.iter().all(|width| *width == widths[0]);
    assert!(drawn.len() >= 16 && is_square, "{output}");
}

#[tokio::test]
async fn the_default_connection_is_written_and_all_else_is_kept() {
    let cli = TestCli::new().await;
    let before = cli.read("replyd.toml");
    let path = cli.path("replyd.toml");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();

    let run = cli.replyd(&format!("connections default {ACTIVE}")).await;

    insta::assert_snapshot!(run);
    let key = format!("api_key = \"{API_KEY}\"\n");
    let with = format!("{key}connection = \"{ACTIVE}\"\n");
    assert_eq!(cli.read("replyd.toml"), before.replace(&key, &with));
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it holds a key");
    assert_eq!(names(cli.folder()), ["replyd.toml"]);

    let shown = cli.replyd("numbers get --dry-run").await.done();
    assert_contains(&shown, &format!("maton-connection: {ACTIVE}"));
}

#[tokio::test]
async fn a_default_that_the_environment_overrules_is_reported() {
    let cli = TestCli::new().await;
    let environment = [("REPLYD__GATEWAY__CONNECTION", "another")];

    let line = format!("connections default {ACTIVE}");
    let run = cli.replyd_with(&line, &environment).await;

    assert_contains(&run.to_string(), "wins over the file");
}

#[tokio::test]
async fn a_missing_id_is_asked_for() {
    let cli = TestCli::new().await;
    let text = cli.read("replyd.toml");
    let (gateway, _) = text.split_once("\n# the only number").unwrap();
    cli.write("replyd.toml", gateway);

    let with_waba = format!("numbers list --waba {WABA} --dry-run");
    let session = cli
        .session(&["numbers get", "numbers list", &with_waba])
        .await;

    insta::assert_snapshot!(session);
}

#[tokio::test]
async fn control_characters_of_a_template_do_not_reach_the_terminal() {
    let cli = TestCli::new().await;
    cli.sandbox.prepare(|account| {
        account.templates[0]["components"][1]["text"] = json!("a\u{1b}[31mb\u{202e}c");
        account.templates[0]["status"] = json!("\u{1b}[2J\nAPPROVED");
    });

    // A run fails on an escape code.
    let session = cli.session(&["templates show order_update", "templates list"]);

    assert_contains(&session.await, "a␛[31mb<U+202E>c");
}

#[tokio::test]
async fn a_long_list_is_read_to_its_end_by_cursors() {
    let cli = TestCli::new().await;
    cli.sandbox.prepare(|account| {
        let template = account.templates[0].clone();
        account.templates.resize(124, template);
    });

    let output = cli.replyd("templates list --json").await.done();

    let rows = output.lines().filter(|line| line.starts_with('{'));
    assert_eq!(rows.count(), 124);
    let calls = cli.calls();
    let cursors = calls.iter().map(|call| call.split_once("&after="));
    let cursors: Vec<_> = cursors.map(|pair| pair.map(|(_, cursor)| cursor)).collect();
    assert_eq!(cursors, [None, Some("row50"), Some("row100")]);
    let has_token = output.contains("sandbox-token");
    assert!(!has_token, "`next` holds a token: {output}");
}

#[tokio::test]
async fn sync_writes_what_rules_need_beside_them() {
    let cli = TestCli::new().await;

    let lines = [
        "templates sync --dry-run",
        "templates sync",
        "templates sync --json",
    ];
    let session = cli.session(&lines).await;

    let folder = cli.path("");
    insta::assert_snapshot!(session.replace(folder.to_str().unwrap(), ""));
    let text = cli.read("templates.json");
    let file: TemplateFile = serde_json::from_str(&text).unwrap();
    assert!(file.synced_at.ends_with('Z'), "{}", file.synced_at);
    insta::assert_snapshot!("templates.json", text.replace(&file.synced_at, "TIME"));
    let cake = &file.templates[0];
    assert_eq!((cake.name.as_str(), cake.named), ("cake_ready", true));
    assert_eq!(cake.header, Some(HeaderShape::Image));
    assert_eq!(cake.body, ["name", "day"]);
}

#[tokio::test]
async fn a_sync_that_fails_leaves_the_file_that_was_there() {
    let cli = TestCli::new().await;
    cli.write("templates.json", "the old one");
    cli.edit(API_KEY, "another-key");

    cli.replyd("templates sync").await.refused();

    assert_eq!(cli.read("templates.json"), "the old one");
    assert_eq!(names(cli.folder()), ["replyd.toml", "templates.json"]);
}
