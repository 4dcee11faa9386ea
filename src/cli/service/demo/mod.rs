//! `replyd demo`: service and sandbox on this machine, without any configuration.
//!
//! The service is an ordinary one with an ordinary configuration; its gateway is the sandbox, which
//! sends it signed webhooks over HTTP. [`folder`] holds its files.

mod folder;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use folder::DemoFolder;
use serde_json::json;
use uuid::Uuid;

use crate::app::App;
use crate::cli::demo_files::{ADDRESS_FILE, CONFIG_FILE, DATA_FOLDER};
use crate::cli::terminal::{self, DIM, LITERAL, STRONG, paint};
use crate::clock::Clock;
use crate::config::{self, Sources};
use crate::message::PhoneNumberId;
use crate::sandbox::{Receipts, Sandbox, Settings, WABA};
use crate::shutdown::Shutdown;
use crate::telemetry::{self, LogFormat, StderrQueue};

/// The demo's business number, by the id Meta would give it.
const NUMBER: &str = "106540352242922";
/// Keeps ordinary log lines out of the welcome text.
const LOG_FILTER: &str = "warn";
const RULES: &str = include_str!("../../../../examples/bakery.toml");

/// Needs nothing: makes a folder, a database, rules, secrets and a pretend WhatsApp.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Folder for the database and the rules, empty or of an earlier demo; kept from one run to the
    /// next.
    #[arg(long, value_name = "DIR", default_value = DATA_FOLDER)]
    data: PathBuf,
}

/// Runs service and pretend WhatsApp until a signal stops them.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let shutdown = Shutdown::on_signals().context("could not listen for signals")?;
    let lines =
        StderrQueue::to_stderr().context("could not start the thread that writes log lines")?;
    telemetry::start_logs(&lines, LogFormat::Text, LOG_FILTER)?;
    let mut data = DemoFolder::take(arguments.data)?;
    data.write_rules(RULES)?;
    let (sandbox, app, path) = start(&data).await?;
    sandbox.connect(format!("http://{}{path}", app.webhook_address()));
    // Removed at the end, so that `replyd sandbox` reports a stopped demo at once.
    let address = json!({ "url": sandbox.base_url() });
    data.write_passing(ADDRESS_FILE, address.to_string())?;
    terminal::line(welcome(data.path(), &app, &sandbox, &path));
    app.run(shutdown).await?;
    Ok(ExitCode::SUCCESS)
}

/// Choice of ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ports {
    /// Ports of a real service where they are free.
    Wished,
    /// Any free port.
    Any,
}

/// Starts sandbox and service; tries other ports when another program takes one meanwhile.
async fn start(data: &DemoFolder) -> anyhow::Result<(Sandbox, App, String)> {
    const TRIES: usize = 5;
    let mut ports = Ports::Wished;
    for _ in 1..TRIES {
        match start_on(data, ports).await {
            Err(error) if is_taken(&error) => ports = Ports::Any,
            started => return started,
        }
    }
    start_on(data, ports).await
}

fn is_taken(error: &anyhow::Error) -> bool {
    let mut errors = error.chain().filter_map(|cause| cause.downcast_ref());
    errors.any(|error: &io::Error| error.kind() == io::ErrorKind::AddrInUse)
}

/// Returns sandbox, service and the path of its webhook.
async fn start_on(data: &DemoFolder, ports: Ports) -> anyhow::Result<(Sandbox, App, String)> {
    let (app_secret, api_key) = (secret(), secret());
    let sandbox = Sandbox::start(Settings {
        listen: free_address(8090, ports)?,
        app_secret: app_secret.clone().into(),
        api_key: api_key.clone().into(),
        numbers: PhoneNumberId::parse(NUMBER).into_iter().collect(),
        clock: Clock::System,
        receipts: Receipts::Normal,
    });
    let sandbox = sandbox
        .await
        .context("could not start the pretend WhatsApp")?;
    let url = sandbox.base_url();
    let text = format!(
        "# For other commands: --config with this file.\n\
         [server]\nlisten = \"{}\"\n[admin]\nlisten = \"{}\"\n[database]\nurl = \"sqlite:demo.db\"\n\
         [webhook]\napp_secrets = [\"{app_secret}\"]\nverify_token = \"{}\"\n\
         [gateway]\npreset = \"maton\"\nbase_url = \"{url}\"\ncontrol_url = \"{url}\"\n\
         api_key = \"{api_key}\"\nrequests_per_second = 0\n[media]\ntoken = \"{api_key}\"\n\
         [rules]\nfile = \"rules.toml\"\n[log]\nfilter = \"{LOG_FILTER}\"\n\
         [[number]]\nphone_number_id = \"{NUMBER}\"\nwaba_id = \"{WABA}\"\n",
        free_address(8080, ports)?,
        free_address(8081, ports)?,
        secret(),
    );
    let config = config::load(&Sources {
        file: Some(data.write_config(&text)?),
        environment: Vec::new(),
    })?;
    let path = config.webhook.path.clone();
    let app = App::build(config, Clock::System).await?;
    Ok((sandbox, app, path))
}

fn welcome(data: &Path, app: &App, sandbox: &Sandbox, path: &str) -> String {
    let row = |what: &str, text: String| format!("  {what:<18} {text}");
    let option = match data {
        data if data == Path::new(DATA_FOLDER) => String::new(),
        data => format!(" --data {}", data.display()),
    };
    let program = program();
    let command = |arguments: &str| paint!(LITERAL, "{program} {arguments}{option}");
    let file = data.join(CONFIG_FILE).display().to_string();
    let beside = |arguments: &str| {
        let command = format!("{program} {arguments} --config {file}");
        paint(LITERAL, command)
    };
    [
        paint(
            STRONG,
            "replyd demo: Luna Bakery answers on a pretend WhatsApp",
        ),
        String::new(),
        row("rules", data.join("rules.toml").display().to_string()),
        row("database", data.join("demo.db").display().to_string()),
        row("webhook", format!("http://{}{path}", app.webhook_address())),
        row("metrics", format!("http://{}/metrics", app.admin_address())),
        row("pretend WhatsApp", sandbox.base_url()),
        String::new(),
        "Write to it from another terminal, in this folder:".to_owned(),
        format!("  {}", command("sandbox say \"hello\"")),
        format!("  {}", command("sandbox tap 1")),
        "read the conversation, and try any other command on it:".to_owned(),
        format!("  {}", beside("history")),
        format!("  {}", beside("doctor")),
        format!("  {}", beside("send +15550000001 \"It is ready\"")),
        String::new(),
        paint(
            DIM,
            "Change the rules: the next message is answered by them. Ctrl-C stops.",
        ),
    ]
    .join("\n")
}

/// Command that starts this program as it was started: through cargo, or by the name that was
/// typed.
fn program() -> String {
    let here = std::env::current_exe().unwrap_or_default();
    let is_below = |folder: &str| here.parent().is_some_and(|parent| parent.ends_with(folder));
    if config::is_run_by_cargo() {
        let option = if is_below("release") {
            " --release"
        } else {
            ""
        };
        return format!("cargo run{option} --");
    }
    let typed = std::env::args_os().next().unwrap_or_default();
    let typed = typed.to_string_lossy();
    let is_plain = |character: char| character.is_alphanumeric() || "/._-+~:\\".contains(character);
    if typed.is_empty() {
        "replyd".to_owned()
    } else if typed.chars().all(is_plain) {
        terminal::visible(&typed)
    } else {
        format!("'{}'", terminal::visible(&typed))
    }
}

/// The wanted port if it is free, else any.
fn free_address(wished: u16, ports: Ports) -> anyhow::Result<SocketAddr> {
    let bind = |port| TcpListener::bind(("127.0.0.1", port)).and_then(|free| free.local_addr());
    let address = match ports {
        Ports::Wished => bind(wished).or_else(|_| bind(0)),
        Ports::Any => bind(0),
    };
    address.context("there is no free port on loopback")
}

fn secret() -> String {
    Uuid::new_v4().simple().to_string()
}
