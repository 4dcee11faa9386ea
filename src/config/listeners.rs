//! `[server]` and `[admin]`: where we listen, whom we believe what, and under which names we are
//! known.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::layers::{Entry, Value, read_written};
use super::problem::Origin;
use super::reader::Reader;
use super::{Admin, Server};

impl Reader<'_> {
    pub(super) fn server(&mut self) -> Option<Server> {
        let listen = self.address("server.listen");
        let trusted_proxies = self.trusted_proxies();
        Some(Server {
            listen: listen?.0,
            trusted_proxies: trusted_proxies?,
        })
    }

    fn trusted_proxies(&mut self) -> Option<Vec<IpNet>> {
        let key = "server.trusted_proxies";
        let texts = self.texts(key, r#"["127.0.0.1", "10.0.0.0/8"]"#)?;
        let networks: Vec<_> = texts
            .into_iter()
            .map(|(text, origin)| match network(&text) {
                Some(network) if network.prefix_len() == 0 => self.refuse(
                    key,
                    &origin,
                    "must not hold every address: strangers could say they are whoever they like",
                ),
                Some(network) => Some(network),
                None => self.refuse(
                    key,
                    &origin,
                    r#"must hold IP addresses or networks, such as "127.0.0.1" or "10.0.0.0/8""#,
                ),
            })
            .collect();
        networks.into_iter().collect()
    }

    pub(super) fn admin(&mut self) -> Option<Admin> {
        let listen = self.admin_address();
        let hosts = self.admin_hosts();
        Some(Admin {
            listen: listen?,
            hosts: hosts?,
        })
    }

    fn admin_address(&mut self) -> Option<SocketAddr> {
        let key = "admin.listen";
        let (listen, origin) = self.address(key)?;
        if !listen.ip().is_loopback() {
            return self.refuse(
                key,
                &origin,
                "must be a loopback address such as 127.0.0.1:8081: it has no password",
            );
        }
        Some(listen)
    }

    fn admin_hosts(&mut self) -> Option<Vec<String>> {
        let key = "admin.hosts";
        let texts = self.texts(key, r#"["replyd"]"#)?;
        let part = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let hosts: Vec<_> = texts
            .into_iter()
            .map(|(text, origin)| {
                if text.is_empty() || !text.bytes().all(part) {
                    let message = r#"must hold names of hosts without a port, such as "replyd""#;
                    return self.refuse(key, &origin, message);
                }
                Some(text.to_ascii_lowercase())
            })
            .collect();
        hosts.into_iter().collect()
    }

    /// Takes a list of texts, each with its place.
    fn texts(&mut self, key: &str, example: &str) -> Option<Vec<(String, Origin)>> {
        let Entry { mut value, origin } = self.take(key)?;
        if let Value::Written(written) = &value {
            value = read_written(written, &origin).unwrap_or(value);
        }
        let Value::Array(elements) = value else {
            return self.refuse(key, &origin, format!("must be a list such as {example}"));
        };
        let texts: Vec<_> = elements
            .into_iter()
            .map(|Entry { value, origin }| match value {
                Value::Text(text) => Some((text, origin)),
                other => {
                    let message =
                        format!("must hold texts such as {example}, not {}", other.kind());
                    self.refuse(key, &origin, message)
                }
            })
            .collect();
        texts.into_iter().collect()
    }

    fn address(&mut self, key: &str) -> Option<(SocketAddr, Origin)> {
        let (text, origin) = self.text(key)?;
        match text.parse() {
            Ok(address) => Some((address, origin)),
            Err(_) => self.refuse(
                key,
                &origin,
                r#"must be an IP address and a port, such as "127.0.0.1:8080""#,
            ),
        }
    }
}

/// Reads `10.0.0.0/8`, or a single address.
fn network(text: &str) -> Option<IpNet> {
    let network: Option<IpNet> = text.parse().ok();
    network.or_else(|| text.parse().ok().map(|address: IpAddr| address.into()))
}
