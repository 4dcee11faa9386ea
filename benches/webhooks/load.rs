//! The load: signed webhooks over keep-alive connections, all on this thread.

use std::cell::Cell;
use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::traffic::Traffic;

/// A webhook without an answer by then ends the benchmark.
const PATIENCE: Duration = Duration::from_secs(20);
/// More than wait for an answer at the same time while the server keeps up.
const OPEN_CONNECTIONS: usize = 256;

/// How webhooks are sent.
#[derive(Clone, Copy)]
pub(crate) enum Load {
    /// Over this many connections, each of which waits for an answer before it sends again.
    Closed { connections: usize },
    /// At a fixed number per second.
    Open { rate: u32 },
}

impl Load {
    /// Sends for this time, to a server that is connected to before it begins; returns the latencies
    /// of the answers, sorted, and the time until the last one.
    pub(crate) async fn send(
        self,
        address: SocketAddr,
        traffic: &Rc<Traffic>,
        time: Duration,
    ) -> (Vec<Duration>, Duration) {
        let streams = match self {
            Self::Closed { connections } => connect(address, connections).await,
            Self::Open { .. } => connect(address, OPEN_CONNECTIONS).await,
        };
        let start = Instant::now();
        let mut latencies = match self {
            Self::Closed { .. } => closed(streams, traffic, start + time).await,
            Self::Open { rate } => open(streams, traffic, rate, start + time).await,
        };
        let elapsed = start.elapsed();
        latencies.sort_unstable();
        (latencies, elapsed)
    }
}

impl fmt::Display for Load {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed { connections } => write!(formatter, "{connections} conn."),
            Self::Open { rate } => write!(formatter, "{rate} /s"),
        }
    }
}

async fn closed(streams: Vec<TcpStream>, traffic: &Rc<Traffic>, until: Instant) -> Vec<Duration> {
    let mut senders = JoinSet::new();
    for mut stream in streams {
        let traffic = Rc::clone(traffic);
        senders.spawn_local(async move {
            let mut latencies = Vec::new();
            while Instant::now() < until {
                let webhook = traffic.next();
                let sent = Instant::now();
                traffic.sends(&webhook, sent);
                deliver(&mut stream, &webhook.request).await;
                latencies.push(sent.elapsed());
            }
            latencies
        });
    }
    senders.join_all().await.concat()
}

/// Latencies count from the moment a webhook was due, so a server that stalls cannot hide it.
async fn open(
    streams: Vec<TcpStream>,
    traffic: &Rc<Traffic>,
    rate: u32,
    until: Instant,
) -> Vec<Duration> {
    let start = Instant::now();
    let due = move |index: u32| start + Duration::from_secs(1) * index / rate;
    let is_over = move |index: u32| due(index) >= until;
    // tokio's timers are a millisecond coarse.
    let permits = Arc::new(Semaphore::new(0));
    let pacer = Arc::clone(&permits);
    std::thread::spawn(move || {
        for index in (0..).take_while(|index| !is_over(*index)) {
            pause_until(due(index));
            pacer.add_permits(1);
        }
        // Each sender finds out that nothing is left.
        pacer.add_permits(OPEN_CONNECTIONS);
    });
    let next = Rc::new(Cell::new(0));
    let mut senders = JoinSet::new();
    for mut stream in streams {
        let (traffic, permits, next) = (Rc::clone(traffic), Arc::clone(&permits), Rc::clone(&next));
        senders.spawn_local(async move {
            let mut latencies = Vec::new();
            loop {
                permits
                    .acquire()
                    .await
                    .expect("it is never closed")
                    .forget();
                let index = next.replace(next.get() + 1);
                if is_over(index) {
                    return latencies;
                }
                let webhook = traffic.next();
                traffic.sends(&webhook, due(index));
                deliver(&mut stream, &webhook.request).await;
                latencies.push(due(index).elapsed());
            }
        });
    }
    senders.join_all().await.concat()
}

#[expect(clippy::disallowed_methods, reason = "this is about time itself")]
fn pause_until(due: Instant) {
    std::thread::sleep(due.saturating_duration_since(Instant::now()));
}

async fn connect(address: SocketAddr, connections: usize) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for _ in 0..connections {
        let stream = TcpStream::connect(address).await.expect("it listens");
        stream.set_nodelay(true).expect("loopback takes it");
        streams.push(stream);
    }
    streams
}

/// Sends one request and waits for its answer, which has no body.
async fn deliver(stream: &mut TcpStream, request: &[u8]) {
    let mut answer = [0; 1_024];
    let exchange = async {
        stream.write_all(request).await?;
        let mut length = 0;
        while !answer[..length].ends_with(b"\r\n\r\n") {
            match stream.read(&mut answer[length..]).await? {
                0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                more => length += more,
            }
        }
        std::io::Result::Ok(length)
    };
    let length = timeout(PATIENCE, exchange).await;
    let length = length.expect("an answer in time").expect("it stays open");
    let text = String::from_utf8_lossy(&answer[..length]);
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
}

/// Waits until every message has its reply and the gateway is quiet; gives up when nothing has come
/// for a while. Returns the time until the last request to the gateway and the number of messages
/// without a reply.
pub(crate) async fn drain(traffic: &Traffic) -> (Duration, usize) {
    const QUIET: Duration = Duration::from_millis(100);
    const STUCK: Duration = Duration::from_secs(3);
    let start = Instant::now();
    loop {
        let taken = &traffic.gateway;
        let last = taken.last.get().map_or(start, |last| last.max(start));
        let pause = if taken.waiting.get() == 0 {
            QUIET
        } else {
            STUCK
        };
        if last.elapsed() >= pause {
            return (last - start, traffic.give_up());
        }
        sleep(Duration::from_millis(5)).await;
    }
}
