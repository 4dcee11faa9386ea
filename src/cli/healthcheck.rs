//! `replyd healthcheck`: asks a running service whether it is ready. For containers, which have no curl.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::ui;
use crate::config;

/// For both questions together; less than a container engine waits.
const TIMEOUT: Duration = Duration::from_secs(4);
/// Our answers are a few words.
const MAX_ANSWER_BYTES: u64 = 4_096;

/// Answers by its exit code: 0 ready, 1 not.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Configuration file that says where the service listens [default: replyd.toml when there is one].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the service listens, instead of asking the configuration.
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "config")]
    address: Option<String>,
}

/// Asks `/livez`, then `/readyz`.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let address = match arguments.address {
        Some(address) => address,
        None => reachable(config::read_server(arguments.config.as_deref())?.listen).to_string(),
    };
    tokio::time::timeout(TIMEOUT, async {
        ask(&address, "/livez").await?;
        ask(&address, "/readyz").await
    })
    .await
    .with_context(|| format!("{address} does not answer in {} s", TIMEOUT.as_secs()))??;
    ui::line("ready");
    Ok(ExitCode::SUCCESS)
}

/// A service that listens on every address is asked on loopback.
fn reachable(mut listen: SocketAddr) -> SocketAddr {
    match listen.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => listen.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => listen.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    listen
}

async fn ask(address: &str, path: &str) -> anyhow::Result<()> {
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
    let answer = String::from_utf8_lossy(&answer);
    if answer.starts_with("HTTP/1.1 200 ") {
        return Ok(());
    }
    let said = answer.lines().last().unwrap_or_default();
    anyhow::bail!("not ready: {path} says `{}`", ui::one_line(said))
}
