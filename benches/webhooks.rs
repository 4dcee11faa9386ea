//! Durably acknowledged webhooks per second and their cost, beside a handler that only reads the
//! body.
//!
//! `cargo bench --bench webhooks` starts three servers as processes of their own and sends them the
//! same signed webhooks over keep-alive connections on loopback, in turn: `stored` is `replyd
//! serve` with rules that answer nothing, `answered` one that answers every message through a
//! gateway in this process, `bare` an axum handler that reads the body and answers 200. CPU is the
//! server process's own, from `/proc`, so neither the load nor the gateway counts. One to two
//! minutes; Linux only.

#![expect(clippy::print_stdout, reason = "it prints a table")]

mod support;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;

use support::{Server, free_address, percentile_ms, signed_request};

const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(2);
/// Clock ticks per second in `/proc/<pid>/stat`; 100 on every Linux.
const TICKS: f64 = 100.0;
const ANSWERING: &str = "version = 1\n[bot]\nname = \"Bench\"\nmark_read = false\n\
    reply_budget = { per_minute = 1000, per_hour = 1000 }\n\
    [[rule]]\nid = \"menu\"\nwhen.text.has = [\"menu\", \"hello\"]\nreply = \"Hi {{ contact.name }}\"\n";
const SILENT: &str = "version = 1\n[bot]\nmark_read = false\n\
    [[rule]]\nid = \"menu\"\nwhen.text.has = [\"card\", \"price\"]\nreply = \"Hi {{ contact.name }}\"\n";
/// Enough that WhatsApp's 1,000 messages a second and number are no limit here.
const NUMBERS: u64 = 50;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(address) = arguments
        .iter()
        .skip_while(|argument| *argument != "--bare")
        .nth(1)
    {
        return run_bare(address);
    }

    let gateway = start_gateway();
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder for the database"));
    let servers = [
        ("stored", start_replyd(folders[0].path(), SILENT, gateway)),
        (
            "answered",
            start_replyd(folders[1].path(), ANSWERING, gateway),
        ),
        ("bare", start_bare()),
    ];

    println!("connections  what      webhooks/s   CPU s per 1,000   p50 ms   p99 ms");
    for connections in [1, 16, 64, 256] {
        let mut figures = servers.each_ref().map(|_| Vec::new());
        for _ in 0..ROUNDS {
            for ((_, server), figures) in servers.iter().zip(&mut figures) {
                figures.push(measure(server, connections));
            }
        }
        for ((name, _), mut figures) in servers.iter().zip(figures) {
            figures.sort_by(|a, b| a.rate.total_cmp(&b.rate));
            row(connections, name, &figures[ROUNDS / 2]);
        }
    }
}

fn row(connections: usize, name: &str, figure: &Figure) {
    println!(
        "{connections:>11}  {name:<8}  {:>10.0}   {:>15.4}   {:>6.2}   {:>6.2}",
        figure.rate, figure.cpu_per_thousand, figure.p50_ms, figure.p99_ms
    );
}

struct Figure {
    rate: f64,
    cpu_per_thousand: f64,
    p50_ms: f64,
    p99_ms: f64,
}

/// One round: every connection sends, waits for the answer, sends again.
fn measure(server: &Server, connections: usize) -> Figure {
    let cpu_before = cpu_seconds(server.process.id());
    let start = Instant::now();

    let mut latencies: Vec<Duration> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..connections)
            .map(|_| scope.spawn(|| keep_sending(server.address, start + ROUND)))
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("a sender ends"))
            .collect()
    });

    let seconds = start.elapsed().as_secs_f64();
    let cpu = cpu_seconds(server.process.id()) - cpu_before;
    latencies.sort();
    #[expect(clippy::cast_precision_loss, reason = "a few hundred thousand at most")]
    let count = latencies.len() as f64;
    Figure {
        rate: count / seconds,
        cpu_per_thousand: cpu / count * 1000.0,
        p50_ms: percentile_ms(&latencies, 50),
        p99_ms: percentile_ms(&latencies, 99),
    }
}

fn keep_sending(address: SocketAddr, until: Instant) -> Vec<Duration> {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_nodelay(true).expect("loopback takes it");
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("not zero");
    let mut latencies = Vec::new();
    let mut answer = [0; 1024];
    while Instant::now() < until {
        // Answered, because it is new.
        let request = signed_request("", NUMBERS, seconds_since_1970(), 0);
        let sent = Instant::now();
        stream
            .write_all(&request)
            .expect("the connection stays open");
        let mut read = 0;
        while !answer[..read].windows(4).any(|bytes| bytes == b"\r\n\r\n") {
            let more = stream.read(&mut answer[read..]).expect("an answer in time");
            assert!(more > 0, "the server closed the connection");
            read += more;
        }
        assert!(
            answer.starts_with(b"HTTP/1.1 200"),
            "{}",
            String::from_utf8_lossy(&answer[..read])
        );
        latencies.push(sent.elapsed());
    }
    latencies
}

#[expect(
    clippy::disallowed_methods,
    reason = "the messages must be fresh or they are not answered"
)]
fn seconds_since_1970() -> u64 {
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970")
        .as_secs()
}

/// User and system time the process has used.
fn cpu_seconds(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("Linux has it");
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .expect("after the name")
        .split_whitespace()
        .collect();
    let ticks = |index: usize| fields[index].parse::<f64>().expect("a number");
    (ticks(11) + ticks(12)) / TICKS
}

fn start_replyd(folder: &Path, rules: &str, gateway: SocketAddr) -> Server {
    let config =
        "[delivery]\nmessages_per_second = 1000\nmax_in_flight = 256\n[log]\nfilter = \"error\"\n";
    let binary = env!("CARGO_BIN_EXE_replyd");
    let (mut command, address) = support::replyd(binary, folder, rules, gateway, config);
    Server::start(&mut command, address)
}

/// A gateway that takes everything: one thread a connection.
fn start_gateway() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || take_sends(stream.expect("loopback connects")));
        }
    });
    address
}

fn take_sends(mut stream: TcpStream) {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    stream.set_nodelay(true).expect("loopback takes it");
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let head = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let whole = head.map(|head| head + 4 + content_length(&bytes[..head]));
        match whole.filter(|whole| bytes.len() >= *whole) {
            None => match stream.read(&mut part) {
                Ok(0) | Err(_) => return,
                Ok(read) => bytes.extend_from_slice(&part[..read]),
            },
            Some(whole) => {
                bytes.drain(..whole);
                let number = NUMBER.fetch_add(1, Ordering::Relaxed);
                let body = format!("{{\"messages\":[{{\"id\":\"wamid.SENT{number}\"}}]}}");
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
                );
                if stream.write_all(answer.as_bytes()).is_err() {
                    return;
                }
            }
        }
    }
}

fn content_length(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head).to_lowercase();
    let line = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    line.and_then(|value| value.trim().parse().ok())
        .unwrap_or(0)
}

fn start_bare() -> Server {
    let address = free_address();
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    Server::start(command.arg("--bare").arg(address.to_string()), address)
}

/// The least a webhook can do: read the body, answer 200.
fn run_bare(address: &str) {
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(address)
            .await
            .expect("the port is free");
        let router = Router::new().route("/webhook", post(|_body: Bytes| async {}));
        axum::serve(listener, router)
            .await
            .expect("it serves until it is killed");
    });
}
