//! Tests of ending sessions, signing keys and accounts in the real window, each shown by requests of
//! a visitor before and after.

use jiff::Timestamp;
use latchkey_core::link::compose::{LinkSpec, compose};
use latchkey_core::protocol::account_end::AccountEnd;
use latchkey_core::protocol::payload::Payload;

use crate::driver::Studio;
use crate::prepared::{Prepared, person};
use crate::revoked::{Given, is_signed_in, start_gateway};
use crate::run;

/// Makes a link with the active key.
fn signed_now(prepared: &Prepared, payload: Payload) -> Given {
    Given::of(&prepared.link(payload))
}

async fn open_keys(studio: &Studio) {
    studio.click("rail-settings").await;
    studio.click("section-keys").await;
}

#[test]
fn a_session_that_is_ended_is_over_at_the_next_request_and_others_go_on() {
    run(async {
        let prepared = Prepared::with(1);
        let link = signed_now(&prepared, Payload::User(person(0)));
        let studio = prepared.open().await;
        let gateway = start_gateway(&studio).await;
        let cookies = [(); 3].map(|()| link.open(&gateway).unwrap());
        let signed_in = || {
            let valid = cookies
                .iter()
                .filter(|cookie| is_signed_in(&gateway, cookie));
            valid.count()
        };
        assert_eq!(signed_in(), 3);
        studio.click("rail-users").await;
        studio.click("user-row").await;
        let left = |count: usize| {
            format!(
                "return document.querySelectorAll('[data-testid=session-end]').length === {count}"
            )
        };
        studio.wait_for_script("three sessions", &left(3)).await;
        studio.click("session-end").await;
        studio.wait_for_script("two sessions", &left(2)).await;
        assert_eq!(signed_in(), 2);
        studio.click("user-sign-out").await;
        studio.find("user-no-session").await;
        assert_eq!(signed_in(), 0);
        assert!(link.signs_in(&gateway), "the link still works");
        studio.quit().await;
    });
}

#[test]
fn links_follow_a_rotation_a_retirement_and_a_leaked_key_at_the_next_request() {
    run(async {
        let prepared = Prepared::with(2);
        let old = signed_now(&prepared, Payload::User(person(0)));
        let studio = prepared.open().await;
        let gateway = start_gateway(&studio).await;
        let cookie = old.open(&gateway).unwrap();

        open_keys(&studio).await;
        studio.click("secret-replace").await;
        studio.click("secret-generate").await;
        studio.choose("replace-overlap", "7 days").await;
        studio.click("replace-submit").await;
        studio.find("retiring-key").await;
        let new = signed_now(&prepared, Payload::User(person(1)));
        assert!(old.signs_in(&gateway) && new.signs_in(&gateway), "rotated");

        studio.click("key-retire").await;
        studio.click("retire-submit").await;
        let gone = "return !document.querySelector('[data-testid=retiring-key]')";
        studio.wait_for_script("the end of the key", gone).await;
        assert!(!old.signs_in(&gateway) && new.signs_in(&gateway), "retired");

        let second = studio.text("secret-id").await;
        studio.click("secret-leaked").await;
        studio.click("leaked-submit").await;
        studio
            .wait_for_text("secret-id", "is another", |text| text != second)
            .await;
        let newest = signed_now(&prepared, Payload::User(person(1)));
        assert!(
            !new.signs_in(&gateway) && newest.signs_in(&gateway),
            "leaked"
        );
        assert!(is_signed_in(&gateway, &cookie), "the session goes on");
        studio.quit().await;
    });
}

#[test]
fn the_account_of_a_guest_ends_by_itself_while_the_gateway_is_open() {
    run(async {
        let prepared = Prepared::with(0);
        let studio = prepared.open().await;
        let gateway = start_gateway(&studio).await;
        let mut spec = LinkSpec::new(Payload::User(person(0)), "7 days".parse().unwrap());
        let end = Timestamp::now().as_second() + 15;
        spec.account_end = Some(AccountEnd::At(end));
        let key = prepared.home.signing_key(&prepared.instance).unwrap();
        let target = prepared.instance.settings.target();
        let composed = compose(&target, &key, spec, Timestamp::now()).unwrap();
        let link = Given::of(&composed.link.url());
        let cookie = link.open(&gateway).unwrap();
        assert!(is_signed_in(&gateway, &cookie));
        studio.click("rail-users").await;
        studio.click("user-row").await;
        let says = async |wanted: &str| {
            studio
                .wait_for_text("user-status", wanted, |text| text.contains(wanted))
                .await;
        };
        says("Has a seat").await;
        says("Ended").await;
        assert!(Timestamp::now().as_second() >= end);
        assert!(!is_signed_in(&gateway, &cookie) && !link.signs_in(&gateway));
        studio.click("user-extend").await;
        studio.fill("extend-after", "14").await;
        studio.click("extend-submit").await;
        says("Has a seat").await;
        assert!(link.signs_in(&gateway));
        studio.quit().await;
    });
}
