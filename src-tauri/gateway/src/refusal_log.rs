//! Log lines of refusals. Anybody can cause refusals, so each address may cause only a few lines
//! per minute. One more line then has the number of the omitted lines.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error_page::LogLine;
use crate::rate_limit::network;

/// Length of a counting period.
const PERIOD: Duration = Duration::from_mins(1);
/// Maximum number of lines that one address causes per period. It is also the maximum number of
/// references of a counted entry in the activity.
const MAX_LINES: u64 = 20;
/// Maximum number of addresses that are counted separately. All others are counted together.
const MAX_ADDRESSES: usize = 1000;

/// Writes log lines of refusals, and counts the omitted ones.
#[derive(Default)]
pub(crate) struct RefusalLog(Mutex<Option<Period>>);

/// Numbers of refusals by address since the start of the period. `None` stands for all addresses
/// beyond the maximum.
struct Period {
    begun: Instant,
    refusals: HashMap<Option<IpAddr>, u64>,
}

impl RefusalLog {
    /// Writes a line about a refusal, unless its address has reached the maximum.
    pub(crate) fn add(&self, line: &LogLine, address: Option<IpAddr>) {
        self.round();
        if self.admits(address) {
            line.write();
        }
    }

    fn admits(&self, address: Option<IpAddr>) -> bool {
        let mut period = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Period { refusals, .. } = period.get_or_insert_with(|| Period {
            begun: Instant::now(),
            refusals: HashMap::new(),
        });
        let mut key = address.map(|address| network(address, 64));
        if refusals.len() >= MAX_ADDRESSES && !refusals.contains_key(&key) {
            key = None;
        }
        let count = refusals.entry(key).or_default();
        *count += 1;
        *count <= MAX_LINES
    }

    /// Ends the period if its time is over.
    pub(crate) fn round(&self) {
        let mut period = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if period
            .as_ref()
            .is_some_and(|period| period.begun.elapsed() >= PERIOD)
        {
            write_left_out(period.take());
        }
    }

    /// Ends the period now.
    pub(crate) fn finish(&self) {
        let mut period = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        write_left_out(period.take());
    }
}

/// Writes one line for each address whose lines were omitted, with their number.
fn write_left_out(period: Option<Period>) {
    let refusals = period.into_iter().flat_map(|period| period.refusals);
    for (address, count) in refusals.filter(|(_, count)| *count > MAX_LINES) {
        let count = count - MAX_LINES;
        let address = address.map_or_else(|| "others".to_owned(), |address| address.to_string());
        tracing::info!(parent: None, %address, count, "further refusals were not logged one by one");
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    #[test]
    fn each_address_causes_a_limited_number_of_lines_and_memory_is_bounded() {
        let log = RefusalLog::default();
        let lines = |addresses: &mut dyn Iterator<Item = IpAddr>| {
            addresses
                .filter(|address| log.admits(Some(*address)))
                .count() as u64
        };
        let v4 = |number: u32| IpAddr::from(Ipv4Addr::from_bits(number));
        let v6 = |number: u32| {
            let host = u128::from(number);
            IpAddr::from(Ipv6Addr::from_bits((0x2001_0db8 << 96) | host))
        };
        assert_eq!(lines(&mut (0..1000).map(|_| v4(7))), MAX_LINES);
        assert_eq!(lines(&mut (0..1000).map(v6)), MAX_LINES, "one network");
        let many = u32::try_from(2 * MAX_ADDRESSES).unwrap();
        let written = lines(&mut (1000..1000 + many).map(v4));
        assert_eq!(written, MAX_ADDRESSES as u64 - 2 + MAX_LINES);
        let period = log.0.lock().unwrap();
        assert_eq!(period.as_ref().unwrap().refusals.len(), MAX_ADDRESSES + 1);
    }
}
