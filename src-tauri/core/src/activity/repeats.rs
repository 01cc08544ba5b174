//! Repeated refusals. Anybody can cause as many refusals as the gateway allows, so the activity
//! must not store an entry for each. The first refusal from an address is recorded at once. Those
//! of the following minute are counted in memory and recorded as one entry.

use std::collections::{BTreeMap, HashMap};
use std::mem;
use std::net::{IpAddr, Ipv6Addr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::context::{Actor, AuditContext};
use super::event::{Event, EventData};
use super::kind::Kind;
use super::reference::Reference;
use crate::instance::scope::Scope;

/// Length of the period in which refusals are counted, in seconds.
const PERIOD_SECS: i64 = 60;
/// Maximum number of periods in memory. The refusals of further addresses are counted together.
const MAX_PERIODS: usize = 1000;
/// Maximum number of references in a counted entry.
const MAX_REFERENCES: usize = 20;

/// Repetitions that an entry stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Repeats {
    /// Number of refusals.
    pub count: u64,
    /// Time of the first refusal, in Unix seconds. The time of the entry is that of the last
    /// refusal.
    pub since: i64,
    /// References that visitors were shown, the first 20 of them.
    #[schema(value_type = Vec<String>)]
    pub references: Vec<Reference>,
}

/// Counted refusals that are not recorded yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Time of the last refusal, in Unix seconds.
    pub at: i64,
    /// Actor of the refusals.
    pub actor: Actor,
    /// Address of the actor. For IPv6 it is the network of 64 bits.
    pub address: Option<IpAddr>,
    /// Number, time of the first refusal, and references.
    pub repeats: Repeats,
    first: Event,
    /// Number of refusals by stable code.
    reasons: BTreeMap<String, u64>,
}

impl Counted {
    fn new(event: Event, by: &AuditContext, address: Option<IpAddr>) -> Self {
        Self {
            at: by.at.as_second(),
            actor: by.actor.clone(),
            address,
            repeats: Repeats {
                count: 0,
                since: by.at.as_second(),
                references: Vec::new(),
            },
            first: event,
            reasons: BTreeMap::new(),
        }
    }

    fn add(&mut self, code: &str, by: &AuditContext) {
        self.at = self.at.max(by.at.as_second());
        self.repeats.count += 1;
        *self.reasons.entry(code.to_owned()).or_default() += 1;
        if self.repeats.references.len() < MAX_REFERENCES {
            self.repeats.references.extend(by.reference.clone());
        }
    }

    fn merge(&mut self, other: Self) {
        self.at = self.at.max(other.at);
        self.repeats.count += other.repeats.count;
        if self.address != other.address {
            self.address = None;
        }
        for (code, count) in other.reasons {
            *self.reasons.entry(code).or_default() += count;
        }
    }

    /// Returns the event of the entry that stands for all of them.
    #[must_use]
    pub fn event(&self) -> Event {
        let mut event = self.first.clone();
        if self.reasons.len() > 1 {
            event.data = EventData::SeveralRefusals {
                reasons: self.reasons.clone(),
            };
        }
        event
    }
}

/// Key of refusals that are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    /// Unverified codes from one network.
    Unverified(Option<IpAddr>),
    /// Verified codes with one subject and link, or requests with one API key. They have one reason
    /// and come from one network.
    Named {
        network: Option<IpAddr>,
        actor: Actor,
        code: String,
        subject: Option<String>,
        link: Option<String>,
        scope: Option<Scope>,
    },
    /// Refusals of all further addresses, when the maximum of periods is reached.
    Others,
}

impl Key {
    fn of(event: &Event, actor: &Actor, network: Option<IpAddr>) -> Self {
        let names_nobody = event.subject.is_none() && event.link.is_none();
        let scope = match event.data {
            EventData::ApiKeyRefused | EventData::ApiKeyExpired | EventData::PairingRefused => None,
            EventData::ApiKeyScopeMissing { scope } => Some(scope),
            _ if names_nobody => return Self::Unverified(network),
            _ => None,
        };
        Self::Named {
            network,
            actor: actor.clone(),
            code: event.data.code().to_owned(),
            subject: event.subject.clone(),
            link: event.link.clone(),
            scope,
        }
    }
}

/// A period that began with a refusal.
struct Period {
    began: i64,
    counted: Option<Counted>,
}

impl Period {
    /// Returns whether the period is over, also because the clock was put back.
    fn has_ended(&self, now: i64) -> bool {
        now < self.began || now >= self.began + PERIOD_SECS
    }
}

/// Refusals of the last minute.
#[derive(Default)]
pub struct Refusals {
    periods: HashMap<Key, Period>,
    /// Counts of periods that have ended.
    waiting: Vec<Counted>,
}

impl Refusals {
    /// Returns whether `event` must be recorded now: every event but a refusal, and the first
    /// refusal of a period if `may_record`. Any other refusal is counted.
    pub fn admit(&mut self, event: &Event, by: &AuditContext, may_record: bool) -> bool {
        if event.data.kind() != Kind::Refusal {
            return true;
        }
        let (network, now) = (by.address.map(network), by.at.as_second());
        let mut key = Key::of(event, &by.actor, network);
        if self.periods.len() >= MAX_PERIODS && !self.periods.contains_key(&key) {
            key = Key::Others;
        }
        let address = if key == Key::Others { None } else { network };
        let begin = || Period {
            began: now,
            counted: None,
        };
        let is_first = self.periods.get(&key).is_none_or(|at| at.has_ended(now));
        let period = self.periods.entry(key).or_insert_with(begin);
        if is_first {
            let ended = mem::replace(period, begin());
            if let Some(ended) = ended.counted {
                wait(&mut self.waiting, ended);
            }
            if may_record {
                return true;
            }
        }
        let counted = &mut period.counted;
        counted
            .get_or_insert_with(|| Counted::new(event.clone(), by, address))
            .add(event.data.code(), by);
        false
    }

    /// Takes the counts of the periods that have ended by `now`. `None` takes those of all periods.
    pub fn take_ended(&mut self, now: Option<i64>) -> Vec<Counted> {
        let ended = self
            .periods
            .extract_if(|_, period| now.is_none_or(|now| period.has_ended(now)));
        self.waiting
            .extend(ended.filter_map(|(_, period)| period.counted));
        let mut counted = mem::take(&mut self.waiting);
        counted.sort_by_key(|counted| counted.repeats.since);
        counted
    }

    /// Takes back counts that could not be recorded.
    pub fn put_back(&mut self, counted: Vec<Counted>) {
        for counted in counted {
            wait(&mut self.waiting, counted);
        }
    }
}

/// Adds a count to the waiting ones. At the maximum it is merged into the last of them.
fn wait(waiting: &mut Vec<Counted>, counted: Counted) {
    let is_much = waiting.len() >= MAX_PERIODS;
    match waiting.last_mut().filter(|_| is_much) {
        Some(last) => last.merge(counted),
        None => waiting.push(counted),
    }
}

/// Returns an IPv4 address itself, or the network of 64 bits of an IPv6 address, because one
/// computer can use all addresses of such a network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::protocol::code::CodeFault;
    use crate::verdict::{RecordedRefusal, Refusal};

    fn by(address: &str, at: i64) -> AuditContext {
        AuditContext {
            address: Some(address.parse().unwrap()),
            reference: Some(Reference::random()),
            ..AuditContext::new(Actor::Visitor, Timestamp::from_second(at).unwrap())
        }
    }

    fn refusal(fault: CodeFault) -> Event {
        EventData::Refused(Refusal::Code(fault)).into()
    }

    fn refusal_of(subject: &str, refusal: RecordedRefusal) -> Event {
        Event {
            subject: Some(subject.to_owned()),
            ..EventData::Refused(refusal).into()
        }
    }

    #[test]
    fn the_first_refusal_of_an_address_is_recorded_and_the_rest_of_the_minute_is_counted() {
        let mut refusals = Refusals::default();
        let event = refusal(CodeFault::BadSignature);
        assert!(refusals.admit(&event, &by("192.0.2.1", 0), true));
        let mut shown = Vec::new();
        for second in 1..50 {
            let by = by("192.0.2.1", second);
            shown.extend(by.reference.clone());
            assert!(!refusals.admit(&event, &by, true));
        }
        assert!(
            refusals.admit(&event, &by("192.0.2.2", 30), true),
            "another address"
        );
        assert_eq!(refusals.take_ended(Some(59)), []);
        let ended = refusals.take_ended(Some(60));
        let [counted] = &ended[..] else {
            panic!("one entry: {ended:?}");
        };
        assert_eq!((counted.at, counted.repeats.since), (49, 1));
        assert_eq!(counted.repeats.count, 49);
        assert_eq!(counted.repeats.references, shown[..MAX_REFERENCES]);
        let event = counted.event();
        assert_eq!(event.data.code(), "bad_signature");
        assert_eq!(
            event.data.title_of(Some(&counted.repeats)),
            "Refused 49 more times: the signature does not match"
        );
        assert!(
            refusals.admit(&event, &by("192.0.2.1", 61), true),
            "a new minute"
        );
    }

    #[test]
    fn refusals_for_several_reasons_are_one_entry_that_says_how_many_of_each() {
        let mut refusals = Refusals::default();
        for fault in [
            CodeFault::MalformedCode,
            CodeFault::BadSignature,
            CodeFault::MalformedCode,
        ] {
            refusals.admit(&refusal(fault), &by("2001:db8::1", 0), true);
        }
        refusals.admit(
            &refusal(CodeFault::BadSignature),
            &by("2001:db8::ffff", 1),
            true,
        );
        let ended = refusals.take_ended(None);
        assert_eq!(ended.len(), 1);
        assert_eq!(ended[0].address, Some("2001:db8::".parse().unwrap()));
        let event = ended[0].event();
        assert_eq!(event.data.code(), "several_refusals");
        assert_eq!(
            event.data.title_of(Some(&ended[0].repeats)),
            "Refused 3 more times, for several reasons"
        );
        let detail = event.data.detail().unwrap();
        assert_eq!(detail, "By reason: bad_signature 2, malformed_code 1.");
    }

    #[test]
    fn a_code_that_verifies_is_counted_by_itself() {
        let mut refusals = Refusals::default();
        let mut admit = |event: &Event| refusals.admit(event, &by("192.0.2.1", 0), true);
        assert!(admit(&refusal(CodeFault::BadSignature)));
        for subject in ["ada", "bob"] {
            let used = refusal_of(subject, Refusal::LinkAlreadyUsed);
            assert!(admit(&used));
            assert!(!admit(&used));
        }
        assert!(
            admit(&refusal_of("ada", Refusal::LinkRevoked)),
            "another reason"
        );
        assert!(admit(&EventData::Added.into()));
        assert!(admit(&EventData::Added.into()), "an act is always recorded");
    }

    #[test]
    fn refusals_of_a_known_api_key_are_counted_by_key_and_scope() {
        let mut refusals = Refusals::default();
        let of_key = |name: &str| AuditContext {
            actor: Actor::ApiKey(name.to_owned()),
            ..by("192.0.2.1", 0)
        };
        let missing = |scope| Event::from(EventData::ApiKeyScopeMissing { scope });
        let expired = Event::from(EventData::ApiKeyExpired);
        for (event, name) in [
            (&missing(Scope::Links), "CRM"),
            (&missing(Scope::Users), "CRM"),
            (&missing(Scope::Users), "ERP"),
            (&expired, "CRM"),
            (&expired, "ERP"),
        ] {
            assert!(
                refusals.admit(event, &of_key(name), true),
                "{event:?} {name}"
            );
            assert!(!refusals.admit(event, &of_key(name), true));
        }
        for counted in refusals.take_ended(None) {
            assert_eq!(counted.repeats.count, 1);
        }
    }

    #[test]
    fn many_addresses_take_a_bounded_amount_of_memory() {
        let mut refusals = Refusals::default();
        let event = refusal(CodeFault::BadSignature);
        let recorded = (0..5000_u16)
            .filter(|number| {
                let address = format!("10.0.{}.{}", number >> 8, number & 255);
                refusals.admit(&event, &by(&address, 0), true)
            })
            .count();
        assert_eq!(recorded, MAX_PERIODS + 1);
        let ended = refusals.take_ended(None);
        assert_eq!(ended.len(), 1);
        assert_eq!(ended[0].address, None, "several addresses");
        assert_eq!(ended[0].repeats.count, 5000 - 1 - MAX_PERIODS as u64);
        assert!(refusals.periods.is_empty());
    }

    #[test]
    fn what_was_counted_in_a_period_is_kept_until_it_is_taken() {
        let mut refusals = Refusals::default();
        let event = refusal(CodeFault::BadSignature);
        for minute in 0..2000 {
            for second in [0, 1] {
                let by = by("192.0.2.1", 60 * minute + second);
                assert_eq!(refusals.admit(&event, &by, true), second == 0);
            }
        }
        assert_eq!(refusals.waiting.len(), MAX_PERIODS);
        let ended = refusals.take_ended(None);
        assert_eq!(ended.len(), MAX_PERIODS + 1);
        refusals.put_back(ended);
        let bounded = refusals.take_ended(None);
        assert_eq!(bounded.len(), MAX_PERIODS);
        let count: u64 = bounded.iter().map(|counted| counted.repeats.count).sum();
        assert_eq!(count, 2000, "nothing is lost");
    }

    #[test]
    fn the_first_refusal_is_counted_too_if_nothing_may_be_recorded() {
        let mut refusals = Refusals::default();
        let event = refusal(CodeFault::BadSignature);
        assert!(!refusals.admit(&event, &by("192.0.2.1", 5), false));
        assert!(!refusals.admit(&event, &by("192.0.2.1", 6), true));
        let ended = refusals.take_ended(Some(4));
        assert_eq!(ended[0].repeats.count, 2, "the clock was put back");
    }
}
