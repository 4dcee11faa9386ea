//! `replyd healthcheck`: asks a running service whether it is ready. For containers, which have no
//! curl.
//!
//! The public listener answers with two words; the reasons come from the admin listener, which like
//! this command is on loopback.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::cli::terminal;
use crate::config;

/// Timeout of all requests; shorter than that of container engines.
const TIMEOUT: Duration = Duration::from_secs(4);
/// Part of the timeout for the details.
const DETAILS_TIMEOUT: Duration = Duration::from_secs(1);
/// Maximum size of a response in bytes.
const MAX_ANSWER_BYTES: u64 = 4_096;

/// Answers by its exit code: 0 ready, 1 not.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Configuration file that says where the service listens [default: replyd.toml when there is
    /// one].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the service listens, instead of asking the configuration.
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "config")]
    address: Option<String>,
}

/// Asks `/livez`, then `/readyz`.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let path = arguments.config.as_deref();
    let (address, admin) = if let Some(address) = arguments.address {
        (address, None)
    } else {
        let public = reachable(config::read_server(path)?.listen).to_string();
        // The admin listener only adds details.
        let admin = config::read_admin(path).ok();
        (public, admin.map(|admin| admin.listen.to_string()))
    };
    let exchange = tokio::time::timeout(TIMEOUT, async {
        ask(&address, "/livez").await?.ready("/livez")?;
        let ready = ask(&address, "/readyz").await?;
        let details = match &admin {
            Some(admin) => tokio::time::timeout(DETAILS_TIMEOUT, ask(admin, "/readyz")).await,
            None => Ok(Ok(Answer(String::new()))),
        };
        let details = details.ok().and_then(Result::ok);
        let details = details.map(Answer::details).unwrap_or_default();
        match ready.ready("/readyz") {
            Ok(()) => Ok(details),
            Err(error) => Err(because(&error, details)),
        }
    });
    let details = exchange
        .await
        .with_context(|| format!("{address} does not answer in {} s", TIMEOUT.as_secs()))??;
    terminal::line("ready");
    for line in details {
        terminal::line(line);
    }
    Ok(ExitCode::SUCCESS)
}

/// Adds each condition to the causes of an error.
fn because(error: &anyhow::Error, details: Vec<String>) -> anyhow::Error {
    let causes = details.into_iter().rev().fold(None, |causes, line| {
        Some(match causes {
            None => anyhow::Error::msg(line),
            Some(causes) => anyhow::Error::context(causes, line),
        })
    });
    match causes {
        None => anyhow::anyhow!("{error}"),
        Some(causes) => causes.context(error.to_string()),
    }
}

/// Response of a listener.
struct Answer(String);

impl Answer {
    fn ready(&self, path: &str) -> anyhow::Result<()> {
        if self.0.starts_with("HTTP/1.1 200 ") {
            return Ok(());
        }
        let word = self.body().next().unwrap_or_default();
        anyhow::bail!("not ready: {path} says `{}`", terminal::one_line(word))
    }

    /// Lines after the first word, one condition each.
    fn details(self) -> Vec<String> {
        let lines = self.body().skip(1).map(terminal::one_line);
        lines.collect()
    }

    fn body(&self) -> impl Iterator<Item = &str> {
        let body = self.0.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        body.lines()
    }
}

/// Replaces an unspecified address by loopback.
fn reachable(mut listen: SocketAddr) -> SocketAddr {
    match listen.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => listen.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => listen.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    listen
}

async fn ask(address: &str, path: &str) -> anyhow::Result<Answer> {
    let mut stream = TcpStream::connect(address)
        .await
        .with_context(|| format!("nothing answers at {address}"))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let mut answer = Vec::new();
    let exchange = async {
        stream.write_all(request.as_bytes()).await?;
        stream.take(MAX_ANSWER_BYTES).read_to_end(&mut answer).await
    };
    exchange
        .await
        .with_context(|| format!("{address} broke off at {path}"))?;
    Ok(Answer(String::from_utf8_lossy(&answer).into_owned()))
}
