//! Requests for new links in the real window: a visitor asks on the page of an old link, and the
//! administrator answers.

use jiff::{SignedDuration, Timestamp};
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::ledger::TakenLink;
use latchkey_core::link::compose::{LinkSpec, compose};
use latchkey_core::protocol::payload::{ExistingId, Payload};
use latchkey_store::Wait as _;

use crate::driver::{Studio, clipboard};
use crate::phone::Phone;
use crate::prepared::{Prepared, person};
use crate::revoked::{Given, start_gateway};
use crate::run;
use crate::users::looks_well;

/// Gives a link out to an existing user, which expired three days ago. Returns its path and query.
fn expired(prepared: &Prepared, number: usize) -> String {
    let at = Timestamp::now() - SignedDuration::from_hours(240);
    let id = ExistingId::parse(person(number).id.as_str(), false).unwrap();
    let spec = LinkSpec::new(Payload::Id(id), "7 days".parse().unwrap());
    let key = prepared.home.signing_key(&prepared.instance).unwrap();
    let target = prepared.instance.settings.target();
    let composed = compose(&target, &key, spec, at).unwrap();
    let url = composed.link.url();
    let directory = prepared.home.directory(&prepared.instance, "the test");
    let taken = TakenLink {
        note: Some("Loan laptop".to_owned()),
        ..TakenLink::new(composed.claims, key.id().map(str::to_owned))
    };
    let by = AuditContext::new(Actor::Studio, at);
    directory.unwrap().take_link(taken, &by).wait().unwrap();
    let (_, query) = url.split_once('?').unwrap();
    format!("?{query}")
}

async fn says(studio: &Studio, id: &str, wanted: &str) {
    studio
        .wait_for_text(id, wanted, |text| text.contains(wanted))
        .await;
}

/// Asks for a new link on the page of an old one.
async fn ask(gateway: &str, link: &str, picture: &str) {
    let phone = Phone::start().await;
    phone.open(&format!("{gateway}{link}")).await;
    phone.says("Ask for a new link").await;
    phone.picture(&format!("{picture}-offered")).await;
    phone.tap("Ask for a new link").await;
    phone.says("You have asked for a new link").await;
    phone.picture(&format!("{picture}-asked")).await;
    phone.close().await;
}

#[test]
fn a_visitor_asks_for_a_new_link_and_gets_one_that_works() {
    run(async {
        let prepared = Prepared::with(2);
        let links = [0, 1].map(|number| expired(&prepared, number));
        let studio = prepared.open().await;
        let gateway = start_gateway(&studio).await;
        for (number, link) in links.iter().enumerate() {
            ask(&gateway, link, &format!("phone-request-{number}")).await;
        }

        studio.click("rail-links").await;
        says(&studio, "links-tab-requests", "2").await;
        studio.click("links-tab-requests").await;
        says(&studio, "requests", "Ada Lovelace").await;
        says(&studio, "requests", "Grace Hopper").await;
        looks_well(&studio, "requests").await;
        studio.resize(860, 600).await;
        looks_well(&studio, "requests-smallest").await;
        let text = |percent: u16| {
            format!("document.documentElement.style.fontSize = '{percent}%'; return true")
        };
        studio.resize(1_240, 800).await;
        studio.script(&text(200)).await;
        looks_well(&studio, "requests-large-text").await;
        studio.script(&text(100)).await;

        // The newest request is the first one.
        studio.click("request-grant").await;
        says(&studio, "toast", "copied").await;
        looks_well(&studio, "requests-granted").await;
        let new = Given::of(&clipboard());
        assert!(new.signs_in(&gateway));
        says(&studio, "links-tab-requests", "1").await;
        says(&studio, "requests", "Ada Lovelace").await;

        studio.click("request-dismiss").await;
        studio.find("requests-empty").await;
        looks_well(&studio, "requests-empty").await;
        studio.click("links-tab-all").await;
        studio.fill("links-search", "laptop").await;
        says(&studio, "screen-note", "3").await;
        studio.quit().await;
    });
}
