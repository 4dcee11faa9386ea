//! Durably acknowledged webhooks per second, their cost and their latency, beside a handler that
//! only reads the body.
//!
//! `cargo bench --bench webhooks` starts its servers as processes of their own and sends them the
//! same mix of signed webhooks over keep-alive connections on loopback, in turn: `stored` is `replyd
//! serve` with rules that answer nothing, `answered` one that answers every message and marks it as
//! read through a gateway in this process. `group-commit` and `store-and-send` do the least that the
//! two can cost (see `ceilings.rs`), and `bare`, an axum handler, reads the body and answers 200.
//!
//! CPU is the server process's own, from `/proc`, so neither the load nor the gateway counts; it
//! counts until the last reply has reached the gateway. After the closed loop, in which each
//! connection waits for an answer before it sends again, an open loop sends at a fixed rate. Three
//! minutes; Linux only.
//!
//! `-- --help` lists the options. A quick look is `-- --only answered --connections 256`; a change
//! is compared with what was before by `-- --beside PATH`, with a `replyd` built before it; and
//! `-- --history 1000000` shows a cost that grows with the database.

#![expect(clippy::print_stdout, reason = "it prints tables")]

mod ceilings;
mod figures;
mod gateway;
mod history;
mod load;
mod options;
mod servers;
#[path = "../support/mod.rs"]
mod support;
mod traffic;

use std::time::Duration;

use clap::Parser as _;
use tokio::task::LocalSet;

use figures::Figures;
use load::Load;
use options::{Command, HALVED, Kind, Options};
use servers::{Build, Tested};

const WARM_UP: Load = Load::Closed { connections: 16 };

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
    println!("\n{}", Figures::HEAD);
    let mut rates = vec![options.rate; servers.len()];
    for &connections in options.connections() {
        let load = Load::Closed { connections };
        let tests: Vec<Test<'_>> = servers.iter().map(|server| (server, load)).collect();
        let medians = run(options, &tests).await;
        if connections == HALVED && options.connections.is_empty() {
            rates = medians
                .iter()
                .map(|figures| Some(figures.half_rate()))
                .collect();
        }
    }
    // At another rate, the bare handler is nothing to compare with.
    let is_compared = |server: &Tested| server.kind != Kind::Bare || options.rate.is_some();
    let tests = servers.iter().zip(rates).filter_map(|(server, rate)| {
        let rate = rate.filter(|_| is_compared(server))?;
        Some((server, Load::Open { rate }))
    });
    run(options, &tests.collect::<Vec<_>>()).await;
    println!("\nwhat             idle MiB  at most MiB  database MiB");
    for server in &servers {
        println!(
            "{:<15}  {:>8.1}  {:>11.1}  {:>12.1}",
            server.name,
            server.idle_mib,
            server.memory_mib("VmHWM"),
            server.database_mib()
        );
    }
}

/// A server with the load that it gets.
type Test<'a> = (&'a Tested, Load);

/// Runs tests in turn, round by round; prints and returns the median round of each.
async fn run(options: &Options, tests: &[Test<'_>]) -> Vec<Figures> {
    let mut rounds = vec![Vec::new(); tests.len()];
    for _ in 0..options.rounds {
        for ((server, load), rounds) in tests.iter().zip(&mut rounds) {
            let time = Duration::from_secs(options.seconds);
            rounds.push(Figures::measure(server, *load, time).await);
        }
    }
    let medians: Vec<Figures> = rounds.into_iter().map(Figures::median).collect();
    let bare = tests
        .iter()
        .position(|(server, _)| server.kind == Kind::Bare);
    let bare = bare.map(|index| &medians[index]);
    for ((server, load), figures) in tests.iter().zip(&medians) {
        println!("{}", figures.line(*load, &server.name, bare));
    }
    medians
}

/// Starts every server that is to be measured: of replyd, one from each binary.
async fn start(options: &Options) -> Vec<Tested> {
    let beside = options.beside.iter().map(String::as_str);
    let mut builds = Vec::new();
    for binary in [env!("CARGO_BIN_EXE_replyd")].into_iter().chain(beside) {
        builds.push(Build::new(binary, options).await);
    }
    for (number, build) in (1..).zip(&builds).skip(1) {
        println!("{number}: {}", build.binary);
    }
    let mut servers = Vec::new();
    for kind in Kind::ALL.into_iter().filter(|kind| options.includes(*kind)) {
        let builds = if kind.is_replyd() {
            &builds[..]
        } else {
            &builds[..1]
        };
        for (number, build) in (1..).zip(builds) {
            let name = match number {
                1 => kind.name(),
                _ => format!("{} {number}", kind.name()),
            };
            let server = Tested::start(name, kind, build, options).await;
            // Until the first replies are there, no receipt has anything to be about.
            Figures::measure(&server, WARM_UP, Duration::from_millis(250)).await;
            servers.push(server);
        }
    }
    servers
}
