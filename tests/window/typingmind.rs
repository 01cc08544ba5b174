//! Tests of TypingMind's users in the real window, against the stand-in for its API.

use fantoccini::key::Key;
use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::instance::{Hosted, Name, Settings};
use latchkey_core::link::BaseUrl;
use latchkey_store::home::SecretSource;

use crate::driver::Studio;
use crate::prepared::Prepared;
use crate::run;
use crate::stand_in::{KEY, StandIn};
use crate::users::looks_well;

/// Adds an instance that is hosted elsewhere, and sets the region to the stand-in.
fn add_elsewhere(prepared: &Prepared, typingmind: &StandIn) {
    let by = AuditContext::new(Actor::CommandLine, Timestamp::now());
    let settings = Settings::new(
        Name::parse("Chat").unwrap(),
        BaseUrl::parse("https://chat.acme.example").unwrap(),
        Hosted::Elsewhere,
    );
    let home = &prepared.home;
    let chat = home.add(settings, SecretSource::Generate, &by).unwrap();
    let region = typingmind.url().parse().unwrap();
    home.connect_typingmind(&chat.id, Some(region), None, &by)
        .unwrap();
}

async fn says(studio: &Studio, id: &str, wanted: &str) {
    studio
        .wait_for_text(id, wanted, |text| text.contains(wanted))
        .await;
}

#[test]
fn typingminds_users_are_connected_copied_searched_added_removed_and_kept_on_a_failure() {
    run(async {
        let typingmind = StandIn::start(10_000);
        let prepared = Prepared::with(0);
        add_elsewhere(&prepared, &typingmind);
        let studio = prepared.open().await;
        studio.click("instance-switcher").await;
        studio.click("instance-chat").await;
        studio.click("rail-users").await;
        says(&studio, "users-empty", "there is no copy of its users").await;
        looks_well(&studio, "typingmind-empty").await;

        studio.click("typingmind-connect").await;
        studio.fill("typingmind-key", "tm-wrong").await;
        studio.click("typingmind-save").await;
        says(&studio, "typingmind-problem", "refuses the API key (401)").await;
        looks_well(&studio, "typingmind-settings-refused").await;
        studio.fill("typingmind-key", KEY).await;
        studio.click("typingmind-save").await;
        says(&studio, "typingmind-state", "Users as of just now").await;
        says(&studio, "copy-age", "as of just now").await;
        looks_well(&studio, "typingmind-settings").await;

        studio.click("rail-users").await;
        says(&studio, "screen-note", "10,000, as of just now").await;
        looks_well(&studio, "typingmind-users").await;
        studio.fill("users-search", "user-9999@").await;
        says(&studio, "screen-note", "1 of 10,000").await;
        let table = studio.find("users-table").await;
        table.send_keys(&Key::Down.to_string()).await.unwrap();
        table.send_keys(&Key::Enter.to_string()).await.unwrap();
        studio.find("user-panel").await;
        looks_well(&studio, "typingmind-panel").await;
        studio.click("user-remove").await;
        says(&studio, "user-remove-confirm", "Remove there").await;
        looks_well(&studio, "typingmind-remove").await;
        studio.click("user-remove-confirm").await;
        says(&studio, "screen-note", "0 of 9,999").await;
        studio.click("users-clear").await;
        says(&studio, "screen-note", "9,999, as of").await;

        studio.click("users-add").await;
        studio
            .fill("typingmind-add-email", "ada@acme.example")
            .await;
        looks_well(&studio, "typingmind-add").await;
        studio.click("typingmind-add-submit").await;
        says(&studio, "screen-note", "10,000").await;

        typingmind.set_mode("500");
        studio.click("users-sync").await;
        says(&studio, "copy-problem", "(500)").await;
        says(&studio, "screen-note", "10,000").await;
        looks_well(&studio, "typingmind-failed").await;

        studio.click("rail-activity").await;
        says(
            &studio,
            "screen-note",
            "sign-ins are recorded at chat.acme.example",
        )
        .await;
        studio
            .wait_for_script(
                "both acts",
                "const said = document.body.textContent;
                 return said.includes('Added at TypingMind') && said.includes('Removed at TypingMind')",
            )
            .await;
        looks_well(&studio, "typingmind-activity").await;

        studio.click("rail-compose").await;
        studio.fill("field-person", "ada@acme.example").await;
        studio
            .wait_for_script(
                "the forecast",
                "return document.body.textContent.includes('ada@acme.example exists there, as of')",
            )
            .await;
        looks_well(&studio, "typingmind-compose").await;

        studio.click("rail-users").await;
        let text = |percent: u32| {
            format!("document.documentElement.style.fontSize = '{percent}%'; return true")
        };
        studio.script(&text(200)).await;
        studio.find("users-table").await;
        looks_well(&studio, "typingmind-users-200-percent").await;
        studio.script(&text(100)).await;
        studio.quit().await;
    });
}
