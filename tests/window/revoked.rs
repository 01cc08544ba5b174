//! Tests of taking links back in the real window, each shown by requests of a visitor before and
//! after.

use jiff::{SignedDuration, Timestamp, Zoned};
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::ledger::TakenLink;
use latchkey_core::link::compose::{LinkSpec, compose};
use latchkey_core::protocol::payload::{ExistingId, Payload};
use latchkey_store::Wait as _;

use crate::driver::{Studio, clipboard};
use crate::prepared::{Prepared, person};
use crate::run;
use crate::users::looks_well;
use crate::visitor::{get, get_with};
use crate::webkit::free_port;

/// A link that was given out: its path and query.
pub(crate) struct Given(String);

impl Given {
    /// Gives a link out to an existing user, some days ago.
    fn out(prepared: &Prepared, number: usize, days_ago: i64) -> Self {
        let at = Timestamp::now() - SignedDuration::from_hours(24 * days_ago);
        let id = ExistingId::parse(person(number).id.as_str(), false).unwrap();
        let spec = LinkSpec::new(Payload::Id(id), "30 days".parse().unwrap());
        let key = prepared.home.signing_key(&prepared.instance).unwrap();
        let target = prepared.instance.settings.target();
        let composed = compose(&target, &key, spec, at).unwrap();
        let url = composed.link.url();
        let directory = prepared
            .home
            .directory(&prepared.instance, "the test")
            .unwrap();
        let taken = TakenLink::new(composed.claims, key.id().map(str::to_owned));
        let by = AuditContext::new(Actor::Studio, at);
        directory.take_link(taken, &by).wait().unwrap();
        Self::of(&url)
    }

    pub(crate) fn of(url: &str) -> Self {
        let (_, query) = url.split_once('?').unwrap();
        Self(format!("/?{query}"))
    }

    /// Opens the link. Returns the cookie of the session if it signs in.
    pub(crate) fn open(&self, gateway: &str) -> Option<String> {
        let answer = get(gateway, &self.0);
        if answer.starts_with("HTTP/1.1 303") {
            let mut lines = answer.lines();
            let cookie = lines.find_map(|line| line.strip_prefix("set-cookie: "));
            let cookie = cookie.unwrap().split(';').next();
            return Some(cookie.unwrap().to_owned());
        }
        let refusals = ["HTTP/1.1 403", "HTTP/1.1 410"];
        assert!(
            refusals.iter().any(|head| answer.starts_with(head)),
            "{answer}"
        );
        None
    }

    pub(crate) fn signs_in(&self, gateway: &str) -> bool {
        self.open(gateway).is_some()
    }
}

/// Returns whether a session is valid.
pub(crate) fn is_signed_in(gateway: &str, cookie: &str) -> bool {
    let header = format!("Cookie: {cookie}\r\n");
    let answer = get_with(gateway, "/auth/verify", &header);
    answer.starts_with("HTTP/1.1 200")
}

/// Starts the gateway in the window. Returns its address.
pub(crate) async fn start_gateway(studio: &Studio) -> String {
    let port = free_port();
    studio.click("gateway-mark").await;
    studio.fill("gateway-port", &port.to_string()).await;
    studio.click_for("gateway-start", "gateway-stop").await;
    format!("http://127.0.0.1:{port}/")
}

async fn dialog_is_closed(studio: &Studio) {
    let closed = "return document.querySelector('dialog[open]') === null";
    studio.wait_for_script("the closed dialog", closed).await;
}

#[test]
fn all_links_of_a_person_are_revoked_and_those_of_others_work() {
    run(async {
        let prepared = Prepared::with(2);
        let [first, second, other] = [(0, 3), (0, 1), (1, 1)]
            .map(|(number, days_ago)| Given::out(&prepared, number, days_ago));
        let studio = prepared.open().await;
        let gateway = start_gateway(&studio).await;
        let cookie = first.open(&gateway).unwrap();
        assert!(second.signs_in(&gateway) && other.signs_in(&gateway));
        assert!(is_signed_in(&gateway, &cookie));

        studio.click("rail-users").await;
        studio.click("users-sort-id").await;
        studio.click("user-row").await;
        studio.click("user-links-revoke").await;
        studio.click("revoke-sessions").await;
        looks_well(&studio, "links-revoke-person").await;
        studio.click("revoke-confirm").await;
        dialog_is_closed(&studio).await;

        assert!(!first.signs_in(&gateway) && !second.signs_in(&gateway));
        assert!(
            !is_signed_in(&gateway, &cookie),
            "the session ends with them"
        );
        assert!(other.signs_in(&gateway));
        studio.quit().await;
    });
}

#[test]
fn links_that_were_issued_before_a_moment_are_revoked_and_later_ones_work() {
    run(async {
        let prepared = Prepared::with(2);
        let old = Given::out(&prepared, 0, 3);
        let new = Given::out(&prepared, 1, 0);
        let studio = prepared.open().await;
        let gateway = start_gateway(&studio).await;
        let cookie = old.open(&gateway).unwrap();
        assert!(new.signs_in(&gateway));

        studio.click("rail-links").await;
        studio.click("links-menu").await;
        studio.click("links-revoke-before").await;
        studio.find("revoke-before").await;
        let yesterday = Zoned::now() - SignedDuration::from_hours(24);
        let typed = yesterday.strftime("%Y-%m-%dT%H:%M");
        // The keys of a field for a date depend on the language of the system.
        let fill = format!(
            "const field = document.querySelector('[data-testid=revoke-before]');
             field.value = '{typed}';
             field.dispatchEvent(new Event('input', {{ bubbles: true }}));
             return field.value === '{typed}'"
        );
        assert_eq!(studio.script(&fill).await, true);
        studio.click("revoke-confirm").await;
        dialog_is_closed(&studio).await;

        assert!(!old.signs_in(&gateway) && new.signs_in(&gateway));
        assert!(
            is_signed_in(&gateway, &cookie),
            "its session goes on, as the dialog says"
        );
        studio.quit().await;
    });
}

#[test]
fn a_new_link_replaces_older_ones_by_the_setting_and_its_message_has_it() {
    run(async {
        let prepared = Prepared::with(1);
        let old = Given::out(&prepared, 0, 1);
        let studio = prepared.open().await;
        let gateway = start_gateway(&studio).await;
        assert!(old.signs_in(&gateway));

        studio.click("rail-settings").await;
        studio.click("section-codes").await;
        studio.click("supersede").await;
        looks_well(&studio, "settings-links").await;
        studio.press(&[fantoccini::key::Key::Control], 's').await;
        let saved = "return document.querySelector('[data-testid=supersede]').checked
             && !document.body.textContent.includes('not saved')";
        studio.wait_for_script("the saved setting", saved).await;

        studio.click("rail-compose").await;
        studio.fill("field-person", person(0).id.as_str()).await;
        studio.find("link").await;
        studio.click("copy-message").await;
        studio.find("another-link").await;
        let message = clipboard();
        assert!(message.starts_with("Hello Ada Lovelace,"), "{message}");
        let mut words = message.split_whitespace();
        let url = words.find(|word| word.starts_with("http")).unwrap();
        let new = Given::of(url);

        assert!(!old.signs_in(&gateway) && new.signs_in(&gateway));
        studio.click("rail-links").await;
        studio
            .wait_for_text("links-table", "a superseded link", |text| {
                text.contains("Superseded") && text.contains("Message")
            })
            .await;
        studio.quit().await;
    });
}
