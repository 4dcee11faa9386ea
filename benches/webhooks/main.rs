//! Durably acknowledged webhooks per second, their cost and their latency, beside a handler that
//! only reads the body.
//!
//! `cargo bench --bench webhooks` starts its servers as processes of their own and sends them the
//! same mix of signed webhooks over keep-alive connections on loopback, in turn: `stored` is `replyd
//! serve` with rules that answer nothing, `answered` one that answers every message and marks it as
//! read through a gateway in this process. `group-commit` and `store-and-send` do the least that the
//! two can cost (see `ceilings.rs`), and `bare`, an axum handler, reads the body and answers 200. CPU is the server process's own, from `/proc`, so neither the load nor the gateway counts;
//! it counts until the last reply has reached the gateway. A minute or two; Linux only.
//!
//! `-- --help` lists the options: a quick look is `-- --only answered --connections 256`, before
//! and after a change is `-- --beside PATH` with a `replyd` built before it.

#![expect(clippy::print_stdout, reason = "it prints tables")]

mod ceilings;
mod figures;
mod gateway;
mod load;
mod options;
mod servers;
#[path = "../support/mod.rs"]
mod support;
mod traffic;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser as _;
use tokio::task::LocalSet;

use figures::Figures;
use options::{Command, Kind, Options};
use servers::Tested;

fn main() -> Result<(), clap::Error> {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) if error.use_stderr() => return Err(error),
        Err(help) => {
            println!("{help}");
            return Ok(());
        }
    };
    if let Some(Command::Serve {
        kind,
        listen,
        database,
        gateway,
    }) = options.command
    {
        ceilings::run(kind, &listen, &database, gateway);
        return Ok(());
    }
    // One thread for the load and the gateway: the machine belongs to the server.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("epoll is there");
    runtime.block_on(LocalSet::new().run_until(measure(&options)));
    Ok(())
}

async fn measure(options: &Options) {
    let servers = start(options).await;
    let bare = servers.iter().position(|server| server.kind == Kind::Bare);
    let bare = bare.expect("it always runs");
    println!("\n{}", Figures::HEAD);
    for &connections in &options.connections {
        let mut rounds = vec![Vec::new(); servers.len()];
        for _ in 0..options.rounds {
            for (server, rounds) in servers.iter().zip(&mut rounds) {
                let time = Duration::from_secs(options.seconds);
                rounds.push(Figures::closed_loop(server, connections, time).await);
            }
        }
        let medians: Vec<Figures> = rounds.into_iter().map(Figures::median).collect();
        for (server, figures) in servers.iter().zip(&medians) {
            let load = connections.to_string();
            println!("{}", figures.line(&load, &server.name, &medians[bare]));
        }
    }

    println!("\nwhat           idle MiB  at most MiB  database MiB");
    for server in &servers {
        println!(
            "{:<13}  {:>8.1}  {:>11.1}  {:>12.1}",
            server.name,
            server.idle_mib,
            server.memory_mib("VmHWM"),
            server.database_mib()
        );
    }
}

/// Starts every server that is to be measured: of replyd, one from each binary.
async fn start(options: &Options) -> Vec<Tested> {
    let binaries = [PathBuf::from(env!("CARGO_BIN_EXE_replyd"))];
    let binaries: Vec<&PathBuf> = binaries.iter().chain(&options.beside).collect();
    let mut servers = Vec::new();
    for kind in Kind::ALL.into_iter().filter(|kind| options.includes(*kind)) {
        if !kind.is_replyd() {
            servers.push(Tested::start(kind.name(), kind, Path::new("")).await);
            continue;
        }
        for (number, binary) in (1..).zip(&binaries) {
            let name = match number {
                1 => kind.name(),
                _ => format!("{} {number}", kind.name()),
            };
            if number > 1 {
                println!("{name}: {}", binary.display());
            }
            servers.push(Tested::start(name, kind, binary).await);
        }
    }
    servers
}
