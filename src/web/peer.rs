//! Peers: the share of a limit that a connection or a request counts against.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::http::HeaderMap;
use ipnet::IpNet;

/// A client, as far as addresses tell: an IPv4 address, or the /64 of an IPv6 address, the least
/// that a subscriber gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Peer(IpAddr);

/// Sender of a request; `None` if a trusted proxy did not name it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client(pub(super) Option<Peer>);

/// Networks of `server.trusted_proxies`. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustedProxies(Arc<[IpNet]>);

impl TrustedProxies {
    pub(crate) fn new(networks: &[IpNet]) -> Self {
        Self(networks.into())
    }

    /// Peer of a connection; `None` for a trusted proxy, which forwards the requests of many.
    pub(super) fn peer(&self, address: IpAddr) -> Option<Peer> {
        let address = address.to_canonical();
        let is_trusted = self.0.iter().any(|network| network.contains(&address));
        (!is_trusted).then(|| Peer::from_address(address))
    }

    /// Sender of a request over a connection of `peer`: behind a trusted proxy, the rightmost
    /// address of `X-Forwarded-For` that is not a trusted proxy's. Any client can write the
    /// addresses further left.
    pub(super) fn client(&self, peer: Option<Peer>, headers: &HeaderMap) -> Client {
        if peer.is_some() {
            return Client(peer);
        }
        let lines: Vec<&str> = headers
            .get_all("x-forwarded-for")
            .iter()
            .map(|line| line.to_str().unwrap_or_default())
            .collect();
        for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
            // Any other text ends the chain: the author of the rest is unknown.
            let Some(address) = address(hop.trim()) else {
                break;
            };
            if let Some(peer) = self.peer(address) {
                return Client(Some(peer));
            }
        }
        Client(None)
    }
}

impl Peer {
    fn from_address(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self(address),
            IpAddr::V6(address) => {
                let network = address.to_bits() & (u128::MAX << 64);
                Self(Ipv6Addr::from_bits(network).into())
            }
        }
    }
}

/// Parses an address as proxies write it; some add the port.
fn address(text: &str) -> Option<IpAddr> {
    text.parse()
        .ok()
        .or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))
        .or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(networks: &[&str]) -> TrustedProxies {
        let networks: Vec<IpNet> = networks
            .iter()
            .map(|network| network.parse().unwrap())
            .collect();
        TrustedProxies::new(&networks)
    }

    fn client(proxies: &TrustedProxies, from: &str, lines: &[&str]) -> Option<Peer> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let peer = proxies.peer(from.parse().unwrap());
        proxies.client(peer, &headers).0
    }

    fn peer(address: &str) -> Peer {
        Peer::from_address(address.parse().unwrap())
    }

    #[test]
    fn the_header_is_believed_from_trusted_proxies_only() {
        let proxies = proxies(&["127.0.0.0/8", "10.0.0.0/8", "::1/128"]);

        let (direct, forwarded) = (Some("203.0.113.9"), Some("198.51.100.1"));
        for (from, lines, expected) in [
            // Only a proxy's header counts.
            ("203.0.113.9", &["198.51.100.1"][..], direct),
            ("127.0.0.1", &["198.51.100.1"], forwarded),
            ("::1", &["198.51.100.1"], forwarded),
            // An IPv4 address at a listener for both kinds.
            ("::ffff:127.0.0.1", &["198.51.100.1"], forwarded),
            // The client's own text is to the left of the proxy's.
            ("127.0.0.1", &["1.1.1.1, 198.51.100.1"], forwarded),
            ("127.0.0.1", &["1.1.1.1", "198.51.100.1"], forwarded),
            // Two proxies in a row.
            ("127.0.0.1", &["1.1.1.1, 198.51.100.1,10.1.2.3"], forwarded),
            // Ports and brackets.
            ("127.0.0.1", &["198.51.100.1:4711"], forwarded),
            ("127.0.0.1", &["[2001:db8::1]:4711"], Some("2001:db8::1")),
            ("127.0.0.1", &["[2001:db8::1]"], Some("2001:db8::1")),
            // No client is named.
            ("127.0.0.1", &[], None),
            ("127.0.0.1", &["10.0.0.1"], None),
            ("127.0.0.1", &["1.1.1.1, unknown"], None),
            ("127.0.0.1", &[""], None),
        ] {
            let client = client(&proxies, from, lines);
            assert_eq!(client, expected.map(peer), "{from} {lines:?}");
        }
    }

    #[test]
    fn addresses_of_one_subscriber_are_one_peer() {
        assert_eq!(peer("2001:db8:1:2::1"), peer("2001:db8:1:2:ffff::9"));
        assert_ne!(peer("2001:db8:1:2::1"), peer("2001:db8:1:3::1"));
        assert_ne!(peer("203.0.113.1"), peer("203.0.113.2"));
    }
}
