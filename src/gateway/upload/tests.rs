use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;
use crate::gateway::test_server::client_of;
use crate::message::PhoneNumberId;
use crate::whatsapp::api_call::FilePart;

const BYTES: &[u8] = b"%PDF-1.7 a price list";

/// Starts a host that reads one request and responds; returns its URL and the task that returns the
/// request.
async fn host(answer: &'static str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let reading = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"--\r\n") {
            if stream.read_buf(&mut request).await.unwrap() == 0 {
                break;
            }
        }
        let length = answer.len();
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{answer}"
        );
        let _ = stream.write_all(answer.as_bytes()).await;
        String::from_utf8(request).unwrap()
    });
    (base, reading)
}

fn call(size: u64) -> Call {
    let file = FilePart {
        mime_type: "application/pdf".to_owned(),
        filename: "list.pdf".to_owned(),
        size,
    };
    media::upload(&PhoneNumberId::parse("1065").unwrap(), file)
}

async fn file() -> (tempfile::TempDir, File) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.pdf");
    std::fs::write(&path, BYTES).unwrap();
    let file = File::open(&path).await.unwrap();
    (folder, file)
}

#[tokio::test]
async fn an_upload_is_one_form_with_its_length_told() {
    let (base, request) = host(r#"{"id":"900200"}"#).await;
    let (_folder, file) = file().await;
    let sent_bytes = Arc::new(AtomicU64::new(0));
    let progress = Arc::clone(&sent_bytes);

    let id = client_of(&base)
        .upload(&call(21), file, move |bytes| {
            progress.store(bytes, Ordering::Relaxed);
        })
        .await
        .unwrap();

    assert_eq!(id, "900200");
    assert_eq!(sent_bytes.load(Ordering::Relaxed), 21);
    let request = request.await.unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let head = head.to_lowercase();
    let is_upload = head.starts_with("post /v23.0/1065/media http/1.1");
    assert!(is_upload, "{head}");
    for header in [
        "authorization: bearer key-canary".to_owned(),
        "maton-connection: connection-1".to_owned(),
        format!("content-length: {}", body.len()),
    ] {
        assert!(head.contains(&header), "{header} in {head}");
    }
    let boundary = body.lines().next().unwrap();
    insta::assert_snapshot!(body.replace(boundary, "--BOUNDARY").replace('\r', ""), @r#"
    --BOUNDARY
    Content-Disposition: form-data; name="messaging_product"

    whatsapp
    --BOUNDARY
    Content-Disposition: form-data; name="type"

    application/pdf
    --BOUNDARY
    Content-Disposition: form-data; name="file"; filename="list.pdf"
    Content-Type: application/pdf

    %PDF-1.7 a price list
    --BOUNDARY--
    "#);
}

#[tokio::test]
async fn only_an_answer_with_an_id_is_a_success() {
    for answer in ["{}", r#"{"id":""}"#, r#"{"id":"../x"}"#, "<html>"] {
        let (base, _request) = host(answer).await;
        let (_folder, file) = file().await;

        let outcome = client_of(&base).upload(&call(21), file, |_| {}).await;

        let unknown = matches!(
            outcome,
            Err(SendError::Unknown(Unknown::Answer { status: 200 }))
        );
        assert!(unknown, "{answer}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_file_that_became_shorter_is_not_taken_for_whole() {
    let (base, _request) = host(r#"{"id":"900200"}"#).await;
    let (_folder, file) = file().await;

    let outcome = client_of(&base).upload(&call(22), file, |_| {}).await;

    let is_broken = matches!(outcome, Err(SendError::Unknown(Unknown::Broken)));
    assert!(is_broken, "{outcome:?}");
}

#[tokio::test]
async fn what_a_file_grew_by_since_is_left_out() {
    let (base, request) = host(r#"{"id":"900200"}"#).await;
    let (_folder, file) = file().await;

    let outcome = client_of(&base).upload(&call(8), file, |_| {}).await;

    assert!(outcome.is_ok(), "{outcome:?}");
    let request = request.await.unwrap();
    assert!(request.contains("\r\n\r\n%PDF-1.7\r\n--"), "{request}");
}

#[test]
fn a_large_file_gets_more_time() {
    assert_eq!(time_for(0), Duration::ZERO);
    assert_eq!(time_for(100 * 1024 * 1024), Duration::from_secs(1600));
}
