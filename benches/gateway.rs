//! What a send costs: `cargo bench --bench gateway`.
//!
//! Replies and read marks go to a local server over kept connections, through replyd's gateway
//! client and, for comparison, as plain requests of reqwest with a body built beforehand. The CPU
//! time is that of the client with the system calls; the server is a process of its own.

#![expect(clippy::print_stdout, reason = "a benchmark shows its numbers")]

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use replyd::config;
use replyd::gateway::Gateway;
use replyd::message::{Button, Frame, Outbound, PhoneNumberId, Recipient, WaId, Wamid};
use replyd::whatsapp::outbound::{MessageBody, ReadMarkBody, Typing};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Sends of one measurement.
const SENDS: usize = 40_000;
/// Sends under way at once.
const AT_ONCE: usize = 32;
const WAMID: &str = "wamid.HBgLMTU1NTAwMDAwMDAVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA";
/// Argument that makes this program the server.
const SERVE: &str = "serve-gateway";

fn main() {
    if std::env::args().any(|argument| argument == SERVE) {
        return serve();
    }
    let program = std::env::current_exe().expect("it runs");
    let mut server = Command::new(program)
        .arg(SERVE)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts again");
    let mut line = String::new();
    let mut output = BufReader::new(server.stdout.take().expect("it is piped"));
    output.read_line(&mut line).expect("it tells its address");
    let address = line.trim().parse().expect("an address");
    tokio::runtime::Runtime::new()
        .expect("a runtime")
        .block_on(measure(address));
    server.kill().expect("it runs");
    server.wait().expect("it was started");
}

async fn measure(address: SocketAddr) {
    let gateway = Gateway::new(&config::Gateway {
        preset: config::Preset::Graph,
        base_url: format!("http://{address}"),
        control_url: format!("http://{address}"),
        graph_version: "v23.0".to_owned(),
        api_key: SecretString::from("bench-key"),
        connection: None,
        requests_per_second: 0,
        timeout: Duration::from_secs(20),
        app_secret: None,
    });
    let gateway = gateway.expect("it is configured");
    let plain = reqwest::Client::builder().no_proxy().build();
    let plain = plain.expect("its settings are constants");
    let url = format!("http://{address}/v23.0/106540001/messages");
    let body: Arc<Value> = Arc::new(json!({
        "messaging_product": "whatsapp", "to": "+15550000001", "type": "text",
        "text": { "body": "Our kitchen is open until ten today.", "preview_url": false },
    }));
    let rounds = 2;
    for _ in 0..rounds {
        run("gateway", |index| {
            let gateway = gateway.clone();
            async move { send(&gateway, index).await }
        })
        .await;
        run("reqwest", |_| {
            let request = plain.post(&url).bearer_auth("bench-key").json(&*body);
            async move {
                let answer = request.send().await.expect("it is answered");
                let answer: Value = answer.json().await.expect("it is JSON");
                assert_eq!(answer["messages"][0]["id"], WAMID);
            }
        })
        .await;
    }
}

/// Sends a text, a menu or a read mark.
async fn send(gateway: &Gateway, index: usize) {
    let number = PhoneNumberId::parse("106540001").expect("not empty");
    let wamid = Wamid::parse(WAMID).expect("not empty");
    let body = "Our kitchen is open until ten today.".to_owned();
    let content = match index % 3 {
        0 => {
            let mark = ReadMarkBody::new(&wamid, Typing::Shown);
            gateway
                .mark_read(&number, &mark)
                .await
                .expect("it is taken");
            return;
        }
        1 => Outbound::Text {
            body,
            preview_url: false,
        },
        _ => Outbound::Buttons {
            frame: Frame {
                header: None,
                body,
                footer: None,
            },
            buttons: ["menu", "hours", "person"]
                .map(|id| Button {
                    id: id.to_owned(),
                    title: id.to_owned(),
                })
                .to_vec(),
        },
    };
    let to = Recipient::Phone(WaId::parse("15550000001").expect("digits"));
    let message = MessageBody {
        to: &to,
        content: &content,
        about: None,
        claim_token: Some("0f8fad5bd9cb469fa16570867728950e"),
    };
    let accepted = gateway.send_message(&number, &message).await;
    assert_eq!(accepted.expect("it is taken").wamid, wamid);
}

async fn run<Sent>(name: &str, send: impl Fn(usize) -> Sent)
where
    Sent: Future<Output = ()> + Send + 'static,
{
    let before = cpu_seconds();
    let mut under_way = JoinSet::new();
    for index in 0..SENDS {
        if index >= AT_ONCE {
            let ended = under_way.join_next().await.expect("some are under way");
            ended.expect("no send panics");
        }
        under_way.spawn(send(index));
    }
    while let Some(ended) = under_way.join_next().await {
        ended.expect("no send panics");
    }
    let used = cpu_seconds() - before;
    let each = used * 1e6 / f64::from(u32::try_from(SENDS).expect("some thousand"));
    println!("{name:<8} {each:>6.1} us of CPU a send");
}

/// CPU time of this process, in user and system mode.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<&str> = stat
        .rsplit(") ")
        .next()
        .expect("not empty")
        .split(' ')
        .collect();
    let ticks = |field: usize| fields[field].parse::<f64>().expect("a number");
    // Linux counts 100 ticks a second for programs, whatever its own rate.
    (ticks(11) + ticks(12)) / 100.0
}

/// Answers every request as WhatsApp does, one thread for each connection.
fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    println!("{}", listener.local_addr().expect("it is bound"));
    for stream in listener.incoming() {
        let stream = stream.expect("a connection");
        std::thread::spawn(move || answer_all(stream));
    }
}

fn answer_all(mut stream: TcpStream) -> io::Result<()> {
    let answer = format!(
        r#"{{"messaging_product":"whatsapp","contacts":[{{"input":"+15550000001","wa_id":"15550000001"}}],"messages":[{{"id":"{WAMID}"}}]}}"#
    );
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ndate: Mon, 23 Nov 2026 15:00:00 GMT\r\ncontent-length: {}\r\n\r\n{answer}",
        answer.len()
    );
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut length = 0;
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        stream.write_all(answer.as_bytes())?;
    }
}
