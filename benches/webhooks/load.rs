//! The load: signed webhooks over keep-alive connections, all on this thread.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::traffic::Traffic;

/// A webhook without an answer by then ends the benchmark.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends over this many connections until the time is over; each waits for the answer before it
/// sends the next. Returns the latencies of the answers, sorted.
pub(crate) async fn closed_loop(
    address: SocketAddr,
    traffic: &Rc<Traffic>,
    connections: usize,
    time: Duration,
) -> Vec<Duration> {
    let streams = connect(address, connections).await;
    let until = Instant::now() + time;
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
    let mut latencies = senders.join_all().await.concat();
    latencies.sort_unstable();
    latencies
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
