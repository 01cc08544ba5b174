//! Rate limits for addresses, for the networks around them, and for all visitors together.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::client_address::Network;

/// IPv6 networks that have a limit, narrow ones first: the length of the prefix, and how many times
/// the limit of an address the network has. A provider assigns a /64 to a computer, and up to a /48
/// to a customer.
const NETWORKS: [(u32, u32); 3] = [(64, 1), (56, 4), (48, 16)];
/// How many times the limit of an address all visitors have together.
const EVERYBODY: u32 = 64;

/// Trusted proxies, and the rate limits for each address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientLimits {
    /// Proxies whose `X-Forwarded-For` names the client. With none, the peer of the connection is
    /// the client.
    pub trusted_proxies: Vec<Network>,
    /// Maximum number of links opened per second from one address, with bursts of four times that.
    /// `None` sets no limit. An IPv6 address shares the limit of its /64 network. A /56 network has
    /// four times the limit, a /48 network sixteen times, and all visitors together 64 times.
    pub links_per_second: Option<NonZeroU32>,
    /// Maximum number of API requests per second from one address, counted in the same way.
    pub api_requests_per_second: Option<NonZeroU32>,
}

/// The rate limits of a gateway.
pub(crate) struct RateLimits {
    links: Option<RateLimit>,
    api_requests: Option<RateLimit>,
}

impl RateLimits {
    pub(crate) fn new(limits: &ClientLimits) -> Self {
        Self {
            links: limits.links_per_second.map(RateLimit::new),
            api_requests: limits.api_requests_per_second.map(RateLimit::new),
        }
    }

    /// Counts one opened link. Returns whether it is within the limit.
    pub(crate) fn allows_link(&self, address: Option<IpAddr>) -> bool {
        is_within(self.links.as_ref(), address)
    }

    /// Counts one API request. Returns whether it is within the limit.
    pub(crate) fn allows_api_request(&self, address: Option<IpAddr>) -> bool {
        is_within(self.api_requests.as_ref(), address)
    }
}

fn is_within(limit: Option<&RateLimit>, address: Option<IpAddr>) -> bool {
    limit
        .zip(address)
        .is_none_or(|(limit, address)| limit.allows(address))
}

/// Rate limit of each address, of the networks around it, and of all visitors together.
///
/// Each kind of network has at most 65,536 counters, so memory is bounded. Two networks with equal
/// hashes share a counter. No visitor can choose whose counter they share, because the hash has a
/// random seed.
pub(crate) struct RateLimit {
    seed: RandomState,
    networks: [DefaultKeyedRateLimiter<u16>; NETWORKS.len()],
    everybody: DefaultDirectRateLimiter,
}

impl RateLimit {
    /// Creates a limit of `rate` requests per second from one address, with bursts of four times
    /// that.
    pub(crate) fn new(rate: NonZeroU32) -> Self {
        let quota = |factor: u32| {
            let rate = rate.saturating_mul(NonZeroU32::new(factor).unwrap_or(NonZeroU32::MIN));
            let at_once = rate.saturating_mul(NonZeroU32::MIN.saturating_add(3));
            Quota::per_second(rate).allow_burst(at_once)
        };
        Self {
            seed: RandomState::new(),
            networks: NETWORKS.map(|(_, factor)| RateLimiter::keyed(quota(factor))),
            everybody: RateLimiter::direct(quota(EVERYBODY)),
        }
    }

    /// Counts one request from an address. Returns whether it is within all limits. The narrowest
    /// network is checked first, so a network over its limit does not use up the limits of the
    /// wider ones.
    pub(crate) fn allows(&self, address: IpAddr) -> bool {
        let of_network = |((bits, _), limit): (&(u32, u32), &DefaultKeyedRateLimiter<u16>)| {
            let counter = self.counter(network(address, *bits), *bits);
            limit.check_key(&counter).is_ok()
        };
        let count = if address.is_ipv6() { NETWORKS.len() } else { 1 };
        let mut networks = NETWORKS.iter().zip(&self.networks).take(count);
        networks.all(of_network) && self.everybody.check().is_ok()
    }

    fn counter(&self, network: IpAddr, bits: u32) -> u16 {
        let [low, high, ..] = self.seed.hash_one((network, bits)).to_le_bytes();
        u16::from_le_bytes([low, high])
    }

    #[cfg(test)]
    fn counters(&self) -> usize {
        self.networks.iter().map(RateLimiter::len).sum()
    }
}

/// Returns an IPv4 address itself, or the network of an IPv6 address with a prefix of `bits`.
pub(crate) fn network(address: IpAddr, bits: u32) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or_default();
            IpAddr::V6((address.to_bits() & mask).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};
    use std::time::Instant;

    use super::*;

    fn limit(rate: u32) -> RateLimit {
        RateLimit::new(NonZeroU32::new(rate).unwrap())
    }

    /// Sends a request from each address, with a limit of 1 per second. Expects that the
    /// allowed requests are `factor` bursts of an address, plus what the elapsed time has added.
    fn allows(limit: &RateLimit, factor: u32, addresses: impl Iterator<Item = IpAddr>) {
        let begun = Instant::now();
        let allowed = addresses.filter(|address| limit.allows(*address)).count();
        let added = f64::from(factor) * begun.elapsed().as_secs_f64();
        let (allowed, burst) = (
            f64::from(u32::try_from(allowed).unwrap()),
            f64::from(4 * factor),
        );
        assert!(
            (burst..=burst + added.ceil()).contains(&allowed),
            "{allowed} instead of {burst}"
        );
    }

    fn v6(network: u64, host: u64) -> IpAddr {
        let base = u128::from(0x2001_0db8_0000_0000_u64 + network) << 64;
        Ipv6Addr::from_bits(base | u128::from(host)).into()
    }

    #[test]
    fn nested_ipv6_networks_each_have_a_limit() {
        // One computer with many addresses.
        allows(&limit(1), 1, (0..100).map(|host| v6(0, host)));
        // All /64 networks in a /56 network.
        allows(&limit(1), 4, (0..256).map(|number| v6(number, 1)));
        // All /56 networks in a /48 network.
        allows(&limit(1), 16, (0..256).map(|number| v6(number << 8, 1)));
        // Many customers together.
        allows(&limit(1), 64, (0..1_000).map(|number| v6(number << 16, 1)));
    }

    #[test]
    fn all_visitors_together_have_a_limit_with_ipv4_too() {
        let addresses = (0..1_000_u32).map(|number| Ipv4Addr::from_bits(number << 8).into());
        allows(&limit(1), 64, addresses);
    }

    #[test]
    fn an_address_over_its_limit_does_not_use_up_the_limit_of_its_network() {
        let limit = limit(1);
        allows(&limit, 1, (0..1_000).map(|_| v6(0, 1)));
        allows(&limit, 1, (0..10).map(|_| v6(1, 1)));
    }

    #[test]
    fn more_busy_addresses_than_counters_share_them() {
        let limit = limit(1);
        for number in 0..150_000_u32 {
            let address = Ipv4Addr::from_bits(number << 8).into();
            // Uses up the burst, so the address stays over its limit for four seconds.
            (0..4).for_each(|_| _ = limit.allows(address));
        }
        let counters = limit.counters();
        assert!((50_000..=65_536).contains(&counters), "{counters}");
    }

    #[test]
    fn each_address_has_a_counter_of_its_own() {
        let limits = RateLimits::new(&ClientLimits {
            links_per_second: NonZeroU32::new(2),
            ..ClientLimits::default()
        });
        let opened = |address: &str| {
            let address = address.parse().ok();
            (0..20).filter(|_| limits.allows_link(address)).count()
        };
        assert_eq!(opened("192.0.2.7"), 8);
        assert_eq!(opened("198.51.100.1"), 8);
        assert_eq!(opened("2001:db8::1"), 8);
        assert_eq!(opened("2001:db8::2"), 0, "the same network");
        assert_eq!(opened("2001:db8:0:1::1"), 8);
    }

    #[test]
    fn without_a_limit_or_an_address_every_request_is_allowed() {
        let unlimited = RateLimits::new(&ClientLimits::default());
        let address = Some(Ipv4Addr::new(192, 0, 2, 7).into());
        assert!((0..1000).all(|_| unlimited.allows_link(address)));
        let limited = RateLimits::new(&ClientLimits {
            links_per_second: NonZeroU32::new(1),
            ..ClientLimits::default()
        });
        assert!((0..100).all(|_| limited.allows_link(None)));
    }
}
