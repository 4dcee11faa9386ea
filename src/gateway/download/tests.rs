use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const BYTES: &[u8] = b"the whole file";

/// File host that sends the same response to each request and closes the connection.
struct Host {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Host {
    async fn start(answer: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = Self {
            address: listener.local_addr().unwrap(),
            heads: Arc::default(),
        };
        let heads = Arc::clone(&host.heads);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let head = head_of(&mut stream).await;
                heads.lock().unwrap().push(head);
                // The client may close the connection before the end.
                let _ = stream.write_all(&answer).await;
            }
        });
        host
    }

    async fn answering(status: &str, headers: &str, body: &[u8]) -> Self {
        let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\n{headers}\r\n");
        Self::start([head.as_bytes(), body].concat()).await
    }

    async fn with_file() -> Self {
        Self::answering("200 OK", "content-length: 14\r\n", BYTES).await
    }

    fn url(&self) -> String {
        format!("http://{}/file", self.address)
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// Reads the request line and headers, in lower case.
async fn head_of(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut head).await.unwrap(), 0);
    }
    String::from_utf8(head).unwrap().to_lowercase()
}

fn limits(max_bytes: u64) -> DownloadLimits {
    DownloadLimits {
        max_bytes,
        sha256: None,
    }
}

fn downloader(hosts: Hosts) -> Downloader {
    let token = SecretString::from("token-canary");
    Downloader::new(Some(&token), hosts, Duration::from_secs(5)).unwrap()
}

fn into(path: &Path) -> Target<'_> {
    Target {
        path,
        existing: Existing::Replaced,
    }
}

/// Downloads into an empty folder; returns the outcome and the files of the folder.
async fn fetch(
    url: &str,
    limits: &DownloadLimits,
) -> (Result<Downloaded, DownloadError>, Vec<(String, Vec<u8>)>) {
    let folder = tempfile::tempdir().unwrap();
    let outcome = downloader(Hosts::MetaAndLoopback)
        .download(url, into(&folder.path().join("a.jpg")), limits, |_| {})
        .await;
    (outcome, files(&folder))
}

fn files(folder: &TempDir) -> Vec<(String, Vec<u8>)> {
    std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect()
}

#[tokio::test]
async fn a_file_is_fetched_with_token_and_user_agent_and_its_hash_is_told() {
    let host = Host::with_file().await;
    let sha256: [u8; 32] = Sha256::digest(BYTES).into();

    let (outcome, files) = fetch(
        &host.url(),
        &DownloadLimits {
            max_bytes: 14,
            sha256: Some(sha256),
        },
    )
    .await;

    assert_eq!(outcome.unwrap(), Downloaded { bytes: 14, sha256 });
    assert_eq!(files, [("a.jpg".to_owned(), BYTES.to_vec())]);
    let [head] = host.heads().try_into().unwrap();
    assert!(head.starts_with("get /file http/1.1"), "{head}");
    for header in ["authorization: bearer token-canary", "user-agent: replyd/"] {
        assert!(head.contains(header), "{header} in {head}");
    }
}

#[tokio::test]
async fn progress_is_told_up_to_the_last_byte() {
    let host = Host::with_file().await;
    let folder = tempfile::tempdir().unwrap();
    let last = Mutex::new(0);

    downloader(Hosts::MetaAndLoopback)
        .download(
            &host.url(),
            into(&folder.path().join("a")),
            &limits(99),
            |bytes| {
                *last.lock().unwrap() = bytes;
            },
        )
        .await
        .unwrap();

    assert_eq!(*last.lock().unwrap(), 14);
}

#[tokio::test]
async fn foreign_hosts_are_refused_before_anything_is_connected_to() {
    let host = Host::with_file().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.jpg");
    let port = host.address.port();

    for (hosts, url) in [
        (Hosts::Meta, host.url()),
        (Hosts::Meta, "https://evil.example/file".to_owned()),
        (Hosts::MetaAndLoopback, "http://192.0.2.1/file".to_owned()),
        (
            Hosts::MetaAndLoopback,
            "http://lookaside.fbsbx.com/file".to_owned(),
        ),
        (
            Hosts::MetaAndLoopback,
            format!("http://me@127.0.0.1:{port}/file"),
        ),
        (Hosts::MetaAndLoopback, "file:///etc/passwd".to_owned()),
        (Hosts::MetaAndLoopback, "not an address".to_owned()),
    ] {
        let outcome = downloader(hosts)
            .download(&url, into(&file), &limits(99), |_| {})
            .await;
        assert!(matches!(outcome, Err(DownloadError::ForeignHost)), "{url}");
    }

    assert!(host.heads().is_empty(), "the token stayed here");
    assert!(files(&folder).is_empty());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let other = Host::with_file().await;
    let location = format!("location: {}\r\ncontent-length: 0\r\n", other.url());
    let host = Host::answering("302 Found", &location, b"").await;

    let (outcome, files) = fetch(&host.url(), &limits(99)).await;

    assert!(matches!(
        outcome,
        Err(DownloadError::Status { status: 302 })
    ));
    assert!(other.heads().is_empty() && files.is_empty());
}

#[tokio::test]
async fn refusals_are_told_apart() {
    for (status, message) in [
        ("401 X", "the file host does not take the token"),
        ("403 X", "the file host does not take the token"),
        ("404 X", "the file host has no such file any more"),
        ("410 X", "the file host has no such file any more"),
        ("204 X", "the file host answered with HTTP status 204"),
        ("500 X", "the file host answered with HTTP status 500"),
    ] {
        let host = Host::answering(status, "", b"").await;

        let (outcome, files) = fetch(&host.url(), &limits(99)).await;

        assert_eq!(outcome.unwrap_err().to_string(), message);
        assert!(files.is_empty(), "{status}");
    }
}

#[tokio::test]
async fn a_file_above_the_limit_is_not_kept_whatever_its_length_is_said_to_be() {
    let chunked = b"7\r\nthe who\r\n7\r\nle file\r\n0\r\n\r\n";
    for host in [
        Host::with_file().await,
        Host::answering("200 OK", "transfer-encoding: chunked\r\n", chunked).await,
        Host::answering("200 OK", "", BYTES).await,
    ] {
        let (small, nothing) = fetch(&host.url(), &limits(13)).await;
        let (whole, files) = fetch(&host.url(), &limits(14)).await;

        assert!(matches!(
            small,
            Err(DownloadError::TooLarge { max_bytes: 13 })
        ));
        assert!(nothing.is_empty());
        assert_eq!((whole.unwrap().bytes, files.len()), (14, 1));
    }
}

#[tokio::test]
async fn a_file_with_another_hash_is_not_kept() {
    let host = Host::with_file().await;
    let wrong = DownloadLimits {
        max_bytes: 99,
        sha256: Some([7; 32]),
    };

    let (outcome, files) = fetch(&host.url(), &wrong).await;

    assert!(matches!(outcome, Err(DownloadError::WrongHash)));
    assert!(files.is_empty());
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_no_file() {
    for headers in ["content-length: 15\r\n", "transfer-encoding: chunked\r\n"] {
        let body = if headers.starts_with('c') {
            BYTES
        } else {
            b"e\r\nthe whole file\r\n"
        };
        let host = Host::answering("200 OK", headers, body).await;

        let (outcome, files) = fetch(&host.url(), &limits(99)).await;

        assert!(matches!(outcome, Err(DownloadError::Broken)), "{headers}");
        assert!(files.is_empty(), "{headers}");
    }
}

#[tokio::test]
async fn a_download_that_is_dropped_halfway_leaves_no_file() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/file", listener.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.jpg");
    let (arrived, coming) = tokio::sync::oneshot::channel();
    let arrived = Mutex::new(Some(arrived));
    let downloading = downloader(Hosts::MetaAndLoopback);
    let limits = limits(99);
    let download = downloading.download(&url, into(&file), &limits, |_| {
        if let Some(arrived) = arrived.lock().unwrap().take() {
            arrived.send(()).unwrap();
        }
    });
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        head_of(&mut stream).await;
        let half = b"HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\nthe who";
        stream.write_all(half).await.unwrap();
        coming.await.unwrap();
        assert_eq!(files(&folder).len(), 1, "half a file is there");
        stream
    };

    tokio::select! {
        outcome = download => panic!("it cannot be whole: {outcome:?}"),
        _stream = serve => {}
    }

    assert!(files(&folder).is_empty());
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_told_with_its_name() {
    let host = Host::with_file().await;
    let file = Path::new("/nowhere/at/all/a.jpg");

    let outcome = downloader(Hosts::MetaAndLoopback)
        .download(&host.url(), into(file), &limits(99), |_| {})
        .await;

    let error = outcome.unwrap_err();
    assert_eq!(
        error.to_string(),
        "could not write `/nowhere/at/all/a.jpg`: there is no folder `/nowhere/at/all`"
    );
}

#[tokio::test]
async fn a_host_that_is_not_there_is_told_as_that() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/file", gone.local_addr().unwrap());
    drop(gone);

    let (outcome, _) = fetch(&url, &limits(99)).await;

    assert!(matches!(
        outcome,
        Err(DownloadError::NotConnected(NotSent::Refused))
    ));
}

#[test]
fn nothing_shows_the_token() {
    let shown = format!("{:?}", downloader(Hosts::Meta));

    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn only_a_gateway_on_this_machine_may_lead_to_files_on_it() {
    for (base_url, expected) in [
        ("https://graph.facebook.com", Hosts::Meta),
        ("https://127.0.0.1.evil.example", Hosts::Meta),
        ("https://10.0.0.1", Hosts::Meta),
        ("", Hosts::Meta),
        ("http://127.0.0.1:9", Hosts::MetaAndLoopback),
        ("http://[::1]:9/x", Hosts::MetaAndLoopback),
        ("http://localhost", Hosts::MetaAndLoopback),
    ] {
        assert_eq!(Hosts::beside(base_url), expected, "{base_url}");
    }
}
