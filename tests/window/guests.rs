//! Guests in the real window: an account that has ended is shown so, and extended.

use jiff::{SignedDuration, Timestamp};
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::link::compose::{LinkSpec, compose};
use latchkey_core::protocol::account_end::AccountEnd;
use latchkey_core::protocol::code::verify;
use latchkey_core::protocol::payload::Payload;
use latchkey_store::Wait as _;

use crate::driver::Studio;
use crate::prepared::{Prepared, person};
use crate::revoked::start_gateway;
use crate::run;
use crate::users::looks_well;
use crate::visitor::get;

fn days_ago(days: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_hours(24 * days)
}

/// Makes a link for a guest, and signs the guest in. The account ended a day ago. Returns the link.
fn ended_guest(prepared: &Prepared) -> String {
    let settings = &prepared.instance.settings;
    let key = prepared.home.signing_key(&prepared.instance).unwrap();
    let mut spec = LinkSpec::new(Payload::User(person(0)), "30 days".parse().unwrap());
    spec.account_end = Some(AccountEnd::At(days_ago(1).as_second()));
    let composed = compose(&settings.target(), &key, spec, days_ago(3)).unwrap();
    let at = days_ago(2);
    let code = verify(composed.code.expose(), &[&key], settings.code_rules(), at).unwrap();
    let directory = prepared.home.directory(&prepared.instance, "the test");
    let by = AuditContext::new(Actor::Visitor, at);
    let directory = directory.unwrap();
    let verdict = directory.redeem(Ok(&code), settings.policy, &by);
    assert_eq!(verdict.wait().unwrap().code(), "provisioned");
    composed.link.url()
}

async fn says(studio: &Studio, id: &str, wanted: &str) {
    studio
        .wait_for_text(id, wanted, |text| text.contains(wanted))
        .await;
}

#[test]
fn a_guest_is_composed_for_and_one_who_has_ended_is_extended() {
    run(async {
        let prepared = Prepared::with(0);
        let link = ended_guest(&prepared);
        let studio = prepared.open().await;
        says(&studio, "seat-count", "0, no limit").await;
        studio.click("mode-new").await;
        studio.fill("field-user-id", "eve").await;
        studio.choose("account-ends", "days").await;
        studio.fill("account-ends-after", "30").await;
        says(&studio, "forecast", "ends 30 days after the first sign-in").await;
        looks_well(&studio, "compose-guest").await;

        studio.click("rail-inspect").await;
        studio.fill("inspect-input", &link).await;
        says(&studio, "inspect-forecast", "has ended").await;
        assert_eq!(studio.text("inspect-verdict").await, "user_ended");
        looks_well(&studio, "inspect-ended").await;
        studio.click("remedy-extend_user").await;
        says(&studio, "user-status", "Ended").await;
        looks_well(&studio, "users-ended").await;
        studio.click("user-extend").await;
        studio.fill("extend-after", "0").await;
        studio.click("extend-submit").await;
        says(&studio, "error-ends_at", "a whole number of days").await;
        looks_well(&studio, "users-extend").await;
        studio.fill("extend-after", "14").await;
        studio.click("extend-submit").await;
        says(&studio, "user-status", "Has a seat").await;
        says(&studio, "seat-count", "1, no limit").await;
        looks_well(&studio, "users-extended").await;

        let gateway = start_gateway(&studio).await;
        let (_, query) = link.split_once('?').unwrap();
        let answer = get(&gateway, &format!("/?{query}"));
        assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
        studio.quit().await;
    });
}
