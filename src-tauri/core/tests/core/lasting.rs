//! Test of the lifetime of a composed link.

use jiff::{SignedDuration, Timestamp};
use latchkey_core::link::compose::{LinkSpec, Target, compose};
use latchkey_core::link::{BaseUrl, Parameter};
use latchkey_core::protocol::code::Algorithm;
use latchkey_core::protocol::payload::Payload;
use serde_json::json;

use crate::signed::{key, now};

/// Returns `nbf` and `exp` of a link that lasts a week and starts at a time.
fn times(not_before: Option<Timestamp>) -> (Option<i64>, Option<i64>) {
    let target = Target {
        url: BaseUrl::parse("https://chat.acme.example").unwrap(),
        parameter: Parameter::default(),
        algorithm: Algorithm::HS256,
    };
    let payload = Payload::from_claims(json!({ "id": "ada" }).as_object().unwrap()).unwrap();
    let spec = LinkSpec {
        not_before,
        ..LinkSpec::new(payload, "7 days".parse().unwrap())
    };
    let composed = compose(&target, &key(), spec, now()).unwrap();
    let registered = composed.claims.registered;
    (registered.not_before, registered.expires_at)
}

#[test]
fn a_link_that_starts_later_lasts_from_its_start_on() {
    let (now, day) = (now(), SignedDuration::from_hours(24));
    let after = |days: i32| (now + day * days).as_second();
    assert_eq!(times(None), (None, Some(after(7))));
    for (start, end) in [(3, 10), (7, 14), (30, 37), (-30, 7)] {
        let times = times(Some(now + day * start));
        assert_eq!(times, (Some(after(start)), Some(after(end))), "{start}");
    }
}
