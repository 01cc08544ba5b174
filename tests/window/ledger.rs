//! Tests of the ledger in the real window: copying enters it, revoking is effective at the next
//! request, and every state of the screen looks well.

use image::imageops::FilterType;
use jiff::{SignedDuration, Timestamp};
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::ledger::{GivenAs, Revocation, RevocationScope, TakenLink};
use latchkey_core::link::compose::{LinkSpec, compose};
use latchkey_core::protocol::payload::Payload;
use latchkey_core::protocol::uses::Uses;
use latchkey_store::Wait as _;

use crate::driver::{Studio, picture, picture_of_display};
use crate::prepared::{Prepared, person};
use crate::readers::read_qr_codes;
use crate::revoked::start_gateway;
use crate::run;
use crate::users::{in_every_size, looks_well};
use crate::visitor::{get, press_continue};

/// Enters links in every state that needs no visitor.
fn enter_links(prepared: &Prepared) {
    let key = prepared.home.signing_key(&prepared.instance).unwrap();
    let target = prepared.instance.settings.target();
    let directory = prepared
        .home
        .directory(&prepared.instance, "the test")
        .unwrap();
    let now = Timestamp::now();
    for (number, days) in [10_i64, 9, 5, 4, 3, 1, 0].into_iter().enumerate() {
        let at = now - SignedDuration::from_hours(24 * days);
        let mut spec = LinkSpec::new(Payload::User(person(number)), "7 days".parse().unwrap());
        spec.uses = Uses::limited([1, 3, 30][number % 3]).unwrap();
        let composed = compose(&target, &key, spec, at).unwrap();
        let taken = TakenLink {
            given: [GivenAs::Link, GivenAs::QrCode, GivenAs::Message][number % 3],
            note: (number == 5).then(|| "Loan laptop, week 48".into()),
            ..TakenLink::new(
                composed.claims,
                prepared
                    .instance
                    .key
                    .as_ref()
                    .map(|key| key.key_id().to_owned()),
            )
        };
        let actor = [
            Actor::Studio,
            Actor::CommandLine,
            Actor::ApiKey("CRM".into()),
        ];
        let by = AuditContext::new(actor[number % 3].clone(), at);
        directory.take_link(taken, &by).wait().unwrap();
    }
    let revocation = Revocation {
        scope: RevocationScope::Person(person(3).id),
        ends_sessions: true,
        allows_unknown: false,
    };
    let by = AuditContext::new(Actor::Studio, now);
    directory.revoke_links(revocation, &by).wait().unwrap();
}

async fn row_says(studio: &Studio, wanted: &str) {
    studio
        .wait_for_text("link-row", wanted, |text| text.contains(wanted))
        .await;
}

#[test]
fn a_copied_link_is_in_the_ledger_and_a_revoked_one_is_refused_at_the_next_request() {
    run(async {
        let prepared = Prepared::with(0);
        let studio = prepared.open().await;
        studio.click("rail-links").await;
        studio.find("links-empty").await;
        in_every_size(&studio, "links-empty").await;

        let gateway = start_gateway(&studio).await;
        studio.click("rail-compose").await;
        studio.click("mode-new").await;
        studio.fill("field-user-id", "ada").await;
        studio.choose("uses", "times").await;
        studio.fill("times", "3").await;
        studio.click("starts-later").await;
        studio.choose("older-links", "stop").await;
        // The note is below, so the form scrolls to the hint.
        studio.fill("note", "Loan laptop").await;
        in_every_size(&studio, "compose-replaces-early").await;
        studio.click("starts-at-once").await;
        studio.find("link").await;
        studio.click("copy-link").await;
        studio.find("another-link").await;
        studio.find("recent-link").await;
        in_every_size(&studio, "compose-taken").await;
        let link = studio.text("link").await;
        let (_, query) = link.split_once('?').unwrap();
        let query = format!("/?{query}");

        studio.click("rail-links").await;
        row_says(&studio, "Not used").await;
        studio
            .wait_for_text("links-tab-not_used", "1", |text| text.ends_with('1'))
            .await;
        let answer = press_continue(&gateway, &query);
        assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
        // Nobody has touched the window.
        row_says(&studio, "In use").await;
        row_says(&studio, "1 of 3").await;
        studio.click("link-row").await;
        studio
            .wait_for_text("link-standing", "2 of 3", |text| {
                text.contains("2 of 3 uses left")
            })
            .await;
        in_every_size(&studio, "links-in-use").await;

        studio.click("link-revoke").await;
        studio.click("revoke-sessions").await;
        in_every_size(&studio, "links-revoke").await;
        studio.click("revoke-confirm").await;
        row_says(&studio, "Revoked").await;
        studio
            .wait_for_text("links-tab-not_used", "0", |text| text.ends_with('0'))
            .await;
        let answer = get(&gateway, &query);
        assert!(answer.starts_with("HTTP/1.1 410"), "{answer}");

        studio.click("link-anew").await;
        // The old link is shown until the new one is there.
        studio
            .wait_for_text("link", "is another one", |text| text != link)
            .await;
        assert_eq!(
            studio
                .find("note")
                .await
                .prop("value")
                .await
                .unwrap()
                .as_deref(),
            Some("Loan laptop")
        );
        studio.quit().await;
    });
}

#[test]
fn the_qr_code_of_a_short_link_is_shown_once_the_link_works_and_is_read_from_150_pixels() {
    run(async {
        let prepared = Prepared::with(0);
        let studio = prepared.open().await;
        let gateway = start_gateway(&studio).await;
        studio.click("rail-compose").await;
        studio.click("mode-new").await;
        studio.fill("field-user-id", "ada").await;
        studio.find("qr").await;
        studio.click("short").await;
        studio.find("qr-unsigned").await;
        in_every_size(&studio, "compose-short-before").await;
        let seen = read_qr_codes(&[picture_of_display("compose-short-before-display")]);
        assert_eq!(seen, Vec::<String>::new(), "it does not work yet");

        studio.click("qr-take").await;
        studio.find("qr").await;
        // The picture of an element has only what is not scrolled away.
        let code = "document.querySelector('[data-testid=qr]')";
        let scroll = format!("{code}.scrollIntoView({{ block: 'center' }}); return true");
        studio.script(&scroll).await;
        let shown = studio.find("qr").await.screenshot().await.unwrap();
        let url = studio.text("short-link").await;
        in_every_size(&studio, "compose-short").await;
        let small = picture("compose-short-150-pixels");
        let shown = image::load_from_memory(&shown).unwrap();
        let shown = shown.resize_exact(150, 150, FilterType::Triangle);
        shown.save(&small).unwrap();
        assert_eq!(read_qr_codes(&[small]), [url.as_str()]);

        let (_, code) = url.split_once("/AUTH/L/").unwrap();
        let answer = get(&gateway, &format!("/AUTH/L/{code}"));
        assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
        studio.click("rail-links").await;
        row_says(&studio, "In use").await;
        studio.click("link-row").await;
        studio
            .wait_for_text("link-given", "with a short link", |text| {
                text.contains("with a short link")
            })
            .await;
        in_every_size(&studio, "links-short").await;
        studio.click("link-revoke").await;
        studio.click("revoke-confirm").await;
        row_says(&studio, "Revoked").await;
        let answer = get(&gateway, &format!("/AUTH/L/{code}"));
        assert!(answer.starts_with("HTTP/1.1 410"), "{answer}");
        studio.quit().await;
    });
}

#[test]
fn the_ledger_shows_each_state_of_a_link() {
    run(async {
        let prepared = Prepared::with(7);
        enter_links(&prepared);
        let studio = prepared.open().await;
        in_every_size(&studio, "compose-recent").await;
        studio.click("rail-links").await;
        studio
            .wait_for_text("screen-note", "7", |text| text == "7")
            .await;
        in_every_size(&studio, "links").await;
        studio.fill("links-search", "laptop").await;
        studio
            .wait_for_text("screen-note", "1 of 7", |text| text == "1 of 7")
            .await;
        studio.click("link-row").await;
        studio.find("link-copy").await;
        in_every_size(&studio, "links-panel").await;
        studio.click("link-details").await;
        looks_well(&studio, "links-details").await;
        studio.click("link-copy").await;
        studio.click("links-more").await;
        looks_well(&studio, "links-more").await;
        studio.click("links-tab-revoked").await;
        studio.find("links-empty").await;
        looks_well(&studio, "links-none-found").await;
        studio.click("links-clear").await;
        studio.click("links-menu").await;
        studio.click("links-revoke-before").await;
        looks_well(&studio, "links-revoke-before").await;
        studio.quit().await;
    });
}
