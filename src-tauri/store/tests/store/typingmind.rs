//! Tests of the client of TypingMind's API, for what would take too long through the command line.

use std::time::Duration;

use latchkey_core::ErrorCode;
use latchkey_core::protocol::email::Email;
use latchkey_core::secret::Secret;
use latchkey_core::typingmind::{Region, UserCopy};
use latchkey_store::typingmind::{Limits, TypingMindClient};

use crate::stand_in::{KEY, StandIn};

fn region(server: &StandIn) -> Region {
    server.url().parse().unwrap()
}

#[test]
fn a_server_that_does_not_answer_ends_with_the_timeout() {
    let server = StandIn::start(1);
    server.set_mode("slow");
    let (region, key) = (region(&server), Secret::new(KEY.to_owned()));
    let limits = Limits {
        timeout: Duration::from_millis(300),
        ..Limits::default()
    };
    let client = TypingMindClient::new(&region, &key, limits);
    let refused = client.users().unwrap_err();
    assert_eq!(refused.code, ErrorCode::Unreachable);
    assert!(refused.message.contains("within 0.3 seconds"), "{refused}");
    let email = Email::parse("ada@acme.example", "email").unwrap();
    let unknown = client.add(&email).unwrap_err();
    assert!(
        unknown
            .error
            .message
            .contains("not known whether ada@acme.example was added"),
        "{unknown:?}"
    );
    assert!(unknown.may_be_made);
}

#[test]
fn an_answer_beyond_the_maximum_is_refused() {
    let server = StandIn::start(1);
    server.set_mode("huge");
    let (region, key) = (region(&server), Secret::new(KEY.to_owned()));
    let limits = Limits {
        answer_bytes: 1024 * 1024,
        ..Limits::default()
    };
    let refused = TypingMindClient::new(&region, &key, limits).users();
    let refused = refused.unwrap_err();
    assert_eq!(refused.code, ErrorCode::UnexpectedAnswer);
    assert!(refused.message.contains("longer than 1 MiB"), "{refused}");
}

#[test]
fn a_hundred_thousand_users_in_one_answer_become_a_copy() {
    let server = StandIn::start(100_000);
    let (region, key) = (region(&server), Secret::new(KEY.to_owned()));
    let listed = TypingMindClient::new(&region, &key, Limits::default()).users();
    let copy = UserCopy::of_listing(0, listed.unwrap());
    assert_eq!((copy.users().len(), copy.groups().len()), (100_000, 2));
    let last = Email::parse("USER-100000@acme.example", "email").unwrap();
    assert_eq!(copy.by_email(&last).unwrap().id, "100000");
}
