//! The servers under test, each a process of its own, and what they use.

use std::cell::Cell;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::sleep;

use crate::gateway;
use crate::history::{self, FILE};
use crate::options::{Kind, Options};
use crate::support::{self, Server, free_address};
use crate::traffic::Traffic;

/// Clock ticks per second in `/proc/<pid>/stat`; 100 on every Linux.
const TICKS: f64 = 100.0;
/// Its guards are wide open: 5,000 contacts write much more than people do.
const ANSWERING: &str = r#"
version = 1
[bot]
name = "Bench"
mark_read = true
loop_guard = false
reply_budget = { per_minute = 1000, per_hour = 1000 }

[[rule]]
id = "menu"
when.text.has = ["menu", "hello"]
[rule.reply]
text = "Hi {{ contact.name }}! What can we do for you?"
footer = "{{ bot.name }}"
buttons = [
  { id = "order", title = "Order a cake" },
  { id = "hours", title = "Opening hours" },
  { id = "human", title = "Talk to us" },
]

[[rule]]
id = "order"
when.button = "order"
[rule.reply]
text = "Which cake shall it be?"
[rule.reply.list]
button = "See the cakes"
sections = [{ rows = [
  { id = "cake:carrot", title = "Carrot", description = "For 12 people" },
  { id = "cake:lemon", title = "Lemon", description = "For 8 people" },
] }]

[[rule]]
id = "cake"
when.button = "cake:*"
reply = "One {{ match.star }} cake. When shall it be ready, {{ contact.name }}?"

[[rule]]
id = "fallback"
reply = "I did not understand that. Write \"menu\" to see what I can do."
"#;
const SILENT: &str = r#"
version = 1
[bot]
mark_read = false
loop_guard = false
[[rule]]
id = "card"
when.text.has = ["card", "price"]
reply = "Hi {{ contact.name }}"
"#;
const CONFIG: &str =
    "[delivery]\nmessages_per_second = 1000\nmax_in_flight = 256\n[log]\nfilter = \"error\"\n";

/// A build of replyd, with the history that its servers start with.
pub(crate) struct Build {
    pub(crate) binary: String,
    history: Option<TempDir>,
    /// Servers that have no copy of the history yet.
    left: Cell<usize>,
}

impl Build {
    pub(crate) async fn new(binary: &str, options: &Options) -> Self {
        let history = match options.history {
            0 => None,
            messages => Some(history::write(binary, messages).await),
        };
        let servers = Kind::ALL.into_iter().filter(|kind| kind.is_replyd());
        Self {
            binary: binary.to_owned(),
            history,
            left: Cell::new(servers.filter(|kind| options.includes(*kind)).count()),
        }
    }

    /// Puts the history into the folder of a server; the last one gets the file itself.
    fn put_history(&self, folder: &Path) {
        let left = self.left.replace(self.left.get() - 1);
        if let Some(history) = &self.history {
            let (from, to) = (history.path().join(FILE), folder.join(FILE));
            let put = if left > 1 {
                fs::copy(from, to).map(drop)
            } else {
                fs::rename(from, to)
            };
            put.expect("the disk has room");
        }
    }
}

/// A running server with its contacts and its database.
pub(crate) struct Tested {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) traffic: Rc<Traffic>,
    /// Resident memory before the first webhook, in MiB.
    pub(crate) idle_mib: f64,
    server: Server,
    folder: TempDir,
}

impl Tested {
    /// Starts a server of one kind; replyd from this build.
    pub(crate) async fn start(name: String, kind: Kind, build: &Build, options: &Options) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the database");
        let every = history::contacts_for_each(options.history);
        let traffic = Rc::new(Traffic::new(kind.answers(), every));
        let gateway = gateway::start(Rc::clone(&traffic)).await;
        let (mut command, address) = if kind.is_replyd() {
            build.put_history(folder.path());
            let rules = if kind.answers() { ANSWERING } else { SILENT };
            let rules = rules.replacen("[[rule]]", &(other_rules(options.rules) + "[[rule]]"), 1);
            support::replyd(&build.binary, folder.path(), &rules, gateway, CONFIG)
        } else {
            ceiling(kind, folder.path(), gateway)
        };
        let server = Server::start(&mut command, address);
        let mut tested = Self {
            name,
            kind,
            traffic,
            idle_mib: 0.0,
            server,
            folder,
        };
        tested.wait_until_idle().await;
        tested.idle_mib = tested.memory_mib("VmRSS");
        tested
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// User and system time that the process has used.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        let stat = self.proc("stat");
        let after_name = stat.rsplit(')').next().expect("a part after the name");
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        let ticks = |index: usize| fields[index].parse::<f64>().expect("a number");
        (ticks(11) + ticks(12)) / TICKS
    }

    /// A line of `/proc/<pid>/status`: `VmRSS` now, `VmHWM` at most.
    pub(crate) fn memory_mib(&self, line: &str) -> f64 {
        let status = self.proc("status");
        let value = status
            .lines()
            .find_map(|text| text.strip_prefix(line)?.strip_prefix(':'))
            .and_then(|value| value.trim().strip_suffix(" kB"))
            .expect("Linux writes it");
        value.parse::<f64>().expect("a number") / 1_024.0
    }

    /// Bytes of the database with its log, in MiB.
    pub(crate) fn database_mib(&self) -> f64 {
        let files = fs::read_dir(self.folder.path()).expect("the folder is ours");
        let sizes = files
            .filter_map(Result::ok)
            .filter(|file| file.file_name().to_string_lossy().starts_with(FILE))
            .filter_map(|file| file.metadata().ok());
        #[expect(clippy::cast_precision_loss, reason = "rounded to a tenth of a MiB")]
        let bytes = sizes.map(|file| file.len()).sum::<u64>() as f64;
        bytes / 1_048_576.0
    }

    /// Waits until the process uses less than a quarter of a core: a large file is checked after the
    /// start.
    async fn wait_until_idle(&self) {
        const SECOND: Duration = Duration::from_secs(1);
        // Thousands of rules are read again each second, to see whether they have changed.
        const IDLE: f64 = 0.25;
        let mut before = f64::NEG_INFINITY;
        loop {
            let used = self.cpu_seconds();
            if used - before < IDLE {
                return;
            }
            before = used;
            sleep(SECOND).await;
        }
    }

    fn proc(&self, file: &str) -> String {
        let path = format!("/proc/{}/{file}", self.server.process.id());
        fs::read_to_string(path).expect("Linux has it while the process lives")
    }
}

/// Rules for words that nobody writes.
fn other_rules(count: usize) -> String {
    let rule = |number| {
        format!(
            "[[rule]]\nid = \"other-{number}\"\nwhen.text.has = [\"product{number}\", \"code {number}\"]\n\
             reply = \"Product {number} is sold out.\"\n\n"
        )
    };
    (0..count).map(rule).collect()
}

/// This program as one of the ceilings.
fn ceiling(kind: Kind, folder: &Path, gateway: SocketAddr) -> (Command, SocketAddr) {
    let address = free_address();
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command
        .args(["serve", &kind.name(), &address.to_string()])
        .arg(folder.join(FILE))
        .arg(format!("http://{gateway}"));
    (command, address)
}
