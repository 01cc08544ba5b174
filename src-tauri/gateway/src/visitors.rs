//! Who visits, by address, and how often they may.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// So many addresses are remembered before those that have been quiet are forgotten.
const MANY: usize = 10_000;

/// Which proxies are believed, and how often links are opened from one address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visitors {
    /// Proxies that say in `X-Forwarded-For` for whom they ask. Without any the peer is the visitor.
    pub proxies: HashSet<IpAddr>,
    /// How many links are opened in a second from one address, four times as many at once; no limit, if
    /// `None`.
    pub opened_per_second: Option<NonZeroU32>,
    /// How many requests of the API are answered in a second from one address, four times as many at
    /// once; no limit, if `None`.
    pub asked_per_second: Option<NonZeroU32>,
}

/// Counts visits.
pub(crate) struct Counter {
    proxies: HashSet<IpAddr>,
    opened: Option<Limit>,
    asked: Option<Limit>,
}

/// How often something is done from each address.
struct Limit(DefaultKeyedRateLimiter<IpAddr>);

impl Limit {
    fn new(rate: NonZeroU32) -> Self {
        let at_once = rate.saturating_mul(NonZeroU32::MIN.saturating_add(3));
        Self(RateLimiter::keyed(
            Quota::per_second(rate).allow_burst(at_once),
        ))
    }

    fn allows(&self, address: IpAddr) -> bool {
        if self.0.len() > MANY {
            self.0.retain_recent();
        }
        self.0.check_key(&network(address)).is_ok()
    }
}

impl Counter {
    pub(crate) fn new(visitors: Visitors) -> Self {
        Self {
            proxies: visitors.proxies,
            opened: visitors.opened_per_second.map(Limit::new),
            asked: visitors.asked_per_second.map(Limit::new),
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

    fn within(&self, limit: Option<&Limit>, extensions: &Extensions, headers: &HeaderMap) -> bool {
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

    /// The address for which a request is made: the last that is no proxy's own.
    fn visitor(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut visitor = peer.to_canonical();
        let fields = headers.get_all("x-forwarded-for").iter();
        let texts: Vec<&str> = fields.filter_map(|field| field.to_str().ok()).collect();
        let named = texts.iter().rev().flat_map(|text| text.rsplit(','));
        for address in named {
            if !self.proxies.contains(&visitor) {
                break;
            }
            match address.trim().parse::<IpAddr>() {
                Ok(address) => visitor = address.to_canonical(),
                Err(_) => break,
            }
        }
        visitor
    }
}

/// With IPv6 one computer has as many addresses as it likes, in a network of 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
    }
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
            headers.append("x-forwarded-for", text.parse().unwrap());
        }
        (extensions, headers)
    }

    fn counter(per_second: u32) -> Counter {
        Counter::new(Visitors {
            proxies: ["127.0.0.1".parse().unwrap(), "10.0.0.1".parse().unwrap()].into(),
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
        ] {
            let (_, headers) = request(peer, forwarded);
            let found = counter.visitor(peer.parse().unwrap(), &headers);
            assert_eq!(found.to_string(), visitor, "{peer} {forwarded:?}");
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
