//! Files that replyd writes: nothing of the owner's is lost, and what is private is private. Real
//! processes.

mod demo;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::support::commands::Bench;

const EXAMPLE: &str = "version = 1\n[[rule]]\nid = \"a\"\nreply = \"x\"\nexamples = [\"hi\"]\n";

/// Runs `replyd` in a folder to its end; gives whether it did well, and all it said.
fn replyd(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_replyd"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.success(), said.concat())
}

/// Every file below a folder, with its text.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            let below = contents(&path).into_iter();
            found.extend(below.map(|(below, text)| (format!("{name}/{below}"), text)));
        } else {
            found.insert(name, std::fs::read(&path).unwrap());
        }
    }
    found
}

fn with_rules() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rules.toml"), EXAMPLE).unwrap();
    folder
}

#[test]
fn a_report_replaces_a_report_and_no_other_file_unless_it_is_told_to() {
    let folder = with_rules();
    std::fs::write(folder.path().join("notes.xml"), "mine").unwrap();
    let before = contents(folder.path());

    let (rules, told) = replyd(folder.path(), &["test", "--junit", "rules.toml"]);
    let (notes, _) = replyd(folder.path(), &["test", "--junit", "notes.xml"]);
    assert!(!rules && !notes);
    assert!(
        told.contains("error: `rules.toml` is there already, and this command has not written it")
            && told.contains("hint: name another file, move this one away, or say --force"),
        "{told}"
    );
    assert_eq!(contents(folder.path()), before);

    for arguments in [
        ["test", "--junit", "new.xml"].as_slice(),
        &["test", "--junit", "new.xml"],
        &["test", "--junit", "notes.xml", "--force"],
    ] {
        let (good, told) = replyd(folder.path(), arguments);
        assert!(good, "{told}");
    }
    let after = contents(folder.path());
    assert_eq!(after["new.xml"], after["notes.xml"]);
    assert_eq!(after.len(), 3, "nothing is left beside them");
}

#[test]
fn what_is_in_the_way_of_a_file_is_told_in_a_sentence() {
    let folder = with_rules();
    std::fs::create_dir(folder.path().join("reports")).unwrap();

    let told = ["reports", "nowhere/report.xml", "rules.toml/report.xml"].map(|path| {
        let (good, told) = replyd(folder.path(), &["test", "--junit", path]);
        assert!(!good);
        let (_, error) = told.split_once("error: ").unwrap();
        error.to_owned()
    });

    insta::assert_snapshot!(told.concat(), @"
    could not write `reports`: a folder has this name

    hint: name a file in it, or another file
    could not write `nowhere/report.xml`: there is no folder `nowhere`

    hint: make the folder first, or name another one
    could not write `rules.toml/report.xml`: a part of the path is a file, not a folder

    hint: make the folder first, or name another one
    ");
}

#[tokio::test]
async fn templates_of_the_owners_own_making_are_not_synced_away() {
    let bench = Bench::start().await;
    bench.write("templates.json", "[{ \"name\": \"mine\" }]");

    let refused = bench.replyd("templates sync").await;
    let kept = bench.read("templates.json");
    let forced = bench.replyd("templates sync --force").await;
    let again = bench.replyd("templates sync").await;

    assert!(
        refused.contains("`templates.json` is there already, and this command has not written it"),
        "{refused}"
    );
    assert_eq!(kept, "[{ \"name\": \"mine\" }]");
    for said in [forced, again] {
        assert!(said.ends_with("--- exit 0\n"), "{said}");
    }
}

#[tokio::test]
async fn ids_that_would_lead_elsewhere_reach_nobody() {
    let bench = Bench::start().await;

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
        let said = bench.replyd(line).await;
        assert!(
            said.contains(" is no id\n") || said.contains(" is no media id\n"),
            "{said}"
        );
    }

    assert_eq!(bench.calls(), Vec::<String>::new());
}

#[test]
fn an_id_of_the_configuration_that_would_lead_elsewhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let text =
        "[gateway]\napi_key = \"k\"\n[[number]]\nphone_number_id = \"../1\"\nwaba_id = \"a b\"\n";
    std::fs::write(folder.path().join("replyd.toml"), text).unwrap();

    let (good, told) = replyd(folder.path(), &["numbers", "get"]);

    assert!(!good);
    for key in [
        "`number.phone_number_id` is no id",
        "`number.waba_id` is no id",
    ] {
        assert!(told.contains(key), "{told}");
    }
}

#[cfg(unix)]
mod unix {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::Path;
    use std::process::{Command, Stdio};

    use super::{replyd, with_rules};
    use crate::support::commands::Bench;

    pub(super) fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    /// As [`replyd`], by a shell whose umask is another one.
    fn under_umask(umask: &str, folder: &Path, line: &str) {
        let replyd = env!("CARGO_BIN_EXE_replyd");
        let status = Command::new("sh")
            .args(["-c", &format!("umask {umask} && exec {replyd} {line}")])
            .current_dir(folder)
            .env_clear()
            .stdout(Stdio::null())
            .status();
        assert!(status.unwrap().success());
    }

    #[test]
    fn what_init_makes_is_private_where_secrets_may_stand_whatever_the_umask() {
        for (umask, rules) in [
            ("000", 0o666),
            ("022", 0o644),
            ("077", 0o600),
            ("277", 0o400),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let at = |name: &str| folder.path().join(name);

            under_umask(umask, folder.path(), "init a/shop");

            let modes = ["a", "a/shop", "a/shop/replyd.toml", "a/shop/rules.toml"]
                .map(|name| mode(&at(name)));
            assert_eq!(modes, [0o700, 0o700, 0o600, rules], "umask {umask}");
        }
    }

    #[test]
    fn init_keeps_a_link_that_leads_nowhere_and_leaves_nothing_half_done() {
        let folder = tempfile::tempdir().unwrap();
        symlink("target", folder.path().join("rules.schema.json")).unwrap();

        let (good, told) = replyd(folder.path(), &["init"]);

        assert!(
            !good && told.contains("`./rules.schema.json` is there already"),
            "{told}"
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_configuration_behind_links_is_changed_where_it_is() {
        let bench = Bench::start().await;
        let connection = bench.replyd("connections list --json").await;
        let id = connection.split("\"connection_id\":\"").nth(1).unwrap();
        let id = id.split('"').next().unwrap();
        fs::create_dir(bench.path("etc")).unwrap();
        fs::rename(bench.path("replyd.toml"), bench.path("etc/real.toml")).unwrap();
        fs::set_permissions(bench.path("etc/real.toml"), Permissions::from_mode(0o640)).unwrap();
        symlink("etc/real.toml", bench.path("replyd.toml")).unwrap();
        symlink("etc/of-templates.json", bench.path("templates.json")).unwrap();

        let said = bench.replyd(&format!("connections default {id}")).await;
        let synced = bench.replyd("templates sync").await;

        assert!(said.ends_with("--- exit 0\n"), "{said}");
        assert!(synced.ends_with("--- exit 0\n"), "{synced}");
        assert!(bench.read("etc/real.toml").contains(id));
        assert_eq!(mode(&bench.path("etc/real.toml")), 0o640);
        let links = ["replyd.toml", "templates.json"].map(|name| bench.path(name).is_symlink());
        assert_eq!(links, [true, true]);
        assert!(bench.read("etc/of-templates.json").contains("synced_at"));
        assert_eq!(fs::read_dir(bench.path("etc")).unwrap().count(), 2);
    }

    #[test]
    fn a_report_can_go_to_standard_output_and_a_full_disk_is_told() {
        let folder = with_rules();

        let (good, told) = replyd(folder.path(), &["test", "--junit", "/dev/stdout"]);
        assert!(good && told.contains("</testsuites>"), "{told}");
        let to_file = format!(
            "{} test --junit /dev/stdout > all.txt",
            env!("CARGO_BIN_EXE_replyd")
        );
        let shell = Command::new("sh")
            .args(["-c", &to_file])
            .current_dir(folder.path())
            .status();
        assert!(shell.unwrap().success());
        let all = fs::read_to_string(folder.path().join("all.txt")).unwrap();
        assert!(
            all.starts_with("rules.toml: 1 test, 0 failed\n<?xml")
                && all.ends_with("</testsuites>\n"),
            "{all}"
        );

        if Path::new("/dev/full").exists() {
            let (good, told) = replyd(folder.path(), &["test", "--junit", "/dev/full"]);
            assert!(!good && told.contains("the disk is full"), "{told}");
        }
    }

    #[test]
    fn the_doctor_names_what_others_may_read_with_the_line_that_mends_it() {
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

        let (_, told) = replyd(folder.path(), &["doctor"]);
        let repairs: Vec<&str> = told
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("chmod "))
            .collect();

        assert_eq!(
            repairs,
            [
                "chmod 600 'my data.db'",
                "chmod 600 'my data.db.lock'",
                "chmod 700 media",
                "chmod 600 replyd.toml",
                "chmod 600 token",
            ],
            "{told}"
        );
        assert!(
            told.contains(
                "! app secret: 1 of 1 in webhook.app_secrets is not 32 hexadecimal digits"
            ),
            "{told}"
        );
        let mend = Command::new("sh")
            .args(["-c", &repairs.join(" && ")])
            .current_dir(folder.path())
            .status();
        assert!(mend.unwrap().success());
        let (_, told) = replyd(folder.path(), &["doctor"]);
        assert!(
            told.contains("✓ rights of files: conversations and secrets are their owner's alone")
                && !told.contains("chmod"),
            "{told}"
        );
    }

    #[test]
    fn a_secret_that_an_editor_broke_stops_the_start_and_is_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let text =
            "[webhook]\nverify_token = { file = \"token\" }\n[gateway]\napi_key = \" canary \"\n";
        fs::write(folder.path().join("replyd.toml"), text).unwrap();
        fs::write(folder.path().join("token"), "\u{feff}canary\r\n").unwrap();

        let output = Command::new(env!("CARGO_BIN_EXE_replyd"))
            .arg("serve")
            .current_dir(folder.path())
            .env_clear()
            .env("REPLYD_APP_SECRET", "canary\r")
            .output()
            .unwrap();

        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(!told.contains("canary"), "{told}");
        for place in [
            "`webhook.verify_token` in file `token` holds a byte-order mark",
            "--> replyd.toml:2:16",
            "`gateway.api_key` begins or ends with a blank or a line end",
            "--> replyd.toml:4:11",
            "`webhook.app_secrets` in environment variable REPLYD_APP_SECRET begins or ends with a blank",
        ] {
            assert!(told.contains(place), "{told}");
        }
    }
}
