//! Shared by the tests: a whole service in the test's process ([`TestApp`]), one as a process of
//! its own ([`served`]), commands that run to their end ([`run`]), and a folder to run them in
//! ([`test_cli`]). All are wired to the sandbox over real sockets.

pub(crate) mod bodies;
pub(crate) mod run;
pub(crate) mod served;
mod test_app;
pub(crate) mod test_cli;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use replyd::clock::Clock;
use replyd::message::PhoneNumberId;
use replyd::sandbox::{Receipts, Sandbox, Settings};
use replyd::store::{Store, TranscriptMessage};
use tempfile::TempDir;

pub(crate) use test_app::TestApp;

pub(crate) const APP_SECRET: &str = "test-app-secret";
pub(crate) const API_KEY: &str = "test-api-key";
/// The number contacts write to, and two more.
pub(crate) const NUMBERS: [&str; 3] = ["106540000000001", "106540000000002", "106540000000003"];
/// Two contacts.
pub(crate) const ANA: &str = "15550000001";
pub(crate) const BO: &str = "15550000002";
/// Configuration of the first number, which commands that send need.
pub(crate) const NUMBER: &str =
    "[[number]]\nphone_number_id = \"106540000000001\"\nwaba_id = \"102290129340398\"\n";
/// Bound of every wait: reached only when something is broken.
const PATIENCE: Duration = Duration::from_mins(1);

/// Answers every message, so that nothing hides behind silence; the budget is out of the way.
pub(crate) const ECHO: &str = r#"
version = 1
[bot]
reply_budget = { per_minute = 1000, per_hour = 1000 }
loop_guard = 1000
[[rule]]
id = "echo"
reply = "you said {{ message.text }}"
"#;

/// Waits for something that takes milliseconds when all is well; `what` names it in the panic.
pub(crate) async fn in_time<T>(what: &str, waiting: impl Future<Output = T>) -> T {
    let result = tokio::time::timeout(PATIENCE, waiting).await;
    result.unwrap_or_else(|_| unreachable!("waited in vain for {what}"))
}

/// Configuration of a service on free ports of this machine, with Meta's gateway.
pub(crate) fn service_config(database: &Path, sandbox: &Sandbox) -> String {
    format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n\
         [database]\nurl = \"sqlite:{}\"\n\
         [webhook]\napp_secrets = [\"{APP_SECRET}\"]\nverify_token = \"test-token\"\n\
         [gateway]\npreset = \"graph\"\nbase_url = \"{}\"\napi_key = \"{API_KEY}\"\ntimeout = \"5s\"\n\
         [rules]\nfile = \"rules.toml\"\n",
        database.display(),
        sandbox.base_url(),
    )
}

/// A sandbox that knows our numbers and key.
pub(crate) async fn start_sandbox(clock: Clock, receipts: Receipts) -> Sandbox {
    let numbers = NUMBERS.into_iter().filter_map(PhoneNumberId::parse);
    let sandbox = Sandbox::start(Settings {
        listen: ([127, 0, 0, 1], 0).into(),
        app_secret: APP_SECRET.into(),
        api_key: API_KEY.into(),
        numbers: numbers.collect(),
        clock,
        receipts,
    });
    sandbox.await.unwrap()
}

/// Every message with this contact, oldest first.
pub(crate) async fn transcript(store: &Store, phone: &str) -> Vec<TranscriptMessage> {
    let conversations = store.conversations(Some(phone), 2).await.unwrap();
    assert!(conversations.len() < 2, "several conversations");
    match conversations.first() {
        Some(conversation) => store.transcript(conversation.id, 100_000).await.unwrap(),
        None => Vec::new(),
    }
}

/// Texts of one direction, `in` or `out`.
pub(crate) fn texts<'a>(messages: &'a [TranscriptMessage], direction: &str) -> Vec<&'a str> {
    let one_side = messages
        .iter()
        .filter(|message| message.direction == direction);
    one_side.map(|message| message.text.as_str()).collect()
}

/// Fails unless the text has this part.
#[track_caller]
pub(crate) fn assert_contains(text: &str, part: &str) {
    assert!(text.contains(part), "`{part}` is not in:\n{text}");
}

/// An address of this machine at which nothing listens: it was free a moment ago.
pub(crate) fn closed_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// A folder with these files.
pub(crate) fn folder_with(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

/// Names of the files and folders in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
    let mut names: Vec<String> = entries
        .map(|entry| name(entry).into_string().unwrap())
        .collect();
    names.sort();
    names
}
