//! A walk of an administrator of TypingMind on Monday, with six links that were sent on Friday. The
//! application is the stand-in for the API of TypingMind.

use jiff::{SignedDuration, Timestamp};
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::instance::{Hosted, Instance, Name, Settings};
use latchkey_core::ledger::{GivenAs, TakenLink};
use latchkey_core::link::BaseUrl;
use latchkey_core::link::compose::{LinkSpec, compose};
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::payload::Payload;
use latchkey_core::secret::Secret;
use latchkey_store::Wait as _;
use latchkey_store::home::SecretSource;

use crate::driver::{Studio, clipboard};
use crate::prepared::{Prepared, person};
use crate::run;
use crate::stand_in::{KEY, StandIn};
use crate::users::{in_every_size, looks_well};

/// Links of Friday: the address, the lifetime, the way and the note. The last is for a new person.
const SENT: [(&str, &str, GivenAs, Option<&str>); 6] = [
    ("user-1@acme.example", "7 days", GivenAs::Link, None),
    (
        "user-2@acme.example",
        "7 days",
        GivenAs::QrCode,
        Some("Loan laptop"),
    ),
    ("user-3@acme.example", "7 days", GivenAs::Message, None),
    ("user-4@acme.example", "48 hours", GivenAs::Link, None),
    (
        "user-5@acme.example",
        "30 days",
        GivenAs::Link,
        Some("Sent to the wrong person"),
    ),
    ("", "7 days", GivenAs::Link, Some("Starts on Monday")),
];

/// Adds the instance, connected to the stand-in, and copies its users.
fn add_chat(prepared: &Prepared, typingmind: &StandIn, at: Timestamp) -> Instance {
    let by = AuditContext::new(Actor::Studio, at);
    let settings = Settings::new(
        Name::parse("Chat").unwrap(),
        BaseUrl::parse("https://chat.acme.example").unwrap(),
        Hosted::Elsewhere,
    );
    let home = &prepared.home;
    let chat = home.add(settings, SecretSource::Generate, &by).unwrap();
    let region = typingmind.url().parse().unwrap();
    let key = Secret::new(KEY.to_owned());
    let chat = home
        .connect_typingmind(&chat.id, Some(region), Some(&key), &by)
        .unwrap();
    home.sync_typingmind(&chat, at).unwrap();
    chat
}

/// Gives the links out at a time. Returns their URLs.
fn send(prepared: &Prepared, chat: &Instance, at: Timestamp) -> Vec<String> {
    let key = prepared.home.signing_key(chat).unwrap();
    let target = chat.settings.target();
    let ledger = prepared.home.ledger(chat, "the test").unwrap().directory();
    let key_id = chat.key.as_ref().map(|key| key.key_id().to_owned());
    let send = |(email, lifetime, given, note): (&str, &str, GivenAs, Option<&str>)| {
        let payload = match Email::parse(email, "email") {
            Ok(email) => Payload::Email(email),
            Err(_) => Payload::User(person(0)),
        };
        let spec = LinkSpec::new(payload, lifetime.parse().unwrap());
        let composed = compose(&target, &key, spec, at).unwrap();
        let taken = TakenLink {
            given,
            note: note.map(str::to_owned),
            ..TakenLink::new(composed.claims, key_id.clone())
        };
        let by = AuditContext::new(Actor::Studio, at);
        ledger.take_link(taken, &by).wait().unwrap();
        composed.link.url()
    };
    SENT.into_iter().map(send).collect()
}

async fn says(studio: &Studio, id: &str, wanted: &str) {
    studio
        .wait_for_text(id, wanted, |text| text.contains(wanted))
        .await;
}

/// Searches for a link, and shows it in the panel.
async fn show(studio: &Studio, search: &str) {
    studio.click("rail-links").await;
    studio.fill("links-search", search).await;
    says(studio, "screen-note", "1 of 6").await;
    studio.click("link-row").await;
    studio.find("link-standing").await;
}

#[test]
fn on_monday_the_links_of_friday_are_found_copied_again_replaced_and_taken_back() {
    let typingmind = StandIn::start(40);
    let prepared = Prepared::with(0);
    let friday = Timestamp::now() - SignedDuration::from_hours(72);
    let chat = add_chat(&prepared, &typingmind, friday);
    let sent = send(&prepared, &chat, friday);
    run(async {
        let studio = prepared.open().await;
        studio.click("instance-switcher").await;
        studio.click("instance-chat").await;

        // All six are there. The application does not report uses.
        studio.click("rail-links").await;
        says(&studio, "screen-note", "6").await;
        says(&studio, "links-tab-not_used", "5").await;
        says(&studio, "links-tab-expired", "1").await;
        looks_well(&studio, "monday-1-links").await;

        // The loan laptop lost its link: the same one is copied again.
        show(&studio, "laptop").await;
        says(&studio, "link-standing", "use is not reported").await;
        studio.click("link-copy").await;
        says(&studio, "toast", "copied").await;
        assert_eq!(clipboard(), sent[1], "the same link as on Friday");
        looks_well(&studio, "monday-2-copied-again").await;

        // One has expired: a new one is made with the same person and terms.
        show(&studio, "user-4@").await;
        says(&studio, "link-panel", "Expired").await;
        looks_well(&studio, "monday-3-expired").await;
        studio.click("link-anew").await;
        studio.find("link").await;
        says(&studio, "forecast", "user-4@acme.example").await;
        studio.click("copy-link").await;
        says(&studio, "toast", "copied").await;
        assert_ne!(clipboard(), sent[3]);
        looks_well(&studio, "monday-4-made-anew").await;

        // One went to the wrong person: Studio marks it, says what stops it, and removes the user.
        studio.click("rail-links").await;
        studio.fill("links-search", "wrong person").await;
        says(&studio, "screen-note", "1 of 7").await;
        studio.click("link-row").await;
        studio.click("link-revoke").await;
        says(&studio, "revoke-elsewhere", "remove the person there").await;
        looks_well(&studio, "monday-5-revoke").await;
        studio.click("revoke-confirm").await;
        says(&studio, "link-panel", "It was marked as revoked").await;
        in_every_size(&studio, "monday-6-revoked").await;
        studio.click("rail-users").await;
        studio.fill("users-search", "user-5@").await;
        says(&studio, "screen-note", "1 of 40").await;
        studio.click("user-row").await;
        studio.click("user-remove").await;
        studio.click("user-remove-confirm").await;
        says(&studio, "screen-note", "0 of 39").await;
        let requests = typingmind.requests();
        assert!(requests.contains("DELETE"), "{requests}");

        // Inspect knows what became of it, and the activity has each step.
        studio.click("rail-inspect").await;
        studio.fill("inspect-input", &sent[4]).await;
        studio.find("inspect-forecast").await;
        looks_well(&studio, "monday-7-inspected").await;
        studio.click("rail-activity").await;
        studio
            .wait_for_script(
                "each step of Monday",
                "const said = document.body.textContent;
                 return ['Link made', 'Link revoked', 'Removed at TypingMind'].every((one) => said.includes(one))",
            )
            .await;
        looks_well(&studio, "monday-8-activity").await;
        studio.quit().await;
    });
}
