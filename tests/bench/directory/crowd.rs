//! Invented people, the same in each run.

use jiff::Timestamp;
use latchkey_core::protocol::claims::{Claims, Registered};
use latchkey_core::protocol::code::{CodeRules, VerifiedCode, sign, verify};
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::{NewUser, Payload};
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::protocol::uses::Uses;
use latchkey_core::secret::{Secret, SigningKey};

const FIRST: [&str; 16] = [
    "Ada",
    "Grace",
    "Edsger",
    "Barbara",
    "Donald",
    "Radia",
    "José",
    "Alan",
    "Katherine",
    "Dennis",
    "Frances",
    "Ken",
    "Margaret",
    "Niklaus",
    "Sophie",
    "Tony",
];
const LAST: [&str; 16] = [
    "Lovelace", "Hopper", "Dijkstra", "Liskov", "Knuth", "Perlman", "Valim", "Turing", "Johnson",
    "Ritchie", "Allen", "Thompson", "Hamilton", "Wirth", "Wilson", "Hoare",
];

/// Returns the time of all changes.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(1_795_000_000).unwrap()
}

/// Returns a person by number. The order of the IDs differs from that of the numbers.
pub(crate) fn person(number: usize) -> NewUser {
    let mixed = number.wrapping_mul(2_654_435_761) % (1 << 32);
    let (first, last) = (FIRST[mixed % 16], LAST[mixed / 16 % 16]);
    let email = format!(
        "{}.{}.{number}@example.com",
        first.to_lowercase().replace('é', "e"),
        last.to_lowercase()
    );
    let metadata = format!(
        r#"{{"name":"{first} {last}","team":"Team {}","locale":"en-GB"}}"#,
        mixed % 40
    );
    NewUser {
        id: UserId::parse(&format!("u{mixed:08x}-{number}"), "id").unwrap(),
        email: Some(Email::parse(&email, "email").unwrap()),
        metadata: Metadata::from_json(&metadata, "metadata").unwrap(),
    }
}

/// Returns a verified code for that person.
pub(crate) fn code(number: usize) -> VerifiedCode {
    verified(&Claims {
        payload: Payload::User(person(number)),
        registered: Registered {
            issued_at: Some(now().as_second() - 60),
            ..Registered::default()
        },
    })
}

/// Number of links in the ledger.
pub(crate) const LINKS: usize = 1_000_000;
/// Number of the oldest links, of which every tenth has expired.
const OLD: usize = 800_000;
/// Number of links that have expired.
pub(crate) const EXPIRED: usize = OLD / 10;
const DAY: i64 = 86_400;

/// Returns the claims of a link for that person. One link is given out each second until now. Every
/// third has three uses.
pub(crate) fn link(number: usize) -> Claims {
    let mixed = number.wrapping_mul(2_654_435_761) % (1 << 32);
    let ago = i64::try_from(LINKS - number).unwrap();
    let lasts = if number < OLD && number.is_multiple_of(10) {
        -DAY
    } else {
        DAY
    };
    let uses = if number.is_multiple_of(3) {
        Uses::limited(3).unwrap()
    } else {
        Uses::UNLIMITED
    };
    Claims {
        payload: Payload::User(person(number)),
        registered: Registered {
            id: Some(format!("{mixed:08x}{number:08x}")),
            issued_at: Some(now().as_second() - ago),
            expires_at: Some(now().as_second() + lasts),
            uses,
            ..Registered::default()
        },
    }
}

/// Returns the ID of that link.
pub(crate) fn link_id(number: usize) -> String {
    link(number).registered.id.unwrap()
}

pub(crate) fn verified(claims: &Claims) -> VerifiedCode {
    let key =
        SigningKey::from_text(&Secret::new("0123456789abcdef0123456789abcdef".into())).unwrap();
    let rules = CodeRules {
        algorithm: latchkey_core::protocol::code::Algorithm::HS256,
        require_expiry: false,
        audiences: None,
    };
    let code = sign(claims, &key, rules.algorithm).unwrap();
    verify(code.expose(), &[&key], rules, now()).unwrap()
}
