//! IP addresses that actions may connect to.
//!
//! A host name is checked by its addresses at the moment of connecting, so a later change of the
//! name has no effect. The ranges are those of the IANA special-purpose address registries.
//!
//! See <https://www.iana.org/assignments/iana-ipv4-special-registry> and
//! <https://www.iana.org/assignments/iana-ipv6-special-registry>.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Resolves a host name.
pub(super) type Lookup = Arc<dyn Fn(String) -> Resolution + Send + Sync>;
type Resolution = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Resolver that returns public addresses only.
pub(super) struct PublicOnly(pub(super) Lookup);

/// Error for a host name without a public address.
#[derive(Debug, thiserror::Error)]
#[error(
    "its address is none of the public internet: mark the host `private = true` if it is yours"
)]
pub(super) struct NotPublic;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let addresses = (self.0)(name.as_str().to_owned());
        Box::pin(async move {
            let public = addresses
                .await?
                .into_iter()
                .filter(|address| is_public(*address));
            let public: Vec<_> = public.map(|address| SocketAddr::new(address, 0)).collect();
            if public.is_empty() {
                return Err(NotPublic.into());
            }
            let public: Addrs = Box::new(public.into_iter());
            Ok(public)
        })
    }
}

/// Returns the system's resolver.
pub(super) fn system() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            let addresses = tokio::net::lookup_host((name, 0)).await?;
            Ok(addresses.map(|address| address.ip()).collect())
        })
    })
}

/// Whether an address belongs to the public internet.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Network and length of its prefix.
const NOT_PUBLIC_V4: [([u8; 4], u32); 15] = [
    ([0, 0, 0, 0], 8),       // this network
    ([10, 0, 0, 0], 8),      // private
    ([100, 64, 0, 0], 10),   // behind a provider's NAT
    ([127, 0, 0, 0], 8),     // this machine
    ([169, 254, 0, 0], 16),  // this link, and the metadata of cloud machines
    ([172, 16, 0, 0], 12),   // private
    ([192, 0, 0, 0], 24),    // protocols
    ([192, 0, 2, 0], 24),    // documentation
    ([192, 88, 99, 0], 24),  // 6to4 relays
    ([192, 168, 0, 0], 16),  // private
    ([198, 18, 0, 0], 15),   // benchmarks
    ([198, 51, 100, 0], 24), // documentation
    ([203, 0, 113, 0], 24),  // documentation
    ([224, 0, 0, 0], 4),     // multicast
    ([240, 0, 0, 0], 4),     // reserved, broadcast
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let inside = |(network, prefix): &([u8; 4], u32)| {
        let mask = u32::MAX << (32 - prefix);
        address.to_bits() & mask == u32::from_be_bytes(*network)
    };
    !NOT_PUBLIC_V4.iter().any(inside)
}

/// Within `2000::/3`, which holds all that is public: first two segments of a network and length of
/// its prefix.
const NOT_PUBLIC_V6: [([u16; 2], u32); 4] = [
    ([0x2001, 0], 23),     // protocols, tunnels
    ([0x2001, 0xdb8], 32), // documentation
    ([0x2002, 0], 16),     // 6to4: another address in disguise
    ([0x3fff, 0], 20),     // documentation
];

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let pair = |first: usize| u32::from(segments[first]) << 16 | u32::from(segments[first + 1]);
    // NAT64: an IPv4 address as a network without IPv4 reaches it.
    if segments[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
        return is_public_v4(Ipv4Addr::from_bits(pair(6)));
    }
    let start = pair(0);
    let inside = |([first, second], prefix): &([u16; 2], u32)| {
        let mask = u32::MAX << (32 - prefix);
        start & mask == u32::from(*first) << 16 | u32::from(*second)
    };
    segments[0] & 0xe000 == 0x2000 && !NOT_PUBLIC_V6.iter().any(inside)
}
