//! Rotation and retirement of signing keys in the settings.

use latchkey_core::instance::Instance;
use latchkey_core::protocol::payload::Payload;

use crate::driver::Studio;
use crate::prepared::{Prepared, person};
use crate::run;

/// Takes pictures in both themes, with large text and in the smallest window. Returns what axe-core
/// finds.
async fn look(studio: &Studio, state: &str) -> Vec<String> {
    let rest = "return document.getAnimations().every((one) => one.playState !== 'running')";
    studio.wait_for_script("rest", rest).await;
    let shown = "document.querySelector('dialog')
        ?? document.querySelector('#section-keys').scrollIntoView(); return true";
    let theme =
        |name: &str| format!("document.documentElement.dataset.theme = '{name}'; return true");
    let text = |percent: u16| {
        format!("document.documentElement.style.fontSize = '{percent}%'; return true")
    };
    let picture = async |name: &str| {
        studio.script(shown).await;
        studio.screenshot(&format!("{state}-{name}"));
    };
    picture("light").await;
    let mut found = studio.axe().await;
    studio.script(&theme("dark")).await;
    picture("dark").await;
    found.extend(studio.axe().await);
    studio.script(&theme("light")).await;
    studio.script(&text(200)).await;
    picture("200").await;
    studio.script(&text(100)).await;
    studio.resize(860, 600).await;
    picture("small").await;
    studio.resize(1_240, 800).await;
    found
        .into_iter()
        .map(|one| format!("{state}: {one}"))
        .collect()
}

#[test]
fn a_secret_is_replaced_with_an_overlap_its_key_is_retired_and_a_leaked_one_is_given_up() {
    run(async {
        let prepared = Prepared::with(1);
        let now = || {
            prepared
                .home
                .instances()
                .get(&prepared.instance.id)
                .unwrap()
        };
        let active = |instance: &Instance| instance.key.as_ref().unwrap().key_id().to_owned();
        let first = active(&now());
        let link = prepared.link(Payload::User(person(0)));
        let studio = prepared.open().await;
        studio.click("rail-settings").await;
        studio.click("section-keys").await;
        assert_eq!(studio.text("secret-id").await, first);
        let mut found = Vec::new();

        studio.click("secret-replace").await;
        studio.click("secret-generate").await;
        studio.find("replace-overlap").await;
        found.extend(look(&studio, "keys-replace").await);
        studio.choose("replace-overlap", "7 days").await;
        studio.click("replace-submit").await;
        let retiring = studio.text("retiring-key").await;
        assert!(retiring.contains(&first), "{retiring}");
        assert_eq!(now().retiring[0].key.key_id(), first);
        found.extend(look(&studio, "keys-retiring").await);

        studio.click("rail-inspect").await;
        studio.fill("inspect-input", &link).await;
        let retires = studio.text("inspect-retires").await;
        assert!(retires.contains("Its signing key retires"), "{retires}");
        found.extend(inspected(&studio).await);

        studio.click("rail-settings").await;
        studio.click("secret-leaked").await;
        studio.find("leaked-submit").await;
        found.extend(look(&studio, "keys-leaked").await);
        let second = active(&now());
        studio.click("leaked-submit").await;
        studio
            .wait_for_text("secret-id", "is another", |text| text != second)
            .await;
        assert_ne!(active(&now()), second);
        assert_eq!(now().retiring.len(), 1);

        studio.click("key-retire").await;
        studio.find("retire-submit").await;
        found.extend(look(&studio, "keys-retire").await);
        studio.click("retire-submit").await;
        let gone = "return !document.querySelector('[data-testid=retiring-key]')";
        studio.wait_for_script("the end of the key", gone).await;
        assert!(now().retiring.is_empty() && now().dropped.is_empty());
        assert_eq!(found, Vec::<String>::new());
        studio.quit().await;
    });
}

/// Takes a picture of an inspected link. Returns what axe-core finds.
async fn inspected(studio: &Studio) -> Vec<String> {
    studio.screenshot("keys-inspected");
    studio.axe().await
}
