//! Gateway for tests: responds to each request with the next scripted response, byte for byte.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::Gateway;
use crate::config;

/// Response to a request.
#[derive(Clone, Debug)]
pub(crate) enum Script {
    /// Sends these bytes and closes the connection.
    Bytes(Vec<u8>),
    /// Sends these bytes and keeps the connection open.
    Stall(Vec<u8>),
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Request line and headers.
    pub(crate) head: String,
    pub(crate) body: Value,
}

#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Script {
    pub(crate) fn answer(status: u16, headers: &str, body: &str) -> Self {
        let length = body.len();
        let text = format!(
            "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n{headers}connection: close\r\n\r\n{body}"
        );
        Self::Bytes(text.into_bytes())
    }

    pub(crate) fn accepted(wamid: &str) -> Self {
        let body = format!(r#"{{"messaging_product":"whatsapp","messages":[{{"id":"{wamid}"}}]}}"#);
        Self::answer(200, "", &body)
    }

    pub(crate) fn graph_error(status: u16, code: i64) -> Self {
        let body = format!(
            r#"{{"error":{{"message":"({code}) x","type":"OAuthException","code":{code},"error_data":{{"details":"why"}},"fbtrace_id":"A"}}}}"#
        );
        Self::answer(status, "", &body)
    }
}

impl Fake {
    pub(crate) async fn start(script: impl IntoIterator<Item = Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake = Self {
            address: listener.local_addr().unwrap(),
            requests: Arc::default(),
        };
        let requests = Arc::clone(&fake.requests);
        let script: Arc<Mutex<VecDeque<Script>>> =
            Arc::new(Mutex::new(script.into_iter().collect()));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, Arc::clone(&script), Arc::clone(&requests)));
            }
        });
        fake
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn client(&self) -> Gateway {
        client_of(&format!("http://{}/base", self.address))
    }
}

/// A client that waits 300 ms for an answer.
pub(crate) fn client_of(base_url: &str) -> Gateway {
    Gateway::new(&config::Gateway {
        preset: config::Preset::Graph,
        base_url: base_url.to_owned(),
        control_url: "http://127.0.0.1:9".to_owned(),
        graph_version: "v23.0".to_owned(),
        api_key: SecretString::from("key-canary"),
        connection: Some("connection-1".to_owned()),
        requests_per_second: 0,
        timeout: Duration::from_millis(300),
        app_secret: None,
    })
    .unwrap()
}

async fn serve(
    mut stream: TcpStream,
    script: Arc<Mutex<VecDeque<Script>>>,
    requests: Arc<Mutex<Vec<Request>>>,
) {
    let Some(request) = read(&mut stream).await else {
        return;
    };
    requests.lock().unwrap().push(request);
    let next = script.lock().unwrap().pop_front();
    match next.expect("a request was scripted") {
        Script::Bytes(bytes) => {
            // The client may close the connection before the end.
            let _ = stream.write_all(&bytes).await;
        }
        Script::Stall(bytes) => {
            let _ = stream.write_all(&bytes).await;
            std::future::pending::<()>().await;
        }
    }
}

pub(super) async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let head = head.to_owned();
        if !head.contains("content-length: ") {
            let body = Value::Null;
            return Some(Request { head, body });
        }
        if let Ok(body) = serde_json::from_str(body) {
            return Some(Request { head, body });
        }
    }
}
