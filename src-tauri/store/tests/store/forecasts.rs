//! Tests that a forecast equals the result of redeeming, and claims nothing that is unknown.

use latchkey_core::directory::Directory as _;
use latchkey_core::inspect::forecast::{Forecast, Tone, Users};
use latchkey_core::inspect::inspect;
use latchkey_core::instance::{Hosted, Name, Settings};
use latchkey_core::link::BaseUrl;
use latchkey_core::sign_in::redeem;
use latchkey_core::{Error, ErrorCode};
use latchkey_store::EmbeddedDirectory;
use latchkey_store::Wait as _;

use crate::by;
use crate::signed::{HEADER, key, now, signed};

fn settings(hosted: Hosted) -> Settings {
    let name = Name::parse("Acme").unwrap();
    Settings::new(
        name,
        BaseUrl::parse("https://chat.acme.example").unwrap(),
        hosted,
    )
}

fn claims(payload: &str) -> String {
    let iat = now().as_second() - 60;
    let exp = now().as_second() + 7 * 86_400;
    signed(HEADER, &format!(r#"{{{payload},"iat":{iat},"exp":{exp}}}"#))
}

fn forecast(code: &str, hosted: Hosted, users: Users<'_>) -> Forecast {
    let settings = settings(hosted);
    let key = key();
    let looked = inspect(code, &[&key], settings.code_rules(), now());
    looked
        .forecast(&settings, users, None, now())
        .wait()
        .unwrap()
}

#[test]
fn a_forecast_of_an_instance_hosted_here_says_how_long_the_person_stays_signed_in() {
    let folder = tempfile::tempdir().unwrap();
    let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    let (ada, nobody) = (claims(r#""user":{"id":"ada"}"#), claims(r#""id":"nobody""#));
    let stay = |code: &str, hosted, users: Users<'_>| forecast(code, hosted, users).stay;
    let here = stay(&ada, Hosted::Here, Users::Here(&directory));
    let said = "The person stays signed in for 14 days, however soon the link expires.";
    assert_eq!(here.as_deref(), Some(said));
    let away = Error::new(ErrorCode::DirectoryHeld, "held");
    let out_of_reach = stay(&ada, Hosted::Here, Users::OutOfReach(&away));
    assert_eq!(out_of_reach.as_deref(), Some(said));
    assert_eq!(stay(&nobody, Hosted::Here, Users::Here(&directory)), None);
    assert_eq!(stay(&ada, Hosted::Elsewhere, Users::Elsewhere), None);
}

#[test]
fn a_forecast_equals_the_result_of_redeeming() {
    let folder = tempfile::tempdir().unwrap();
    let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    directory
        .set_seat_limit(Some(2), &by(now()))
        .wait()
        .unwrap();
    let here = |code: &str| forecast(code, Hosted::Here, Users::Here(&directory));
    let settings = settings(Hosted::Here);
    let ada = claims(r#""user":{"id":"ada"}"#);
    let steps = [
        (
            ada.as_str(),
            "Creates ada: seat 1 of 2",
            "Created ada: seat 1 of 2",
            Tone::Good,
        ),
        (&ada, "Signs in ada", "Signed in ada", Tone::Good),
        (
            &claims(r#""user":{"id":"eve"}"#),
            "Creates eve: seat 2 of 2",
            "Created eve: seat 2 of 2",
            Tone::Good,
        ),
        (
            &claims(r#""user":{"id":"bob"}"#),
            "Refused: no seats left",
            "Refused: no seats left",
            Tone::Refused,
        ),
        (
            &claims(r#""id":"bob""#),
            "Refused: there is no user bob",
            "Refused: there is no user bob",
            Tone::Refused,
        ),
    ];
    for (code, before, after, tone) in steps {
        let forecast = here(code);
        assert_eq!((forecast.title.as_str(), forecast.tone), (before, tone));
        let verdict = redeem(code, &settings, &[&key()], &directory, &by(now()))
            .wait()
            .unwrap();
        assert_eq!(forecast.verdict, Some(verdict.code()));
        assert_eq!(Forecast::redeemed(&verdict, now()).title, after);
    }
    let never = signed(HEADER, r#"{"id":"ada"}"#);
    let forecast = here(&never);
    assert_eq!(
        (forecast.title.as_str(), forecast.tone),
        ("Signs in ada", Tone::Caution)
    );
    assert!(
        forecast.detail.contains("never expires"),
        "{}",
        forecast.detail
    );
}

#[test]
fn a_forecast_says_that_the_profile_would_be_refreshed() {
    let folder = tempfile::tempdir().unwrap();
    let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    let settings = settings(Hosted::Here);
    let old = signed(HEADER, r#"{"user":{"id":"ada"},"iat":1000}"#);
    redeem(&old, &settings, &[&key()], &directory, &by(now()))
        .wait()
        .unwrap();
    let newer = claims(r#""user":{"id":"ada","team":"R"}"#);
    let said = forecast(&newer, Hosted::Here, Users::Here(&directory)).detail;
    assert!(
        said.contains("The profile is taken from the code."),
        "{said}"
    );
    let verdict = redeem(&newer, &settings, &[&key()], &directory, &by(now()))
        .wait()
        .unwrap();
    let said = Forecast::redeemed(&verdict, now()).detail;
    assert!(said.contains("the profile is taken"), "{said}");
    let said = forecast(&newer, Hosted::Here, Users::Here(&directory)).detail;
    assert!(!said.contains("profile"), "{said}");
}

#[test]
fn a_forecast_claims_nothing_that_is_unknown() {
    let ada = claims(r#""id":"ada""#);
    let elsewhere = forecast(&ada, Hosted::Elsewhere, Users::Elsewhere);
    assert_eq!(elsewhere.title, "Verifies, expires in 7 days");
    assert!(
        elsewhere
            .detail
            .contains("there is no copy of its users here")
    );
    assert_eq!((elsewhere.verdict, &elsewhere.user), (None, &None));
    let held = Error::new(ErrorCode::DirectoryHeld, "Somebody else has it.");
    let held = forecast(&ada, Hosted::Here, Users::OutOfReach(&held));
    assert!(held.detail.contains("not known now") && held.detail.contains("Somebody else has it."));
    assert_eq!(held.verdict, None);
    let forged = forecast("a.b.c", Hosted::Elsewhere, Users::Elsewhere);
    assert_eq!(
        (forged.tone, forged.verdict),
        (Tone::Refused, Some("malformed_code"))
    );
    let settings = settings(Hosted::Here);
    let looked = inspect(&ada, &[], settings.code_rules(), now());
    let no_key = Error::new(ErrorCode::KeysLocked, "Unlock the keys first.");
    let unchecked = looked
        .forecast(&settings, Users::Elsewhere, Some(&no_key), now())
        .wait()
        .unwrap();
    assert_eq!(
        (unchecked.title.as_str(), unchecked.verdict),
        ("Not checked", None)
    );
    assert!(unchecked.detail.contains("Unlock the keys first."));
}

#[test]
fn a_start_in_the_future_is_not_a_refusal() {
    let nbf = now().as_second() + 86_400;
    let later = signed(HEADER, &format!(r#"{{"id":"ada","nbf":{nbf}}}"#));
    let later = forecast(&later, Hosted::Elsewhere, Users::Elsewhere);
    assert_eq!(
        (later.title.as_str(), later.tone),
        ("Begins to work in 1 day", Tone::Caution)
    );
}
