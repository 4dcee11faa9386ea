//! A gateway that takes every message and read mark at once and gives message ids out, as the Graph
//! API does.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_local;

use crate::traffic::Traffic;

/// Starts a gateway of one server on this thread.
pub(crate) async fn start(traffic: Rc<Traffic>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    spawn_local(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("loopback connects");
            stream.set_nodelay(true).expect("loopback takes it");
            spawn_local(serve(stream, Rc::clone(&traffic)));
        }
    });
    address
}

/// Answers the requests of one connection until the server closes it.
async fn serve(mut stream: TcpStream, traffic: Rc<Traffic>) {
    let mut bytes = Vec::with_capacity(8_192);
    loop {
        let text = std::str::from_utf8(&bytes).unwrap_or_default();
        let Some((head, body)) = whole_request(text) else {
            match stream.read_buf(&mut bytes).await {
                Ok(0) | Err(_) => return,
                Ok(_) => continue,
            }
        };
        let answer = answer(body, &traffic);
        let taken = head.len() + body.len();
        bytes.drain(..taken);
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The head with its empty line, and the body, once all of it has come.
fn whole_request(text: &str) -> Option<(&str, &str)> {
    let (head, rest) = text.split_at(text.find("\r\n\r\n")? + 4);
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.trim().parse().unwrap_or(0));
    Some((head, rest.get(..length)?))
}

fn answer(body: &str, traffic: &Traffic) -> String {
    let now = Instant::now();
    let phone = between(body, r#""to":"+"#).and_then(|phone| phone.parse().ok());
    let answer = if let Some(contact) = phone.and_then(|phone| traffic.contact_of(phone)) {
        let claim_token = between(body, r#""biz_opaque_callback_data":""#).unwrap_or_default();
        let wamid = traffic.takes_reply(contact, claim_token, now);
        let phone = phone.unwrap_or_default();
        format!(
            r#"{{"messaging_product":"whatsapp","contacts":[{{"input":"+{phone}","wa_id":"{phone}"}}],"messages":[{{"id":"{wamid}"}}]}}"#
        )
    } else {
        if body.contains(r#""status":"read""#) {
            traffic.takes_read_mark(now);
        }
        r#"{"success":true}"#.to_owned()
    };
    let length = answer.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{answer}"
    )
}

/// The text between these characters and the next quotation mark.
fn between<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    let rest = &text[text.find(before)? + before.len()..];
    rest.split('"').next()
}
