use std::sync::Mutex;

use tempfile::TempDir;
use tokio::net::TcpListener;

use super::*;
use crate::gateway::test_server::{Fake, Script};

const BYTES: &[u8] = b"the whole file";

/// File host that sends the same response to each request.
async fn host(status: &str, headers: &str, body: &[u8]) -> Fake {
    let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\n{headers}\r\n");
    let response = Script::Bytes([head.as_bytes(), body].concat());
    Fake::start(std::iter::repeat_n(response, 3)).await
}

async fn host_with_file() -> Fake {
    host("200 OK", "content-length: 14\r\n", BYTES).await
}

fn url(host: &Fake) -> String {
    format!("http://{}/file", host.address)
}

fn limits(max_bytes: u64) -> DownloadLimits {
    let sha256 = None;
    DownloadLimits { max_bytes, sha256 }
}

fn downloader(hosts: Hosts) -> Downloader {
    let token = SecretString::from("token-canary");
    Downloader::new(Some(&token), hosts, Duration::from_secs(5)).unwrap()
}

fn into(path: &Path) -> Target<'_> {
    let existing = Existing::Replaced;
    Target { path, existing }
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
    let host = host_with_file().await;
    let sha256: [u8; 32] = Sha256::digest(BYTES).into();

    let exact = DownloadLimits {
        sha256: Some(sha256),
        ..limits(14)
    };
    let (outcome, files) = fetch(&url(&host), &exact).await;

    assert_eq!(outcome.unwrap(), Downloaded { bytes: 14, sha256 });
    assert_eq!(files, [("a.jpg".to_owned(), BYTES.to_vec())]);
    let [request] = host.requests().try_into().unwrap();
    let head = request.head.to_lowercase();
    assert!(head.starts_with("get /file http/1.1"), "{head}");
    for header in ["authorization: bearer token-canary", "user-agent: replyd/"] {
        assert!(head.contains(header), "{header} in {head}");
    }
}

#[tokio::test]
async fn progress_is_told_up_to_the_last_byte() {
    let host = host_with_file().await;
    let folder = tempfile::tempdir().unwrap();
    let last = Mutex::new(0);

    let path = folder.path().join("a");
    let progress = |bytes| *last.lock().unwrap() = bytes;
    let downloading = downloader(Hosts::MetaAndLoopback);
    let (url, limits) = (url(&host), limits(99));
    let download = downloading.download(&url, into(&path), &limits, progress);
    download.await.unwrap();

    assert_eq!(*last.lock().unwrap(), 14);
}

#[tokio::test]
async fn foreign_hosts_are_refused_before_anything_is_connected_to() {
    let host = host_with_file().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.jpg");
    let (address, limits) = (host.address, limits(99));

    for (hosts, url) in [
        (Hosts::Meta, url(&host).as_str()),
        (Hosts::Meta, "https://evil.example/file"),
        (Hosts::MetaAndLoopback, "http://192.0.2.1/file"),
        (Hosts::MetaAndLoopback, "http://lookaside.fbsbx.com/file"),
        (Hosts::MetaAndLoopback, &format!("http://me@{address}/file")),
        (Hosts::MetaAndLoopback, "file:///etc/passwd"),
        (Hosts::MetaAndLoopback, "not an address"),
    ] {
        let downloader = downloader(hosts);
        let outcome = downloader.download(url, into(&file), &limits, |_| {});
        let outcome = outcome.await;
        assert!(matches!(outcome, Err(DownloadError::ForeignHost)), "{url}");
    }

    assert!(host.requests().is_empty(), "the token stayed here");
    assert!(files(&folder).is_empty());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let other = host_with_file().await;
    let location = format!("location: {}\r\ncontent-length: 0\r\n", url(&other));
    let host = host("302 Found", &location, b"").await;

    let (outcome, files) = fetch(&url(&host), &limits(99)).await;

    assert!(matches!(
        outcome,
        Err(DownloadError::Status { status: 302 })
    ));
    assert!(other.requests().is_empty() && files.is_empty());
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
        let host = host(status, "", b"").await;

        let (outcome, files) = fetch(&url(&host), &limits(99)).await;

        assert_eq!(outcome.unwrap_err().to_string(), message);
        assert!(files.is_empty(), "{status}");
    }
}

#[tokio::test]
async fn a_file_above_the_limit_is_not_kept_whatever_its_length_is_said_to_be() {
    let chunked = b"7\r\nthe who\r\n7\r\nle file\r\n0\r\n\r\n";
    for host in [
        host_with_file().await,
        host("200 OK", "transfer-encoding: chunked\r\n", chunked).await,
        host("200 OK", "", BYTES).await,
    ] {
        let (small, nothing) = fetch(&url(&host), &limits(13)).await;
        let (whole, files) = fetch(&url(&host), &limits(14)).await;

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
    let host = host_with_file().await;
    let wrong = DownloadLimits {
        sha256: Some([7; 32]),
        ..limits(99)
    };

    let (outcome, files) = fetch(&url(&host), &wrong).await;

    assert!(matches!(outcome, Err(DownloadError::WrongHash)));
    assert!(files.is_empty());
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_no_file() {
    let chunk = b"e\r\nthe whole file\r\n";
    for (headers, body) in [
        ("content-length: 15\r\n", BYTES),
        ("transfer-encoding: chunked\r\n", chunk),
    ] {
        let host = host("200 OK", headers, body).await;

        let (outcome, files) = fetch(&url(&host), &limits(99)).await;

        assert!(matches!(outcome, Err(DownloadError::Broken)), "{headers}");
        assert!(files.is_empty(), "{headers}");
    }
}

#[tokio::test]
async fn a_download_that_is_dropped_halfway_leaves_no_file() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\nthe who";
    let host = Fake::start([Script::Stall(half.to_vec())]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.jpg");
    let arrived = tokio::sync::Notify::new();
    let downloading = downloader(Hosts::MetaAndLoopback);
    let (url, limits) = (url(&host), limits(99));
    let download = downloading.download(&url, into(&file), &limits, |_| arrived.notify_one());
    let interrupt = async {
        arrived.notified().await;
        assert_eq!(files(&folder).len(), 1, "half a file is there");
    };

    tokio::select! {
        outcome = download => panic!("it cannot be whole: {outcome:?}"),
        () = interrupt => {}
    }

    assert!(files(&folder).is_empty());
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_told_with_its_name() {
    let host = host_with_file().await;
    let file = Path::new("/nowhere/at/all/a.jpg");

    let downloader = downloader(Hosts::MetaAndLoopback);
    let (url, limits) = (url(&host), limits(99));
    let outcome = downloader.download(&url, into(file), &limits, |_| {});

    let error = outcome.await.unwrap_err();
    let expected = "could not write `/nowhere/at/all/a.jpg`: there is no folder `/nowhere/at/all`";
    assert_eq!(error.to_string(), expected);
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
