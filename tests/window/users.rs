//! Tests of Users and Inspect in the real window: without users, with three, and with a hundred
//! thousand.

use std::path::PathBuf;
use std::time::Instant;

use fantoccini::elements::Element;
use fantoccini::key::Key;
use latchkey_core::link::qr::Qr;
use latchkey_core::protocol::payload::{ExistingId, Payload};

use crate::driver::Studio;
use crate::photo::{Shot, jpeg, photograph};
use crate::prepared::{Prepared, person};
use crate::run;

const MANY: usize = 100_000;

pub(crate) async fn looks_well(studio: &Studio, state: &str) {
    for theme in ["dark", "light"] {
        studio
            .script(&format!(
                "document.documentElement.dataset.theme = '{theme}'; return true"
            ))
            .await;
        studio
            .wait_for_script(
                "rest",
                "return document.getAnimations().every((one) => one.playState !== 'running')",
            )
            .await;
        studio.screenshot(&format!("{state}-{theme}"));
        let said = studio.axe().await;
        assert!(said.is_empty(), "{state}, {theme}: {said:?}");
        let overflows =
            "return document.documentElement.scrollWidth > document.documentElement.clientWidth";
        assert_eq!(studio.script(overflows).await, false, "{state}, {theme}");
    }
}

/// Takes pictures and runs axe in a wide and in the smallest window, and with a large text.
pub(crate) async fn in_every_size(studio: &Studio, state: &str) {
    looks_well(studio, state).await;
    studio.resize(860, 600).await;
    looks_well(studio, &format!("{state}-small")).await;
    let text = |percent: u16| {
        format!("document.documentElement.style.fontSize = '{percent}%'; return true")
    };
    studio.resize(1240, 800).await;
    studio.script(&text(200)).await;
    looks_well(studio, &format!("{state}-200-percent")).await;
    studio.script(&text(100)).await;
}

async fn row_of(studio: &Studio, id: &str) -> Element {
    studio
        .wait_for_script(
            "the row",
            &format!("return document.querySelector('[data-user-id=\"{id}\"]') !== null"),
        )
        .await;
    let css = format!("[data-user-id=\"{id}\"]");
    studio
        .client
        .find(fantoccini::Locator::Css(&css))
        .await
        .unwrap()
}

async fn says(studio: &Studio, id: &str, wanted: &str) -> String {
    studio
        .wait_for_text(id, wanted, |text| text.contains(wanted))
        .await
}

#[test]
fn a_hundred_thousand_users_are_searched_scrolled_suspended_and_kept_out() {
    run(async {
        let prepared = Prepared::with(MANY);
        let studio = prepared.open().await;
        studio.click("rail-users").await;
        says(&studio, "screen-note", "100,000").await;
        looks_well(&studio, "users-100000").await;

        // The driver types fast. Every letter must arrive, and the last answer must be shown.
        let begun = Instant::now();
        studio
            .fill("users-search", "hopper person.9990 yourcompany")
            .await;
        let typed = studio
            .find("users-search")
            .await
            .prop("value")
            .await
            .unwrap();
        assert_eq!(typed.as_deref(), Some("hopper person.9990 yourcompany"));
        let found = says(&studio, "screen-note", "of 100,000").await;
        println!(
            "30 letters and their answer: {:?}, {found}",
            begun.elapsed()
        );
        says(&studio, "screen-note", "3 of 100,000").await;
        row_of(&studio, "user-099905").await;
        looks_well(&studio, "users-100000-found").await;
        studio.fill("users-search", "nobody-at-all").await;
        says(&studio, "users-empty", "nobody-at-all").await;
        looks_well(&studio, "users-none-found").await;
        studio.click("users-clear").await;
        says(&studio, "screen-note", "100,000").await;

        from_top_to_bottom(&studio).await;
        suspends_and_is_refused(&prepared, &studio).await;
        studio.quit().await;
    });
}

/// Scrolls by moving the scroll bar, and by keys.
async fn from_top_to_bottom(studio: &Studio) {
    studio.click("users-sort-id").await;
    row_of(studio, "user-000000").await;
    let scrolled = studio
        .script(
            "const table = document.querySelector('[data-testid=users-table]');
             window.scrolled = { frames: 0, empty: 0, slowest: 0, done: false };
             let last = performance.now();
             const step = () => {
               const now = performance.now();
               window.scrolled.slowest = Math.max(window.scrolled.slowest, now - last);
               last = now;
               window.scrolled.frames += 1;
               if (table.querySelectorAll('[role=row]').length < 10) window.scrolled.empty += 1;
               if (table.scrollTop + table.clientHeight >= table.scrollHeight - 1) {
                 window.scrolled.done = true;
                 return;
               }
               table.scrollTop += table.scrollHeight / 150;
               requestAnimationFrame(step);
             };
             requestAnimationFrame(step);
             return true",
        )
        .await;
    assert_eq!(scrolled, true);
    studio
        .wait_for_script("the bottom", "return window.scrolled.done")
        .await;
    row_of(studio, "user-099999").await;
    let scrolled = studio.script("return window.scrolled").await;
    println!("scrolled from top to bottom: {scrolled}");
    assert_eq!(scrolled["empty"], 0, "there are rows at every moment");
    studio.screenshot("users-100000-bottom");
    let table = studio.find("users-table").await;
    table.send_keys(&Key::Home.to_string()).await.unwrap();
    row_of(studio, "user-000000").await;
    table.send_keys(&Key::End.to_string()).await.unwrap();
    row_of(studio, "user-099999").await;
    table.send_keys(&Key::Up.to_string()).await.unwrap();
    table.send_keys(&Key::Enter.to_string()).await.unwrap();
    says(studio, "user-panel", "user-099998").await;
    table.send_keys(&Key::Home.to_string()).await.unwrap();
}

async fn suspends_and_is_refused(prepared: &Prepared, studio: &Studio) {
    row_of(studio, "user-000003").await.click().await.unwrap();
    says(studio, "user-panel", "person.3@yourcompany.com").await;
    says(studio, "user-metadata", "Research").await;
    looks_well(studio, "users-100000-panel").await;
    studio.click("user-suspend").await;
    says(studio, "user-status", "Suspended").await;
    says(studio, "seat-count", "99,999").await;

    // The link of the panel and an older link are both refused.
    studio.click("user-link").await;
    says(studio, "forecast", "user-000003 is suspended").await;
    let id = ExistingId::parse("user-000003", false).unwrap();
    let link = prepared.link(Payload::Id(id));
    studio.click("rail-inspect").await;
    studio.fill("inspect-input", &link).await;
    let verdict = says(studio, "inspect-forecast", "user-000003 is suspended").await;
    assert!(verdict.contains("Reactivate"), "{verdict}");
    assert_eq!(studio.text("inspect-verdict").await, "user_suspended");
    looks_well(studio, "inspect-refused").await;

    // Without a free seat, no user can be reactivated, and the message says why.
    studio.click("seat-meter").await;
    studio.click("seat-limited").await;
    studio.fill("seat-limit-input", "99998").await;
    says(studio, "seat-over", "Nobody loses a seat").await;
    studio.fill("seat-limit-input", "99999").await;
    studio.click("seat-limit-save").await;
    says(studio, "seat-count", "99,999 of 99,999").await;
    looks_well(studio, "settings-seats").await;
    studio.click("rail-users").await;
    studio.click("user-reactivate").await;
    says(studio, "user-problem", "All 99999 seats are taken").await;
    assert_eq!(studio.text("user-status").await, "Suspended");
    looks_well(studio, "users-no-seats").await;
}

async fn edits_the_profile(studio: &Studio) {
    studio.click("user-edit").await;
    looks_well(studio, "users-edit").await;
    studio.fill("field-user-email", "not an address").await;
    studio.click("user-edit-save").await;
    says(studio, "error-user.email", "@").await;
    looks_well(studio, "users-edit-refused").await;
    studio.fill("field-user-name", "Ada Okafor").await;
    studio.fill("field-user-email", "ada@acme.example").await;
    studio.click("user-edit-save").await;
    says(studio, "user-metadata", "ada@acme.example").await;
    says(studio, "user-panel", "Ada Okafor").await;
}

#[test]
fn users_are_created_by_hand_by_link_and_by_a_photograph() {
    run(async {
        let prepared = Prepared::with(0);
        let studio = prepared.open().await;
        studio.click("rail-users").await;
        says(&studio, "users-empty", "No users yet").await;
        looks_well(&studio, "users-empty").await;

        studio.click("users-add").await;
        studio.fill("field-user-id", " ada").await;
        studio.click("user-add-submit").await;
        says(&studio, "error-user.id", "white space").await;
        looks_well(&studio, "users-add-refused").await;
        studio.fill("field-user-id", "ada-1815").await;
        studio.fill("field-user-email", "ada@yourcompany.com").await;
        studio.click("user-add-submit").await;
        says(&studio, "user-panel", "by hand").await;
        says(&studio, "seat-count", "1, no limit").await;
        edits_the_profile(&studio).await;

        // By a pasted link.
        studio.click("rail-inspect").await;
        looks_well(&studio, "inspect-empty").await;
        let link = prepared.link(Payload::User(person(1)));
        studio.fill("inspect-input", &link).await;
        says(&studio, "inspect-forecast", "Creates user-000001: seat 2").await;
        looks_well(&studio, "inspect-provisions").await;
        studio.click("inspect-redeem").await;
        studio.click("inspect-redeem-confirm").await;
        says(&studio, "inspect-redeemed", "Created user-000001").await;
        says(&studio, "inspect-forecast", "Signs in user-000001").await;
        says(&studio, "seat-count", "2, no limit").await;
        looks_well(&studio, "inspect-redeemed").await;

        // By a photograph of a QR code. A photograph without a code is reported.
        let link = prepared.link(Payload::User(person(2)));
        let shot = Shot {
            degrees: 17.0,
            scale: 1.2,
            tilt: 0.05,
            quality: 50,
        };
        let taken = photograph(&Qr::for_url(&link).unwrap().picture(), shot);
        let (photo, stripes) = (
            prepared.file("photo.jpg", &taken),
            prepared.file(
                "stripes.jpg",
                &jpeg(
                    &image::GrayImage::from_fn(640, 480, |x, y| image::Luma([(x * y % 251) as u8])),
                    60,
                ),
            ),
        );
        let choose = async |path: &PathBuf| {
            let css = fantoccini::Locator::Css("[data-testid=inspect-file]");
            let input = studio.client.find(css).await.unwrap();
            input.send_keys(path.to_str().unwrap()).await.unwrap();
        };
        choose(&stripes).await;
        says(&studio, "inspect-forecast", "no QR code").await;
        looks_well(&studio, "inspect-no-qr").await;
        choose(&photo).await;
        says(&studio, "inspect-forecast", "Creates user-000002: seat 3").await;
        looks_well(&studio, "inspect-photograph").await;
        studio.click("inspect-redeem").await;
        studio.click("inspect-redeem-confirm").await;
        says(&studio, "inspect-redeemed", "Created user-000002").await;

        // By a picture on the clipboard.
        studio.click("rail-compose").await;
        studio.click("mode-existing").await;
        studio.fill("field-person", "ada-1815").await;
        says(&studio, "forecast", "Signs in ada-1815").await;
        studio.click("copy-qr").await;
        says(&studio, "toast", "copied").await;
        studio.click("rail-inspect").await;
        studio.click("inspect-clipboard").await;
        says(&studio, "inspect-forecast", "Signs in ada-1815").await;

        studio.click("rail-users").await;
        says(&studio, "screen-note", "3").await;
        looks_well(&studio, "users-3").await;
        studio.resize(860, 600).await;
        looks_well(&studio, "users-3-small").await;
        studio.click("rail-inspect").await;
        looks_well(&studio, "inspect-small").await;
        studio.click("rail-users").await;
        row_of(&studio, "ada-1815").await;
        studio.click("user-remove").await;
        looks_well(&studio, "users-remove").await;
        studio.click("user-remove-confirm").await;
        says(&studio, "seat-count", "2, no limit").await;
        studio.quit().await;
    });
}
