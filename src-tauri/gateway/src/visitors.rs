//! Who visits, by address, and how often they may.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::str::FromStr;

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap, HeaderValue};
use ipnet::IpNet;

use crate::rate_limit::RateLimit;

/// A network, or one address, as `172.18.0.0/16` or `127.0.0.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    fn contains(self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }
}

/// The error for a text that is not a [`Network`] of proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoNetwork {
    /// It is neither an address nor a network.
    Unreadable,
    /// The address has bits beyond the prefix; this network is probably meant.
    HostBits(IpNet),
    /// It has every address, so every visitor could name any address.
    Everybody,
}

impl fmt::Display for NoNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => f.write_str(
                "say an address or a network, such as 127.0.0.1 or 172.18.0.0/16",
            ),
            Self::HostBits(network) => write!(
                f,
                "the network is {network}; say that, or the proxy's address without the length of a prefix"
            ),
            Self::Everybody => f.write_str(
                "everybody could name any address as theirs; say the address or the network of the proxy alone",
            ),
        }
    }
}

impl std::error::Error for NoNetwork {}

impl FromStr for Network {
    type Err = NoNetwork;

    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self(address.to_canonical().into()));
        }
        let network: IpNet = text.parse().map_err(|_| NoNetwork::Unreadable)?;
        if network.prefix_len() == 0 {
            return Err(NoNetwork::Everybody);
        }
        if network.trunc() != network {
            return Err(NoNetwork::HostBits(network.trunc()));
        }
        Ok(Self(network))
    }
}

/// Which proxies are believed, and how often links are opened from one address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visitors {
    /// Proxies that say in `X-Forwarded-For` for whom they ask. Without any the peer is the visitor.
    pub proxies: Vec<Network>,
    /// How many links are opened in a second from one address, four times as many at once; no limit, if
    /// `None`. An address of IPv6 counts with its network of 64 bits, one of 56 bits has four times as
    /// many, one of 48 bits sixteen times, and everybody together 64 times.
    pub opened_per_second: Option<NonZeroU32>,
    /// How many requests of the API are answered in a second, in the same way.
    pub asked_per_second: Option<NonZeroU32>,
}

/// Counts visits.
pub(crate) struct Counter {
    proxies: Vec<Network>,
    opened: Option<RateLimit>,
    asked: Option<RateLimit>,
}

impl Counter {
    pub(crate) fn new(visitors: Visitors) -> Self {
        Self {
            proxies: visitors.proxies,
            opened: visitors.opened_per_second.map(RateLimit::new),
            asked: visitors.asked_per_second.map(RateLimit::new),
        }
    }

    /// Whether one more link may be opened from where this request comes.
    pub(crate) fn may_open(&self, extensions: &Extensions, headers: &HeaderMap) -> bool {
        self.within(self.opened.as_ref(), extensions, headers)
    }

    /// Whether one more request of the API may be answered.
    pub(crate) fn may_ask(&self, extensions: &Extensions, headers: &HeaderMap) -> bool {
        self.within(self.asked.as_ref(), extensions, headers)
    }

    fn within(
        &self,
        limit: Option<&RateLimit>,
        extensions: &Extensions,
        headers: &HeaderMap,
    ) -> bool {
        let address = self.address(extensions, headers);
        limit
            .zip(address)
            .is_none_or(|(limit, address)| limit.allows(address))
    }

    /// From where a request comes, where that is known.
    pub(crate) fn address(&self, extensions: &Extensions, headers: &HeaderMap) -> Option<IpAddr> {
        let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
        Some(self.visitor(peer.ip(), headers))
    }

    /// Returns the address for which a request is made: the first from the right that is no proxy's own. A
    /// visitor can write anything to the left of it, also bytes that are not text.
    fn visitor(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut visitor = peer.to_canonical();
        let fields = headers.get_all("x-forwarded-for").iter();
        let fields: Vec<&[u8]> = fields.map(HeaderValue::as_bytes).collect();
        let entries = fields
            .iter()
            .rev()
            .flat_map(|field| field.rsplit(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|entry| !entry.is_empty());
        for entry in entries {
            if !self.proxies.iter().any(|proxy| proxy.contains(visitor)) {
                break;
            }
            match address(entry) {
                Some(address) => visitor = address.to_canonical(),
                None => break,
            }
        }
        visitor
    }
}

/// The address in an entry, which may have a port, and brackets around an address of IPv6.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?;
    let bare = text.parse::<IpAddr>().ok();
    let with_port = || Some(text.parse::<SocketAddr>().ok()?.ip());
    let in_brackets = || {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        Some(inner.parse::<Ipv6Addr>().ok()?.into())
    };
    bare.or_else(with_port).or_else(in_brackets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(peer: &str, forwarded: &[&str]) -> (Extensions, HeaderMap) {
        let mut extensions = Extensions::new();
        let peer: IpAddr = peer.parse().unwrap();
        extensions.insert(ConnectInfo(SocketAddr::new(peer, 1)));
        let mut headers = HeaderMap::new();
        for text in forwarded {
            let value = HeaderValue::from_bytes(text.as_bytes()).unwrap();
            headers.append("x-forwarded-for", value);
        }
        (extensions, headers)
    }

    fn counter(per_second: u32) -> Counter {
        Counter::new(Visitors {
            proxies: ["127.0.0.1", "10.0.0.1", "172.18.0.0/16", "fd00::/8"]
                .map(|proxy| proxy.parse().unwrap())
                .to_vec(),
            opened_per_second: NonZeroU32::new(per_second),
            asked_per_second: NonZeroU32::new(2 * per_second),
        })
    }

    #[test]
    fn a_proxy_that_is_known_is_believed_and_nobody_else_is() {
        let counter = counter(1);
        for (peer, forwarded, visitor) in [
            ("192.0.2.7", &[][..], "192.0.2.7"),
            ("192.0.2.7", &["198.51.100.1"], "192.0.2.7"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("::ffff:127.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("127.0.0.1", &["203.0.113.9, 198.51.100.1"], "198.51.100.1"),
            (
                "127.0.0.1",
                &["203.0.113.9", "198.51.100.1"],
                "198.51.100.1",
            ),
            ("127.0.0.1", &["198.51.100.1, 10.0.0.1"], "198.51.100.1"),
            ("127.0.0.1", &["nobody"], "127.0.0.1"),
            ("127.0.0.1", &["198.51.100.1, unknown"], "127.0.0.1"),
            // With ports and brackets.
            ("127.0.0.1", &["198.51.100.1:4711"], "198.51.100.1"),
            ("127.0.0.1", &["[2001:db8::7]:4711"], "2001:db8::7"),
            ("127.0.0.1", &["[2001:db8::7]"], "2001:db8::7"),
            ("127.0.0.1", &["2001:db8::7"], "2001:db8::7"),
            ("127.0.0.1", &["198.51.100.1:99999"], "127.0.0.1"),
            // Entries to the left may be no text, or empty.
            ("127.0.0.1", &["J\u{fc}rgen, 198.51.100.1"], "198.51.100.1"),
            (
                "127.0.0.1",
                &["J\u{fc}rgen", "198.51.100.1"],
                "198.51.100.1",
            ),
            ("127.0.0.1", &["198.51.100.1, J\u{fc}rgen"], "127.0.0.1"),
            ("127.0.0.1", &[", ,198.51.100.1,,"], "198.51.100.1"),
            // Networks of proxies.
            ("172.18.0.9", &["198.51.100.1"], "198.51.100.1"),
            (
                "172.18.0.9",
                &["203.0.113.9, 198.51.100.1, 172.18.255.254:80"],
                "198.51.100.1",
            ),
            ("172.19.0.9", &["198.51.100.1"], "172.19.0.9"),
            ("fd00::5", &["198.51.100.1"], "198.51.100.1"),
        ] {
            let (_, headers) = request(peer, forwarded);
            let found = counter.visitor(peer.parse().unwrap(), &headers);
            assert_eq!(found.to_string(), visitor, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn a_proxy_is_an_address_or_a_network_and_neither_everybody_nor_half_a_network() {
        for text in [
            "127.0.0.1",
            "172.18.0.0/16",
            "172.18.0.5/32",
            "::1",
            "fd00::/8",
        ] {
            assert!(text.parse::<Network>().is_ok(), "{text}");
        }
        for text in [
            "",
            "localhost",
            "172.18.0.0/33",
            "172.18/16",
            "127.0.0.1:80",
        ] {
            assert_eq!(
                text.parse::<Network>(),
                Err(NoNetwork::Unreadable),
                "{text}"
            );
        }
        for text in ["0.0.0.0/0", "::/0", "10.0.0.1/0"] {
            assert_eq!(text.parse::<Network>(), Err(NoNetwork::Everybody), "{text}");
        }
        for (text, meant) in [
            ("10.0.0.1/8", "10.0.0.0/8"),
            ("172.18.0.5/16", "172.18.0.0/16"),
            ("fd00::1/8", "fd00::/8"),
        ] {
            let refused = text.parse::<Network>().unwrap_err();
            assert!(refused.to_string().contains(meant), "{refused}");
        }
    }

    #[test]
    fn each_address_has_a_number_of_its_own() {
        let counter = counter(2);
        let opened = |peer: &str, forwarded: &[&str]| {
            let (extensions, headers) = request(peer, forwarded);
            (0..20)
                .filter(|_| counter.may_open(&extensions, &headers))
                .count()
        };
        assert_eq!(opened("192.0.2.7", &[]), 8);
        assert_eq!(
            opened("192.0.2.7", &["198.51.100.1"]),
            0,
            "its word does not count"
        );
        assert_eq!(opened("127.0.0.1", &["198.51.100.1"]), 8);
        assert_eq!(opened("2001:db8::1", &[]), 8);
        assert_eq!(opened("2001:db8::2", &[]), 0, "the same network");
        assert_eq!(opened("2001:db8:0:1::1", &[]), 8);
    }

    #[test]
    fn without_a_limit_or_an_address_nobody_is_held_up() {
        let unlimited = Counter::new(Visitors::default());
        let (extensions, headers) = request("192.0.2.7", &[]);
        assert!((0..1000).all(|_| unlimited.may_open(&extensions, &headers)));
        let limited = counter(1);
        assert!((0..100).all(|_| limited.may_open(&Extensions::new(), &headers)));
    }
}
