//! Lockout of addresses that guess: that send wrong API keys, or open short links that do not exist.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::rate_limit::network;

/// Number of wrong guesses within [`WINDOW`] that lock an address out.
const WRONG_GUESSES: usize = 10;
/// Period in which wrong guesses are counted.
const WINDOW: Duration = Duration::from_mins(1);
/// Length of a lockout.
const LOCKED: Duration = Duration::from_mins(1);
/// Maximum number of addresses in memory. Further addresses are not locked out: keys and short links
/// have too many random bits to be guessed, and an attacker with many addresses must not lock out others.
const MAX_ADDRESSES: usize = 10_000;
/// Length of the prefix of the IPv6 networks that are locked out together.
const NETWORK_BITS: u32 = 64;

/// Times of the latest wrong guesses of each address.
#[derive(Default)]
pub(crate) struct Lockout(Mutex<HashMap<IpAddr, VecDeque<Instant>>>);

impl Lockout {
    /// Returns the time for which an address is still locked out.
    pub(crate) fn remaining(&self, address: Option<IpAddr>, now: Instant) -> Option<Duration> {
        let addresses = self.addresses();
        let times = addresses.get(&network(address?, NETWORK_BITS))?;
        let locked_at = times.back().filter(|_| times.len() >= WRONG_GUESSES)?;
        let remaining = LOCKED.checked_sub(now.saturating_duration_since(*locked_at))?;
        (!remaining.is_zero()).then_some(remaining)
    }

    /// Counts a wrong guess.
    pub(crate) fn count(&self, address: Option<IpAddr>, now: Instant) {
        let Some(address) = address.map(|address| network(address, NETWORK_BITS)) else {
            return;
        };
        let is_recent = |at: &Instant| now.saturating_duration_since(*at) < WINDOW;
        let mut addresses = self.addresses();
        if addresses.len() >= MAX_ADDRESSES && !addresses.contains_key(&address) {
            addresses.retain(|_, times| times.back().is_some_and(is_recent));
            if addresses.len() >= MAX_ADDRESSES {
                return;
            }
        }
        let times = addresses.entry(address).or_default();
        times.retain(is_recent);
        if times.len() < WRONG_GUESSES {
            times.push_back(now);
        }
    }

    fn addresses(&self) -> MutexGuard<'_, HashMap<IpAddr, VecDeque<Instant>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn ten_wrong_keys_within_a_minute_lock_an_address_out_for_a_minute() {
        let (lockout, begun) = (Lockout::default(), Instant::now());
        let (one, other) = (Some(address("192.0.2.1")), Some(address("192.0.2.2")));
        for second in 0..9 {
            lockout.count(one, begun + second * SECOND);
        }
        let last = begun + 59 * SECOND;
        assert_eq!(lockout.remaining(one, last), None);
        lockout.count(one, last);
        assert_eq!(lockout.remaining(one, last), Some(LOCKED));
        assert_eq!(lockout.remaining(one, last + 59 * SECOND), Some(SECOND));
        assert_eq!(lockout.remaining(one, last + LOCKED), None);
        assert_eq!(lockout.remaining(other, last), None);
        // The wrong keys of the first lockout do not count again.
        lockout.count(one, last + LOCKED);
        assert_eq!(lockout.remaining(one, last + LOCKED), None);
    }

    #[test]
    fn nine_wrong_keys_in_each_minute_lock_nobody_out() {
        let (lockout, begun) = (Lockout::default(), Instant::now());
        let one = Some(address("192.0.2.1"));
        for number in 0..100 {
            let now = begun + number * Duration::from_millis(6_700);
            lockout.count(one, now);
            assert_eq!(lockout.remaining(one, now), None);
        }
    }

    #[test]
    fn an_ipv6_network_is_locked_out_as_a_whole_and_an_unknown_address_never() {
        let (lockout, now) = (Lockout::default(), Instant::now());
        for number in 0..WRONG_GUESSES {
            let one = address(&format!("2001:db8::{number}"));
            lockout.count(Some(one), now);
            lockout.count(None, now);
        }
        let remaining = |text| lockout.remaining(Some(address(text)), now);
        assert!(remaining("2001:db8::ff").is_some());
        assert_eq!(remaining("2001:db8:0:1::1"), None);
        assert_eq!(lockout.remaining(None, now), None);
    }

    #[test]
    fn many_addresses_take_a_bounded_amount_of_memory() {
        let (lockout, now) = (Lockout::default(), Instant::now());
        let count = |from: u32, now| {
            for number in from..from + 12_000 {
                lockout.count(Some(Ipv4Addr::from_bits(number).into()), now);
            }
            lockout.addresses().len()
        };
        assert_eq!(count(0, now), MAX_ADDRESSES);
        let newest = Some(Ipv4Addr::from_bits(500_000).into());
        (0..WRONG_GUESSES).for_each(|_| lockout.count(newest, now + WINDOW));
        let has_room = lockout.remaining(newest, now + WINDOW).is_some();
        assert!(has_room, "old addresses are dropped");
    }
}
