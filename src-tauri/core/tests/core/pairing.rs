//! Pairing codes: how they are exchanged for keys, and when they expire.

use jiff::Timestamp;
use latchkey_core::ErrorCode;
use latchkey_core::instance::api_key::NewApiKey;
use latchkey_core::instance::pairing::Pairing;
use latchkey_core::instance::scope::Scope;
use latchkey_core::instance::{Instance, InstanceId, Outbox, Settings};
use latchkey_core::protocol::lifetime::Lifetime;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_second(secs).unwrap()
}

fn instance() -> Instance {
    Instance {
        id: InstanceId::like("Sample"),
        settings: Settings::sample().unwrap(),
        key: None,
        retiring: Vec::new(),
        dropped: Vec::new(),
        api_keys: Vec::new(),
        pairings: Vec::new(),
        outbox: Outbox::default(),
        connection: None,
        typingmind: None,
    }
}

fn admin() -> NewApiKey {
    NewApiKey {
        scopes: vec![Scope::Admin],
        lifetime: Lifetime::Secs(60),
        ..NewApiKey::new("laptop")
    }
}

#[test]
fn a_code_makes_one_key_with_a_lifetime_from_then_on() {
    let mut instance = instance();
    let (pairing, code) = Pairing::begin(&admin(), at(1000)).unwrap();
    let stored = serde_json::to_string(&pairing).unwrap();
    assert!(!stored.contains(code.expose()), "{stored}");
    assert_eq!(code.expose().len(), 22);
    instance.add_pairing(pairing, at(1000)).unwrap();
    let longer = format!("{}A", code.expose());
    for wrong in ["", "wrong", "lk_wrong", &longer] {
        let refused = instance.exchange(wrong, at(1000)).unwrap_err();
        assert_eq!(refused.code, ErrorCode::KeyRefused);
    }
    let (key, secret) = instance.exchange(code.expose(), at(1599)).unwrap();
    assert!(key.is(secret.expose()));
    assert_eq!((key.name.as_str(), key.expires_at), ("laptop", Some(1659)));
    assert_eq!(instance.api_keys, [key]);
    assert!(instance.pairings.is_empty());
    let again = instance.exchange(code.expose(), at(1599)).unwrap_err();
    assert_eq!(again.code, ErrorCode::KeyRefused);
    assert_eq!(instance.api_keys.len(), 1);
}

#[test]
fn a_code_expires_after_ten_minutes_and_a_new_one_replaces_it() {
    let mut instance = instance();
    let (first, old) = Pairing::begin(&admin(), at(1000)).unwrap();
    assert!(!instance.add_pairing(first, at(1000)).unwrap());
    assert!(instance.exchange(old.expose(), at(1600)).is_err());
    let (second, new) = Pairing::begin(&admin(), at(1100)).unwrap();
    assert!(instance.add_pairing(second, at(1100)).unwrap());
    assert_eq!(instance.pairings.len(), 1);
    let refused = instance.exchange(old.expose(), at(1100)).unwrap_err();
    assert!(refused.message.contains("was replaced by a newer one"));
    instance.exchange(new.expose(), at(1100)).unwrap();
    let (third, _) = Pairing::begin(&admin(), at(1200)).unwrap();
    let taken = instance.add_pairing(third, at(1200)).unwrap_err();
    assert_eq!(taken.field.as_deref(), Some("name"));
}

#[test]
fn there_are_at_most_twenty_and_expired_ones_make_room() {
    let mut instance = instance();
    let mut add = |number: usize, now: i64| {
        let new = NewApiKey::new(format!("laptop {number}"));
        let (pairing, _) = Pairing::begin(&new, at(now)).unwrap();
        instance
            .add_pairing(pairing, at(now))
            .map(|_| instance.pairings.len())
    };
    for number in 0..20 {
        add(number, 0).unwrap();
    }
    assert_eq!(add(99, 599).unwrap_err().code, ErrorCode::TooMany);
    assert_eq!(add(99, 600).unwrap(), 1);
}
