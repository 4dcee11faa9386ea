//! Servers as processes, and the signed webhooks they are measured with.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use replyd::whatsapp::signature;
use secrecy::SecretString;

pub(crate) const APP_SECRET: &str = "bench-app-secret";

/// A server process, killed when it is dropped.
pub(crate) struct Server {
    pub(crate) process: Child,
    pub(crate) address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    /// Starts a command and waits until it listens at this address.
    pub(crate) fn start(command: &mut Command, address: SocketAddr) -> Self {
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let process = process.expect("it starts");
        let server = Self { process, address };
        let deadline = Instant::now() + Duration::from_mins(1);
        while TcpStream::connect(address).is_err() {
            let is_in_time = Instant::now() < deadline;
            assert!(is_in_time, "nothing listens on {address}");
            std::thread::yield_now();
        }
        server
    }
}

/// An address of loopback that is free.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound")
}

/// `replyd serve` by a configuration and rules that are written into the folder; gives the command
/// and the address at which it will listen.
pub(crate) fn replyd(
    binary: &str,
    folder: &Path,
    rules: &str,
    gateway: SocketAddr,
    more_config: &str,
) -> (Command, SocketAddr) {
    let address = free_address();
    let config = folder.join("replyd.toml");
    let text = format!(
        "[server]\nlisten = \"{address}\"\n[admin]\nlisten = \"{}\"\n[database]\nurl = \"sqlite:{}\"\n\
         [webhook]\napp_secrets = [\"{APP_SECRET}\"]\nverify_token = \"bench-token\"\n\
         [gateway]\npreset = \"graph\"\nbase_url = \"http://{gateway}\"\napi_key = \"bench-key\"\n\
         [rules]\nfile = \"rules.toml\"\n{more_config}",
        free_address(),
        folder.join("bench.db").display(),
    );
    std::fs::write(folder.join("rules.toml"), rules).expect("the folder is ours");
    std::fs::write(&config, text).expect("the folder is ours");
    let mut command = Command::new(binary);
    command.args(["serve", "--config"]).arg(&config);
    (command, address)
}

/// A signed webhook with this body, as the bytes of a request.
pub(crate) fn signed_post(headers: &str, body: &str) -> Vec<u8> {
    let signature = signature::sign(&SecretString::from(APP_SECRET), body.as_bytes());
    let length = body.len();
    format!(
        "POST /webhook HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n{headers}\
         x-hub-signature-256: {signature}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// The latency, in milliseconds, that this percentage of sorted latencies does not exceed.
pub(crate) fn percentile_ms(sorted: &[Duration], percentage: usize) -> f64 {
    sorted[(sorted.len() - 1) * percentage / 100].as_secs_f64() * 1_000.0
}
