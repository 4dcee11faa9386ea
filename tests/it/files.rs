//! Files that replyd writes: no file of the owner is lost, and private ones are private.

mod demo;

use std::collections::BTreeMap;
use std::path::Path;

use tempfile::TempDir;

use crate::support::run::replyd;
use crate::support::test_cli::TestCli;
use crate::support::{assert_contains, folder_with};

const EXAMPLE: &str = "version = 1\n[[rule]]\nid = \"a\"\nreply = \"x\"\nexamples = [\"hi\"]\n";

/// Every file below a folder, with its text.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            let below = contents(&path).into_iter();
            files.extend(below.map(|(below, text)| (format!("{name}/{below}"), text)));
        } else {
            files.insert(name, std::fs::read(&path).unwrap());
        }
    }
    files
}

fn with_rules() -> TempDir {
    folder_with(&[("rules.toml", EXAMPLE)])
}

#[tokio::test]
async fn a_report_replaces_a_report_and_another_file_only_by_force() {
    let folder = with_rules();
    std::fs::write(folder.path().join("notes.xml"), "mine").unwrap();
    let before = contents(folder.path());

    let rules = replyd(folder.path(), "test --junit rules.toml")
        .await
        .refused();
    replyd(folder.path(), "test --junit notes.xml")
        .await
        .refused();
    let error = "error: `rules.toml` is there already, and this command has not written it";
    assert_contains(&rules, error);
    let hint = "hint: name another file, move this one away, or say --force";
    assert_contains(&rules, hint);
    assert_eq!(contents(folder.path()), before);

    for arguments in ["new.xml", "new.xml", "notes.xml --force"] {
        let line = format!("test --junit {arguments}");
        replyd(folder.path(), &line).await.done();
    }
    let after = contents(folder.path());
    assert_eq!(after["new.xml"], after["notes.xml"]);
    assert_eq!(after.len(), 3, "nothing is left beside them");
}

#[tokio::test]
async fn templates_of_the_owners_own_making_are_not_synced_away() {
    let cli = TestCli::new().await;
    cli.write("templates.json", "[{ \"name\": \"mine\" }]");

    let refused = cli.replyd("templates sync").await.to_string();
    let content = cli.read("templates.json");
    cli.replyd("templates sync --force").await.done();
    cli.replyd("templates sync").await.done();

    let error = "`templates.json` is there already, and this command has not written it";
    assert_contains(&refused, error);
    assert_eq!(content, "[{ \"name\": \"mine\" }]");
}

#[tokio::test]
async fn ids_that_would_lead_elsewhere_are_not_sent() {
    let cli = TestCli::new().await;

    for line in [
        "connections get ..",
        "connections delete a/b --yes",
        "connections default ../connections",
        "numbers get ..",
        "numbers list --waba ..",
        "numbers get --number a?b",
        "media info ..",
        "media download a/b",
        "profile get --number ../1",
        "templates list --waba a/b --dry-run",
        "send +15550001111 hello --number ..",
    ] {
        let shown = cli.replyd(line).await.to_string();
        let is_refused = [" is no id\n", " is no media id\n"]
            .iter()
            .any(|part| shown.contains(part));
        assert!(is_refused, "{shown}");
    }

    assert_eq!(cli.calls(), [""; 0]);
}

#[cfg(unix)]
mod unix {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::Path;

    use super::with_rules;
    use crate::support::run::{self, Run, replyd};
    use crate::support::test_cli::TestCli;
    use crate::support::{assert_contains, folder_with, names};

    pub(super) fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[tokio::test]
    async fn files_of_init_that_may_hold_secrets_are_private_under_any_umask() {
        for (umask, rules) in [
            ("000", 0o666),
            ("022", 0o644),
            ("077", 0o600),
            ("277", 0o400),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let at = |name: &str| folder.path().join(name);

            let script = format!("umask {umask} && exec \"$0\" init a/shop");
            let mut command = run::shell(folder.path(), &script);
            Run::new("init", &mut command).await.done();

            let modes = ["a", "a/shop", "a/shop/replyd.toml", "a/shop/rules.toml"]
                .map(|name| mode(&at(name)));
            assert_eq!(modes, [0o700, 0o700, 0o600, rules], "umask {umask}");
        }
    }

    #[tokio::test]
    async fn init_keeps_a_link_that_leads_nowhere_and_leaves_nothing_half_done() {
        let folder = tempfile::tempdir().unwrap();
        symlink("target", folder.path().join("rules.schema.json")).unwrap();

        let run = replyd(folder.path(), "init").await;

        assert_contains(&run.refused(), "`./rules.schema.json` is there already");
        assert_eq!(names(folder.path()), ["rules.schema.json"]);
    }

    #[tokio::test]
    async fn a_configuration_behind_links_is_changed_where_it_is() {
        let cli = TestCli::new().await;
        let connections = cli.replyd("connections list --json").await.stdout;
        let id = connections.split("\"connection_id\":\"").nth(1).unwrap();
        let id = id.split('"').next().unwrap();
        fs::create_dir(cli.path("etc")).unwrap();
        fs::rename(cli.path("replyd.toml"), cli.path("etc/real.toml")).unwrap();
        fs::set_permissions(cli.path("etc/real.toml"), Permissions::from_mode(0o640)).unwrap();
        symlink("etc/real.toml", cli.path("replyd.toml")).unwrap();
        symlink("etc/of-templates.json", cli.path("templates.json")).unwrap();

        let line = format!("connections default {id}");
        cli.replyd(&line).await.done();
        cli.replyd("templates sync").await.done();

        assert_contains(&cli.read("etc/real.toml"), id);
        assert_eq!(mode(&cli.path("etc/real.toml")), 0o640);
        let links = ["replyd.toml", "templates.json"].map(|name| cli.path(name).is_symlink());
        assert_eq!(links, [true, true]);
        assert_contains(&cli.read("etc/of-templates.json"), "synced_at");
        assert_eq!(names(&cli.path("etc")).len(), 2);
    }

    #[tokio::test]
    async fn a_report_can_go_to_standard_output_and_a_full_disk_is_an_error() {
        let folder = with_rules();

        let run = replyd(folder.path(), "test --junit /dev/stdout").await;
        assert_contains(&run.done(), "</testsuites>");
        let script = "\"$0\" test --junit /dev/stdout > all.txt";
        let mut command = run::shell(folder.path(), script);
        Run::new("test", &mut command).await.done();
        let file = fs::read_to_string(folder.path().join("all.txt")).unwrap();
        let begins = file.starts_with("rules.toml: 1 test, 0 failed\n<?xml");
        assert!(begins && file.ends_with("</testsuites>\n"), "{file}");

        if Path::new("/dev/full").exists() {
            let run = replyd(folder.path(), "test --junit /dev/full").await;
            assert_contains(&run.refused(), "the disk is full");
        }
    }

    #[tokio::test]
    async fn the_doctor_names_what_others_may_read_with_the_line_that_mends_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let config = "[database]\nurl = \"sqlite:my data.db\"\n[media]\nfolder = \"media\"\n\
                      [webhook]\napp_secrets = [\"not-of-meta\"]\nverify_token = { file = \"token\" }\n\
                      [gateway]\napi_key = \"k\"\nbase_url = \"http://127.0.0.1:9\"\ncontrol_url = \"http://127.0.0.1:9\"\n";
        let files = ["replyd.toml", "token", "my data.db", "my data.db.lock"];
        for name in files {
            fs::write(at(name), if name == "replyd.toml" { config } else { "t" }).unwrap();
            fs::set_permissions(at(name), Permissions::from_mode(0o644)).unwrap();
        }
        fs::create_dir(at("media")).unwrap();
        fs::set_permissions(at("media"), Permissions::from_mode(0o755)).unwrap();

        let shown = replyd(folder.path(), "doctor").await.to_string();
        let repairs = shown.lines().map(str::trim);
        let repairs: Vec<&str> = repairs.filter(|line| line.starts_with("chmod ")).collect();

        let expected = [
            "chmod 600 'my data.db'",
            "chmod 600 'my data.db.lock'",
            "chmod 700 media",
            "chmod 600 replyd.toml",
            "chmod 600 token",
        ];
        assert_eq!(repairs, expected, "{shown}");
        let secret = "! app secret: 1 of 1 in webhook.app_secrets is not 32 hexadecimal digits";
        assert_contains(&shown, secret);
        let mut mend = run::shell(folder.path(), &repairs.join(" && "));
        assert!(mend.status().await.unwrap().success());
        let shown = replyd(folder.path(), "doctor").await.to_string();
        let rights = "✓ rights of files: conversations and secrets are their owner's alone";
        assert_contains(&shown, rights);
        assert!(!shown.contains("chmod"), "{shown}");
    }

    #[tokio::test]
    async fn a_secret_that_an_editor_broke_stops_the_start_and_is_never_shown() {
        let text =
            "[webhook]\nverify_token = { file = \"token\" }\n[gateway]\napi_key = \" canary \"\n";
        let files = [("replyd.toml", text), ("token", "\u{feff}canary\r\n")];
        let folder = folder_with(&files);

        let mut command = run::command(folder.path());
        command.arg("serve").env("REPLYD_APP_SECRET", "canary\r");
        let shown = Run::new("serve", &mut command).await.refused();

        assert!(!shown.contains("canary"), "{shown}");
        for place in [
            "`webhook.verify_token` in file `token` holds a byte-order mark",
            "--> replyd.toml:2:16",
            "`gateway.api_key` begins or ends with a blank or a line end",
            "--> replyd.toml:4:11",
            "`webhook.app_secrets` in environment variable REPLYD_APP_SECRET begins or ends with a blank",
        ] {
            assert_contains(&shown, place);
        }
    }
}
