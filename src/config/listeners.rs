//! `[server]` and `[admin]`: addresses to listen on, trusted proxies, and host names of the
//! service.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use ipnet::IpNet;

use super::reader::Reader;
use super::{Admin, Server};
use crate::diagnostics::optional::read_each;

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
        read_each(self.texts(key)?, |text| {
            let message = match network(text.value) {
                Some(network) if network.prefix_len() > 0 => return Some(network),
                Some(_) => "must not hold every address: strangers could claim any address",
                None => {
                    r#"must hold IP addresses or networks, such as "127.0.0.1" or "10.0.0.0/8""#
                }
            };
            self.refuse(key, &text.span, message)
        })
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
        let (listen, place) = self.address(key)?;
        if !listen.ip().is_loopback() {
            let message = "must be a loopback address such as 127.0.0.1:8081: it has no password";
            return self.refuse(key, &place, message);
        }
        Some(listen)
    }

    fn admin_hosts(&mut self) -> Option<Vec<String>> {
        let key = "admin.hosts";
        let part = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        read_each(self.texts(key)?, |text| {
            if text.value.is_empty() || !text.value.bytes().all(part) {
                let message = r#"must hold names of hosts without a port, such as "replyd""#;
                return self.refuse(key, &text.span, message);
            }
            Some(text.value.to_ascii_lowercase())
        })
    }

    fn address(&mut self, key: &'static str) -> Option<(SocketAddr, Range<usize>)> {
        let text = self.text(key)?;
        match text.value.parse() {
            Ok(address) => Some((address, text.span)),
            Err(_) => self.refuse(
                key,
                &text.span,
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
