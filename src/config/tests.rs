//! Every message an owner can get, and that `default.toml` and the code know the same keys.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::ExposeSecret;

use crate::telemetry::LogFormat;

use super::layers::Layers;
use super::reader::ReadFile;
use super::{Config, DEFAULT, Preset, Problems, Sources, read_with, reader};

/// Environment with all three secrets.
const SECRETS: [(&str, &str); 3] = [
    ("REPLYD_APP_SECRET", "app"),
    ("REPLYD_VERIFY_TOKEN", "verify"),
    ("MATON_API_KEY", "key"),
];

fn load(file: &str, environment: &[(&str, &str)]) -> Result<Config, Problems> {
    read(&sources(file, environment), &files)
}

fn sources(file: &str, environment: &[(&str, &str)]) -> Sources {
    Sources {
        file: Some((PathBuf::from("/etc/replyd/replyd.toml"), file.to_owned())),
        environment: environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    }
}

fn files(path: &Path) -> io::Result<String> {
    match path.to_str() {
        Some("/etc/replyd/secrets/app") => Ok("from a file\r\n".to_owned()),
        Some("/run/secrets/empty") => Ok("\n".to_owned()),
        _ => Err(io::ErrorKind::NotFound.into()),
    }
}

#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "a method of `Reader<'d>` is bound to one `'d`"
)]
fn read(sources: &Sources, read_file: &ReadFile<'_>) -> Result<Config, Problems> {
    read_with(sources, read_file, |reader| reader.config())
}

#[track_caller]
fn problems(file: &str, environment: &[(&str, &str)]) -> String {
    let text = load(file, environment).unwrap_err().to_string();
    text.replace("/etc/replyd/", "")
}

/// `default.toml` with its example lines made real.
fn default_with_examples() -> String {
    let mut text = String::new();
    for line in DEFAULT.lines() {
        let example = line
            .strip_prefix("# ")
            .filter(|rest| rest.starts_with("[[") || is_assignment(rest));
        text.push_str(example.unwrap_or(line));
        text.push('\n');
    }
    text
}

fn is_assignment(line: &str) -> bool {
    line.split_once(" = ").is_some_and(|(key, _)| {
        key.bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    })
}

#[test]
fn the_built_in_default_needs_only_secrets() {
    let config = load("", &SECRETS).unwrap();

    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.database.url, "sqlite:/etc/replyd/data/replyd.db");
    assert_eq!(config.rules.file, Path::new("/etc/replyd/rules.toml"));
    assert_eq!(config.webhook.app_secrets[0].expose_secret(), "app");
    assert_eq!(config.gateway.api_key.expose_secret(), "key");
    assert_eq!(config.gateway.requests_per_second, 8);
    assert_eq!(config.gateway.connection, None);
    assert_eq!(config.delivery.lease, Duration::from_mins(1));
    assert!(!config.media.download && config.media.token.is_none());
    assert_eq!(config.media.max_bytes, 25 * 1024 * 1024);
    assert_eq!(config.media.folder, Path::new("/etc/replyd/data/media"));
    assert!(config.numbers.is_empty());
}

#[test]
fn the_token_is_proven_only_where_it_is_asked_for_and_only_to_meta() {
    let graph = "[gateway]\npreset = \"graph\"\napp_secret_proof = true\n";
    let mut environment = SECRETS.to_vec();
    environment.push(("WHATSAPP_TOKEN", "token"));

    let proven = load(graph, &environment).unwrap().gateway.app_secret;
    let plain = load("", &environment).unwrap().gateway.app_secret;
    let maton = problems("[gateway]\napp_secret_proof = true\n", &environment);

    assert_eq!(proven.unwrap().expose_secret(), "app");
    assert!(plain.is_none());
    assert!(
        maton.contains("`gateway.app_secret_proof` is only for gateway.preset"),
        "{maton}"
    );
}

#[test]
fn every_key_of_the_default_is_known_also_those_that_are_examples() {
    let mut environment = SECRETS.to_vec();
    environment.extend([("WHATSAPP_TOKEN", "token"), ("MODEL_API_KEY", "key")]);

    let config = load(&default_with_examples(), &environment).unwrap();

    assert_eq!(config.numbers.len(), 1);
}

#[test]
fn every_key_that_is_read_stands_in_the_default() {
    let examples = sources(&default_with_examples(), &[]);
    let examples = Layers::parse(&examples);
    let settings = examples.settings();
    let sources = sources("", &SECRETS);
    let layers = Layers::parse(&sources);
    let mut reader = reader(&sources, &layers, &files);

    reader.config().unwrap();

    for key in &reader.known {
        assert!(settings.contains_key(*key), "{key} is not in default.toml");
    }
}

#[test]
fn hosts_of_actions_are_checked_one_by_one() {
    let file = r#"
[actions]
hosts = [
    "shop.example", "shop.example:8443", { host = "http://stock:8000", private = true },
    { host = "crm.example", authorization = { env = "TOKEN" } },
    "http://shop.example", "https://shop.example/api", "user@shop.example", 7, { private = true },
    { host = "shop.example", privat = true }, { host = "shop.example", private = "yes" }, "", "*.example",
]
[model]
url = "http://model.example/v1"
temperature = 3
limit_key = "max_length"
"#;
    insta::assert_snapshot!(problems(
        file,
        &[&SECRETS[..], &[("TOKEN", "Bearer x")]].concat()
    ));

    let file = "[actions]\nhosts = [\"shop.example\"]\n[model]\nurl = \"http://127.0.0.1:11434/v1\"\nname = \"small\"\n";
    let config = load(file, &SECRETS).unwrap();
    assert_eq!(
        config.actions.hosts[0].base.as_str(),
        "https://shop.example/"
    );
    let model = config.model.unwrap();
    assert_eq!(model.url, "http://127.0.0.1:11434/v1");
    let asked = (model.temperature, model.limit_key.name());
    assert_eq!(asked, (None, "max_tokens"));
}

#[test]
fn every_key_of_the_default_is_commented() {
    let mut above = "";
    for line in DEFAULT.lines() {
        let key = line.strip_prefix("# ").unwrap_or(line);
        if is_assignment(key) {
            assert!(
                above.starts_with("# ") && !is_assignment(&above[2..]),
                "{line} has no comment above it"
            );
        }
        above = line;
    }
}

#[test]
fn all_problems_are_told_at_once_with_their_places() {
    let file = r#"
[server]
listen = "localhost"
lisen = "127.0.0.1:1"
[admin]
listen = "0.0.0.0:8081"
[database]
url = "postgres://localhost/x"
[webhook]
path = "hook"
app_secrets = []
verify_token = ""
[gateway]
preset = "mayton"
base_url = "http://gateway.example"
requests_per_second = "8"
graph_version = "23"
timeout = 20
[delivery]
lease = "soon"
max_in_flight = 0
[media]
download = "yes"
max_bytes = "25MB"
token = "a b"
[rulez]
file = "x.toml"
[log]
filter = "info,=x=y"
"#;

    let text = problems(
        file,
        &[("MATON_API_KEY", "a b"), ("REPLYD__LOG__FORMAT", "xml")],
    );

    insta::assert_snapshot!(text);
}

#[test]
fn missing_secrets_are_named_with_what_to_set() {
    insta::assert_snapshot!(problems("", &[]), @r"
    the configuration has 3 problems

    error[R0103]: built-in default: `gateway.api_key` is not set: set MATON_API_KEY or gateway.api_key

    error[R0103]: built-in default: `webhook.app_secrets` is not set: set REPLYD_APP_SECRET or webhook.app_secrets

    error[R0103]: built-in default: `webhook.verify_token` is not set: set REPLYD_VERIFY_TOKEN or webhook.verify_token
    ");
}

#[test]
fn a_secret_whose_key_is_misspelt_is_not_reported_as_missing_too() {
    let file = "[webhook]\napp_secret = \"x\"\n[gatway]\napi_key = \"k\"\n";

    let in_file = problems(file, &[]);
    let in_environment = problems("", &[("REPLYD__WEBHOOK__VERIFY_TOKENS", "x")]);

    for (text, misspelt, missing) in [
        (&in_file, "`app_secret`", "`webhook.app_secrets` is not set"),
        (&in_file, "`gatway`", "`gateway.api_key` is not set"),
        (
            &in_environment,
            "`verify_tokens`",
            "`webhook.verify_token` is not set",
        ),
    ] {
        assert!(text.contains(&format!("unknown key {misspelt}")), "{text}");
        assert!(!text.contains(missing), "{text}");
    }
    assert!(in_file.contains("`webhook.verify_token` is not set"));
    assert!(in_environment.contains("`webhook.app_secrets` is not set"));
}

#[test]
fn each_syntax_error_has_its_line() {
    insta::assert_snapshot!(problems(
        "[server]\nlisten = \n[log]\nformat = \"json\nx = 1",
        &SECRETS
    ));
}

#[test]
fn secrets_are_literal_from_the_environment_or_from_a_file() {
    let file = r#"
webhook.app_secrets = ["literal", { env = "OLD" }, { file = "secrets/app" }]
webhook.verify_token = "token"
"#;

    let config = load(file, &[("OLD", "from the environment"), SECRETS[2]]).unwrap();

    let secrets: Vec<&str> = config
        .webhook
        .app_secrets
        .iter()
        .map(ExposeSecret::expose_secret)
        .collect();
    assert_eq!(secrets, ["literal", "from the environment", "from a file"]);
}

#[test]
fn no_secret_is_ever_printed() {
    let file = r#"
webhook = { app_secrets = [5, { env = "A", file = "B" }], verify_token = "hunter2\n", path = "hunter2" }
gateway = { api_key = { vault = "hunter2" }, base_url = "hunter2", connection = "hunter2 " }
hunter = "hunter2"
"#;

    let text = problems(file, &[("REPLYD__SERVER__LISTEN", "hunter2")]);
    let debug = format!(
        "{:?}",
        load("", &SECRETS.map(|(name, _)| (name, "hunter2"))).unwrap()
    );

    assert!(!text.contains("hunter2"), "{text}");
    assert!(!debug.contains("hunter2"), "{debug}");
}

#[test]
fn a_secret_in_the_wrong_place_is_not_shown_with_the_line_it_stands_in() {
    let file = r#"
verify_tokens = "canary-1"
[webhook]
# app_secrets = ["canary-2"] until May
app_secret = ["canary-3", "canary#4"] # canary-5
verify_token = 1234567
path = "canary-6"
[gateway]
api_key = """canary-7
canary-8
"""
base_url = "https://user:canary-9@gateway.example"
timeout = "5 minutes" # canary-10
[actions]
hosts = ["canary-11:canary-12@shop.example", { host = "a b", authorizations = "canary-13" }]
[media]
token = "canary-14
[model]
api_key = { env = "MODEL_API_KEY", file = 5 }
other = canary-15
"#;

    let text = problems(file, &SECRETS);

    assert!(!text.contains("canary"), "{text}");
    assert!(!text.contains("1234567"), "{text}");
    assert!(text.contains("timeout = \"5 minutes\""), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn a_secret_file_that_is_empty_or_not_there_is_a_problem() {
    let file = r#"
[webhook]
app_secrets = [{ file = "/run/secrets/empty" }, { file = "/nowhere" }]
"#;

    insta::assert_snapshot!(problems(file, &SECRETS), @r#"
    the configuration has 2 problems

    error[R0103]: `webhook.app_secrets` is empty in file `/run/secrets/empty`
     --> replyd.toml:3:16
      |
    3 | app_secrets = [{ file = "/run/secrets/empty" }, { file = "/nowhere" }]
      |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error[R0108]: `webhook.app_secrets` cannot be read from file `/nowhere`: entity not found
     --> replyd.toml:3:58
      |
    3 | app_secrets = [{ file = "/run/secrets/empty" }, { file = "/nowhere" }]
      |                                                          ^^^^^^^^^^
    "#);
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_default() {
    let file = "[server]\nlisten = \"127.0.0.1:1\"\n[admin]\nlisten = \"127.0.0.1:2\"\n";
    let mut environment = SECRETS.to_vec();
    environment.push(("REPLYD__SERVER__LISTEN", "0.0.0.0:3"));

    let config = load(file, &environment).unwrap();

    assert_eq!(config.server.listen.to_string(), "0.0.0.0:3");
    assert_eq!(config.admin.listen.to_string(), "127.0.0.1:2");
    assert_eq!(config.webhook.path, "/webhook");
}

#[test]
fn environment_values_are_toml_where_the_key_wants_it_and_text_elsewhere() {
    let environment = [
        (
            "REPLYD__WEBHOOK__APP_SECRETS",
            r#"["one", { env = "TWO" }]"#,
        ),
        ("TWO", "two"),
        ("REPLYD__WEBHOOK__VERIFY_TOKEN", "12345"),
        ("REPLYD__GATEWAY__API_KEY", r#"{ file = "secrets/app" }"#),
        ("REPLYD__GATEWAY__PRESET", "\"graph\""),
        ("REPLYD__GATEWAY__REQUESTS_PER_SECOND", "20"),
        ("REPLYD__LOG__FORMAT", "json"),
        (
            "REPLYD__NUMBER",
            r#"[{ phone_number_id = "1" }, { phone_number_id = "2" }]"#,
        ),
    ];

    let problems = problems("", &environment);
    // The key from the file has spaces, which no header carries: the file was read.
    assert!(
        problems.starts_with("the configuration has 1 problem\n"),
        "{problems}"
    );
    let mut environment = environment.to_vec();
    environment[3].1 = "plain";
    let config = load("", &environment).unwrap();

    assert_eq!(config.webhook.app_secrets[1].expose_secret(), "two");
    assert_eq!(config.webhook.verify_token.expose_secret(), "12345");
    assert_eq!(config.gateway.preset, Preset::Graph);
    assert_eq!(config.gateway.base_url, "https://graph.facebook.com");
    assert_eq!(config.gateway.requests_per_second, 20);
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.numbers[1].phone_number_id.as_str(), "2");
}

#[test]
fn the_graph_preset_asks_for_its_own_key_and_sets_no_bound() {
    let file = "gateway.preset = 'graph'\ngateway.base_url = 'http://[::1]:9/graph/'";
    let mut environment = SECRETS.to_vec();

    let missing = problems(file, &environment);
    environment.push(("WHATSAPP_TOKEN", "token"));
    let config = load(file, &environment).unwrap();

    assert!(
        missing.contains("set WHATSAPP_TOKEN or gateway.api_key"),
        "{missing}"
    );
    assert_eq!(config.gateway.requests_per_second, 0);
    assert_eq!(config.gateway.base_url, "http://[::1]:9/graph");
}

#[test]
fn a_lease_ends_later_than_any_request() {
    let text = problems("gateway.timeout = '51s'", &SECRETS);

    assert!(
        text.contains("`delivery.lease` must be at least 10 s longer"),
        "{text}"
    );
    assert!(load("gateway.timeout = '50s'", &SECRETS).is_ok());
}

#[test]
fn numbers_are_checked_one_by_one() {
    let file = r#"
[[number]]
phone_number_id = "1"
rules = "one.toml"
[[number]]
phone_number_id = 2
[[number]]
waba = "3"
[[number]]
phone_number_id = "1"
"#;

    insta::assert_snapshot!(problems(file, &SECRETS));
}

#[test]
fn files_are_fetched_with_a_token_of_metas_only() {
    let on = "media.download = true\n";
    let graph = format!("{on}gateway.preset = 'graph'\n");
    let mut environment = SECRETS.to_vec();
    environment.push(("WHATSAPP_TOKEN", "meta's"));
    environment.push(("OWN", "own"));
    let token = |file: &str| {
        let media = load(file, &environment).unwrap().media;
        assert!(media.download);
        media.token.unwrap().expose_secret().to_owned()
    };

    assert_eq!(token(&graph), "meta's");
    assert_eq!(
        token(&format!("{graph}media.token = {{ env = 'OWN' }}")),
        "own"
    );
    assert_eq!(
        token(&format!("{on}media.token = {{ env = 'OWN' }}")),
        "own"
    );
    insta::assert_snapshot!(problems(on, &SECRETS), @r"
    the configuration has 1 problem

    error[R0108]: `media.download` needs media.token: the key of Maton does not open Meta's file host; make a token of your own Meta app
     --> replyd.toml:1:18
      |
    1 | media.download = true
      |                  ^^^^
    ");
    let unset = format!("{on}media.token = {{ env = 'NONE' }}");
    insta::assert_snapshot!(problems(&unset, &SECRETS), @r"
    the configuration has 1 problem

    error[R0103]: `media.token` is not set: set NONE or media.token
     --> replyd.toml:2:15
      |
    2 | media.token = { env = 'NONE' }
      |               ^^^^^^^^^^^^^^^^
    ");
    let off_again = load(
        on,
        &[&SECRETS[..], &[("REPLYD__MEDIA__DOWNLOAD", "false")]].concat(),
    );
    assert!(!off_again.unwrap().media.download);
}

#[test]
fn what_is_no_secret_is_refused_with_its_place_and_never_shown() {
    let file = r#"[webhook]
app_secrets = [" canary1 ", { env = "BLANK" }, { env = "EMPTY" }, { env = "BROKEN" }, { file = "/s/mark" }]
verify_token = "   "
[gateway]
api_key = { file = "/s/two-lines" }
[media]
token = "canary2\u0000"
[model]
api_key = { env = "HIDDEN" }
[actions]
hosts = [{ host = "shop.example", authorization = "Bearer canary3 " }]
"#;
    let environment = [
        ("BLANK", "\n"),
        ("EMPTY", ""),
        ("BROKEN", "canary4\u{fffd}"),
        ("HIDDEN", "canary5\u{200b}6"),
    ];
    let read_file = |path: &Path| match path.to_str() {
        Some("/s/mark") => Ok("\u{feff}canary7\n".to_owned()),
        Some("/s/two-lines") => Ok("canary8\n\n".to_owned()),
        _ => Err(io::ErrorKind::NotFound.into()),
    };

    let refused = read(&sources(file, &environment), &read_file).unwrap_err();

    let text = refused.to_string();
    assert!(!text.contains("canary"), "{text}");
    insta::assert_snapshot!(text.replace("/etc/replyd/", ""));
}

#[test]
fn one_line_end_of_a_secret_file_is_taken_off() {
    for (text, secret) in [
        ("canary", "canary"),
        ("canary\n", "canary"),
        ("canary\r\n", "canary"),
        ("two words\n", "two words"),
    ] {
        let file = "[webhook]\nverify_token = { file = \"/s/token\" }\n";
        let read_file = |_: &Path| Ok(text.to_owned());

        let config = read(&sources(file, &SECRETS), &read_file).unwrap();

        assert_eq!(config.webhook.verify_token.expose_secret(), secret);
    }
}

#[test]
fn a_byte_order_mark_before_the_configuration_is_passed_over() {
    let config = load("\u{feff}[server]\nlisten = \"127.0.0.1:7\"\n", &SECRETS).unwrap();

    assert_eq!(config.server.listen.port(), 7);
}
