//! `replyd numbers`, `profile` and `connections` against the pretend WhatsApp, and the errors that
//! all of them share.

use std::os::unix::fs::PermissionsExt as _;

use replyd::sandbox::WABA;

use crate::support::commands::Bench;
use crate::support::{API_KEY, NUMBERS};

const ACTIVE: &str = "21fd90f9-0000-4000-8000-000000000001";
const FAILED: &str = "21fd90f9-0000-4000-8000-000000000002";

#[tokio::test]
async fn numbers_are_listed_and_looked_at() {
    let bench = Bench::start().await;

    let said = bench
        .all(&[
            "numbers list",
            "numbers get",
            &format!("numbers get {}", NUMBERS[1]),
            "numbers get --json",
            "numbers get --dry-run",
        ])
        .await;

    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn a_profile_is_changed_piece_by_piece() {
    let bench = Bench::start().await;

    let said = bench
        .all(&[
            "profile get",
            "profile update --about Fresh\u{a0}bread\u{a0}daily --website https://bakery.example/ --dry-run",
            "profile update --about Fresh\u{a0}bread\u{a0}daily --website https://bakery.example/",
            "profile update --vertical restaurant --email hello@bakery.example --json",
            "profile get",
            "profile get --json",
        ])
        .await;

    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn what_is_wrong_with_a_profile_is_told_at_once_and_nothing_is_sent() {
    let bench = Bench::start().await;
    let about = "x".repeat(140);

    let said = bench
        .all(&[
            "profile update",
            &format!("profile update --about {about} --email me --vertical BAKERY --website a --website b --website c"),
        ])
        .await;

    insta::assert_snapshot!(said.replace(&about, "XXX"));
    assert_eq!(bench.calls(), Vec::<String>::new());
}

#[tokio::test]
async fn a_description_that_may_be_too_long_is_warned_of() {
    let bench = Bench::start().await;

    let said = bench
        .replyd(&format!("profile update --description {}", "x".repeat(300)))
        .await;

    assert!(
        said.contains("warning: description: has 300 characters"),
        "{said}"
    );
    assert!(said.ends_with("--- exit 0\n"), "{said}");
}

#[tokio::test]
async fn connections_are_looked_at_without_their_address() {
    let bench = Bench::start().await;

    let said = bench
        .all(&[
            "connections list",
            "connections list --status active --json",
            "connections list --method api_key",
            &format!("connections get {FAILED}"),
            &format!("connections get {ACTIVE} --json"),
            "connections list --dry-run",
        ])
        .await;

    assert!(!said.contains("session"), "{said}");
    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn a_new_connection_shows_its_address_once() {
    let bench = Bench::start().await;

    let said = bench
        .all(&[
            "connections create --method oauth2 --dry-run",
            "connections create --method oauth2",
            "connections create --json",
            "connections list",
        ])
        .await;

    insta::assert_snapshot!(said);
    assert_eq!(said.matches("session_token").count(), 2);
}

#[tokio::test]
async fn the_address_is_drawn_when_asked_for() {
    let bench = Bench::start().await;

    let said = bench.replyd("connections create --qr").await;

    let drawn: Vec<&str> = said.lines().filter(|line| line.contains('█')).collect();
    // 33 modules and an edge of 4 at each side, two of them in the height of a line.
    let widths: Vec<usize> = drawn.iter().map(|line| line.chars().count()).collect();
    assert!(
        drawn.len() >= 16 && widths.iter().all(|width| *width == widths[0]),
        "{said}"
    );
}

#[tokio::test]
async fn deleting_a_connection_is_confirmed() {
    let bench = Bench::start().await;

    let said = bench
        .all(&[
            &format!("connections default {ACTIVE} --json"),
            &format!("connections delete {ACTIVE}"),
            &format!("connections delete {ACTIVE} --dry-run"),
            &format!("connections delete {ACTIVE} --yes"),
            &format!("connections delete {ACTIVE} --yes"),
        ])
        .await;

    insta::assert_snapshot!(said);
    let left = bench.sandbox.look(|state| state.account.connections.len());
    assert_eq!(left, 1);
}

#[tokio::test]
async fn the_default_connection_is_written_and_all_else_is_kept() {
    let bench = Bench::start().await;
    let before = bench.read("replyd.toml");
    let path = bench.path("replyd.toml");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();

    let said = bench.replyd(&format!("connections default {ACTIVE}")).await;

    insta::assert_snapshot!(said);
    let key = format!("api_key = \"{API_KEY}\"\n");
    let with = format!("{key}connection = \"{ACTIVE}\"\n");
    assert_eq!(bench.read("replyd.toml"), before.replace(&key, &with));
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it holds a key");
    assert_eq!(std::fs::read_dir(bench.path("")).unwrap().count(), 1);

    let shown = bench.replyd("numbers get --dry-run").await;
    assert!(
        shown.contains(&format!("maton-connection: {ACTIVE}")),
        "{shown}"
    );
}

#[tokio::test]
async fn a_connection_that_cannot_send_does_not_become_the_default() {
    let bench = Bench::start().await;
    let before = bench.read("replyd.toml");

    let said = bench
        .all(&[
            &format!("connections default {FAILED}"),
            "connections default nobody",
            &format!("connections default {ACTIVE} --dry-run"),
        ])
        .await;

    insta::assert_snapshot!(said);
    assert_eq!(bench.read("replyd.toml"), before);
}

#[tokio::test]
async fn a_default_that_the_environment_overrules_is_told() {
    let bench = Bench::start().await;
    let environment = [("REPLYD__GATEWAY__CONNECTION", "another")];

    let said = bench
        .replyd_with(&format!("connections default {ACTIVE}"), &environment)
        .await;

    assert!(said.contains("wins over the file"), "{said}");
}

#[tokio::test]
async fn a_key_that_is_wrong_is_refused_by_meta_and_by_maton() {
    let bench = Bench::start().await;
    bench.configure("maton", "another-key");

    let said = bench
        .all(&[
            "templates list",
            "numbers get",
            "profile get",
            "connections list",
            "connections create",
        ])
        .await;

    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn ids_that_nobody_knows_are_told_with_what_to_check() {
    let bench = Bench::start().await;

    let said = bench
        .all(&[
            "numbers get 42",
            "profile get --number 42",
            "templates list --waba 42",
            "connections get nobody",
        ])
        .await;

    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn what_must_be_named_is_asked_for() {
    let bench = Bench::start().await;
    let text = bench.read("replyd.toml");
    let (gateway, _) = text.split_once("\n# the only number").unwrap();
    bench.write("replyd.toml", gateway);

    let said = bench
        .all(&[
            "numbers get",
            "numbers list",
            &format!("numbers list --waba {WABA} --dry-run"),
        ])
        .await;

    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn connections_are_matons_alone() {
    let bench = Bench::start().await;
    bench.configure("graph", API_KEY);

    let said = bench.replyd("connections list").await;

    insta::assert_snapshot!(said);
    assert_eq!(bench.calls(), Vec::<String>::new());
}
