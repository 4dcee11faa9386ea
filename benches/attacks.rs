//! Latency of honest webhooks while strangers attack the public listener, beside a quiet one.
//!
//! `cargo bench --bench attacks` starts `replyd serve` as a process of its own on loopback and
//! sends it signed webhooks at a fixed rate, each over a connection of its own, alone and under
//! each attack. The strangers play several addresses (127.0.1.1 to 127.0.1.8), hold on for as long
//! as the server lets them, and come back a second after they were thrown out. A latency counts
//! from the moment a request was due, so a server that stalls cannot hide it. Under a minute; Linux
//! only; needs some 4,000 open files. `-- --binary PATH` measures another build, with its built-in
//! configuration.

#![expect(clippy::print_stdout, reason = "it prints a table")]

mod support;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use support::{Server, percentile_ms, signed_post};

const RULES: &str =
    "version = 1\n[[rule]]\nid = \"menu\"\nwhen.text.has = [\"card\", \"price\"]\nreply = \"Hi\"\n";
/// Seconds of honest requests in each situation, and their number a second: large ones are rare.
const SECONDS: u32 = 4;
const SMALL_RATE: u32 = 50;
const LARGE_RATE: u32 = 10;
/// An honest request without an answer by then has failed, and counts as this long.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pause of a stranger after it was thrown out.
const COMES_BACK: Duration = Duration::from_secs(1);
const SMALL: usize = 1_000;
const LARGE: usize = 147_000;

/// Action that each stranger repeats.
#[derive(Clone, Copy)]
enum Attack {
    None,
    /// A connection that sends nothing.
    HalfOpen,
    /// One request, then silence.
    Idle,
    /// A body of 70 kB with a false signature whose last byte never comes.
    Silent,
    /// A head that comes byte by byte.
    DripHead,
    /// A body that comes byte by byte.
    DripBody,
    /// Unsigned requests as fast as they are answered.
    Flood,
}

struct Situation {
    name: &'static str,
    attack: Attack,
    strangers: usize,
    body: usize,
}

const fn situation(name: &'static str, attack: Attack, strangers: usize, body: usize) -> Situation {
    Situation {
        name,
        attack,
        strangers,
        body,
    }
}

/// The rows after each "alone" are compared with it.
const SITUATIONS: [Situation; 9] = [
    situation("alone", Attack::None, 0, SMALL),
    situation("1,500 half-open", Attack::HalfOpen, 1_500, SMALL),
    situation("1,500 idle keep-alive", Attack::Idle, 1_500, SMALL),
    situation("500 dripping heads", Attack::DripHead, 500, SMALL),
    situation("500 dripping bodies", Attack::DripBody, 500, SMALL),
    situation("flood of unsigned GETs", Attack::Flood, 4, SMALL),
    situation("alone, 147 kB", Attack::None, 0, LARGE),
    situation("40 silent 70 kB bodies", Attack::Silent, 40, LARGE),
    situation("500 silent 70 kB bodies", Attack::Silent, 500, LARGE),
];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let other = arguments
        .iter()
        .skip_while(|argument| *argument != "--binary")
        .nth(1);
    let binary = other.map_or(env!("CARGO_BIN_EXE_replyd"), String::as_str);
    let folder = tempfile::tempdir().expect("a folder for the database");
    let server = start_replyd(binary, folder.path());
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    runtime.block_on(async {
        println!("situation                  p50 ms     p99 ms   p99 to alone   failed");
        let mut alone = f64::NAN;
        for situation in &SITUATIONS {
            let figure = measure(server.address, situation).await;
            if matches!(situation.attack, Attack::None) {
                alone = figure.p99_ms;
            }
            println!(
                "{:<24} {:>8.1}   {:>8.1}   {:>12.1}   {:>6}",
                situation.name,
                figure.p50_ms,
                figure.p99_ms,
                figure.p99_ms / alone,
                figure.failed
            );
        }
    });
}

struct Figure {
    p50_ms: f64,
    p99_ms: f64,
    failed: usize,
}

async fn measure(address: SocketAddr, situation: &Situation) -> Figure {
    let arrived = Arc::new(AtomicUsize::new(0));
    let mut strangers = JoinSet::new();
    for number in 0..situation.strangers {
        let (attack, arrived) = (situation.attack, Arc::clone(&arrived));
        strangers.spawn(async move {
            // Their number is below 1,500, and so is this below 8.
            let last = u8::try_from(number % 8).unwrap_or_default() + 1;
            let mut has_arrived = false;
            loop {
                let stayed = stay(attack, last, address, || {
                    if !std::mem::replace(&mut has_arrived, true) {
                        arrived.fetch_add(1, Ordering::Relaxed);
                    }
                });
                let _ = stayed.await;
                sleep(COMES_BACK).await;
            }
        });
    }
    // A server whose queue is full takes no more strangers: the attack is at its strongest by then.
    let all_there = async {
        while arrived.load(Ordering::Relaxed) < situation.strangers {
            sleep(Duration::from_millis(5)).await;
        }
    };
    let _ = timeout(Duration::from_secs(1), all_there).await;

    let rate = if situation.body == LARGE {
        LARGE_RATE
    } else {
        SMALL_RATE
    };
    // Signed before the time begins to count: that is not the server's work.
    let requests: Vec<Vec<u8>> = (0..SECONDS * rate)
        .map(|_| signed_post("connection: close\r\n", &new_message(situation.body)))
        .collect();
    let start = Instant::now();
    let mut honest = JoinSet::new();
    for (number, request) in (0..).zip(requests) {
        let due = start + Duration::from_secs(1) / rate * number;
        honest.spawn(async move {
            sleep_until(due).await;
            let answered = timeout(PATIENCE, deliver(address, &request)).await;
            match answered {
                Ok(Ok(answer)) if answer.starts_with(b"HTTP/1.1 200") => (due.elapsed(), 0),
                _ => (PATIENCE.max(due.elapsed()), 1),
            }
        });
    }
    let mut results = honest.join_all().await;
    strangers.shutdown().await;
    results.sort_unstable();
    let (latencies, failed): (Vec<_>, Vec<usize>) = results.into_iter().unzip();
    Figure {
        p50_ms: percentile_ms(&latencies, 50),
        p99_ms: percentile_ms(&latencies, 99),
        failed: failed.iter().sum(),
    }
}

/// A webhook with one new text message, filled up with blanks to this length in bytes.
fn new_message(bytes: usize) -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let phone = 15_550_000_000 + number % 5_000;
    let mut body = format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"id":"1","changes":[{{"field":"messages","value":{{"messaging_product":"whatsapp","metadata":{{"display_phone_number":"15550001111","phone_number_id":"10650000"}},"contacts":[{{"profile":{{"name":"Ana Lima"}},"wa_id":"{phone}"}}],"messages":[{{"from":"{phone}","id":"wamid.HBgLMTU1NTAwMDAwMDAVAgASGBQzQTg2{number:012}AA==","timestamp":"1760000000","type":"text","text":{{"body":"Hello, is there a menu for today?"}}}}]}}}}]}}]}}"#,
    );
    body.push_str(&" ".repeat(bytes.saturating_sub(body.len())));
    body
}

/// One signed webhook over a connection of its own.
async fn deliver(address: SocketAddr, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}

/// One stay of a stranger, until the server ends it; calls `arrived` once its attack has begun.
async fn stay(
    attack: Attack,
    last: u8,
    address: SocketAddr,
    mut arrived: impl FnMut(),
) -> std::io::Result<()> {
    const FALSE: &str = "sha256=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::new(127, 0, 1, last), 0).into())?;
    let mut stream = socket.connect(address).await?;
    let post = |length: usize| {
        format!(
            "POST /webhook HTTP/1.1\r\nhost: bench\r\nx-hub-signature-256: {FALSE}\r\n\
             content-length: {length}\r\n\r\n"
        )
    };
    let mut buffer = [0; 4_096];
    match attack {
        Attack::None => return Ok(()),
        Attack::HalfOpen => {}
        Attack::Idle => {
            stream
                .write_all(b"GET /livez HTTP/1.1\r\nhost: bench\r\n\r\n")
                .await?;
            if stream.read(&mut buffer).await? == 0 {
                return Ok(());
            }
        }
        Attack::Silent => {
            stream.write_all(post(70_000).as_bytes()).await?;
            stream.write_all(&vec![b' '; 69_999]).await?;
        }
        Attack::DripHead | Attack::DripBody => {
            if let Attack::DripBody = attack {
                stream.write_all(post(70_000).as_bytes()).await?;
            } else {
                stream.write_all(b"GET /").await?;
            }
            arrived();
            let mut ended = [0];
            loop {
                match timeout(Duration::from_millis(200), stream.read(&mut ended)).await {
                    Ok(_) => return Ok(()),
                    Err(_) => stream.write_all(b"x").await?,
                }
            }
        }
        Attack::Flood => loop {
            arrived();
            stream
                .write_all(b"GET /webhook HTTP/1.1\r\nhost: bench\r\n\r\n")
                .await?;
            if stream.read(&mut buffer).await? == 0 {
                return Ok(());
            }
        },
    }
    arrived();
    // Holds on until the server has had enough.
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}

/// Starts the service as if it stood in the open: no address is a proxy's.
fn start_replyd(binary: &str, folder: &Path) -> Server {
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
    let (mut command, address) = support::replyd(binary, folder, RULES, nowhere, "");
    if binary == env!("CARGO_BIN_EXE_replyd") {
        // Not in the file, which builds from before this key must be able to read.
        command.env("REPLYD__SERVER__TRUSTED_PROXIES", "[]");
    }
    let log = std::fs::File::create(folder.join("log")).expect("the folder is ours");
    Server::start(command.stderr(log), address)
}
