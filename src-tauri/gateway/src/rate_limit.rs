//! How often something is done from each network, and by everybody together.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Networks of IPv6 that have a limit each, narrow ones first: the length of the prefix, and how many
/// times the limit of one address. A provider gives 64 bits to one computer, and up to 48 to one customer.
const NETWORKS: [(u32, u32); 3] = [(64, 1), (56, 4), (48, 16)];
/// How many times the limit of one address everybody has together.
const EVERYBODY: u32 = 64;

/// A limit for each address, for the networks around it, and for everybody.
///
/// The counters of addresses and of networks are as many as an `u16` has values, so memory is bounded.
/// Two that share a counter by chance share a limit; nobody can choose to, since the hash has a random
/// seed.
pub(crate) struct RateLimit {
    seed: RandomState,
    networks: [DefaultKeyedRateLimiter<u16>; NETWORKS.len()],
    everybody: DefaultDirectRateLimiter,
}

impl RateLimit {
    /// Allows `rate` in a second from one address, and four times as many at once.
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

    /// Counts one more from an address; `false` if that is too many. The narrowest network is asked first:
    /// one that is over its limit takes nothing from those around it.
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

/// An address of IPv4, or the network of this many bits around one of IPv6.
fn network(address: IpAddr, bits: u32) -> IpAddr {
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

    use super::*;

    fn limit(rate: u32) -> RateLimit {
        RateLimit::new(NonZeroU32::new(rate).unwrap())
    }

    /// How many of `tries` are allowed from these addresses in turn.
    fn allowed(limit: &RateLimit, addresses: impl Iterator<Item = IpAddr>) -> usize {
        addresses.filter(|address| limit.allows(*address)).count()
    }

    fn v6(network: u64, host: u64) -> IpAddr {
        let base = u128::from(0x2001_0db8_0000_0000_u64 + network) << 64;
        Ipv6Addr::from_bits(base | u128::from(host)).into()
    }

    #[test]
    fn networks_of_ipv6_have_a_limit_of_their_own_inside_each_other() {
        // One computer with many addresses.
        let hosts = allowed(&limit(1), (0..100).map(|host| v6(0, host)));
        assert_eq!(hosts, 4);
        // All 256 networks of 64 bits in one of 56.
        let networks = allowed(
            &limit(1),
            (0..256 * 8).map(|number| v6(number % 256, number)),
        );
        assert_eq!(networks, 16);
        // All 256 networks of 56 bits in one of 48.
        let customers = allowed(&limit(1), (0..65_536).map(|number| v6(number, number)));
        assert_eq!(customers, 64);
        // Many customers together.
        let everybody = allowed(&limit(1), (0..5_000).map(|number| v6(number << 16, number)));
        assert_eq!(everybody, 256);
    }

    #[test]
    fn everybody_together_has_a_limit_with_ipv4_too() {
        let addresses = (0..5_000_u32).map(|number| Ipv4Addr::from_bits(number << 8).into());
        assert_eq!(allowed(&limit(1), addresses), 256);
    }

    #[test]
    fn an_address_over_its_limit_takes_nothing_from_its_neighbours() {
        let limit = limit(1);
        assert_eq!(allowed(&limit, (0..10_000).map(|_| v6(0, 1))), 4);
        assert_eq!(allowed(&limit, (0..10).map(|_| v6(1, 1))), 4);
    }

    #[test]
    fn memory_is_bounded_whoever_comes() {
        let limit = limit(1_000_000);
        for number in 0..300_000 {
            limit.allows(v6(number << 16, 1));
        }
        assert!(limit.counters() <= 3 * 65_536, "{}", limit.counters());
        assert!(limit.counters() > 60_000, "{}", limit.counters());
    }
}
