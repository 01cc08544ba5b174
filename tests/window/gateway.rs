//! From the window to a phone: a QR code is shown, scanned, and signs somebody in.

use std::net::TcpListener;

use latchkey_core::directory::Directory as _;

use crate::driver::{Studio, picture_of_display};
use crate::phone::Phone;
use crate::prepared::Prepared;
use crate::readers::read_qr_codes;
use crate::run;
use crate::users::looks_well;

/// What a camera before the screen reads.
async fn scanned(studio: &Studio, id: &str) -> String {
    studio.click("rail-compose").await;
    studio.click("kind-user").await;
    studio.fill("field-user-id", id).await;
    let wanted = format!("\\\"id\\\": \\\"{id}\\\"");
    studio
        .wait_for_script(
            "the claims of the link",
            &format!("return document.body.innerText.includes(\"{wanted}\")"),
        )
        .await;
    studio.find("qr").await;
    let read = read_qr_codes(&[picture_of_display("gateway-qr")]);
    assert_eq!(read.len(), 1, "one code is on the screen");
    read[0].clone()
}

#[test]
fn a_scanned_code_signs_in_and_studio_shows_it_at_once() {
    run(async {
        let prepared = Prepared::with(0);
        let directory = prepared.home.directory(&prepared.instance, "the test");
        directory.unwrap().set_seat_limit(Some(1)).unwrap();
        let studio = prepared.open().await;
        studio.click("rail-settings").await;
        studio.click("settings-gateway").await;
        looks_well(&studio, "gateway-off").await;
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        studio.fill("gateway-port", &port.to_string()).await;
        studio.click("gateway-start").await;
        studio
            .wait_for_text("gateway-problem", "why", |text| {
                text.contains("Another program listens")
            })
            .await;
        looks_well(&studio, "gateway-refused").await;
        drop(taken);
        studio.click("gateway-start").await;
        let url = format!("http://127.0.0.1:{port}/");
        studio
            .wait_for_text("gateway-state", "open", |text| text.contains(&url))
            .await;
        looks_well(&studio, "gateway-open-elsewhere").await;
        studio.click("gateway-lead").await;
        let gone = "return document.querySelector('[data-testid=gateway-lead]') === null";
        studio.wait_for_script("links lead there", gone).await;
        looks_well(&studio, "gateway-open").await;
        studio.resize(860, 600).await;
        looks_well(&studio, "gateway-open-small").await;
        studio.click("settings-authentication").await;
        studio
            .script("document.querySelector('[data-testid=visiting-session]').scrollIntoView({ block: 'center' }); return true")
            .await;
        looks_well(&studio, "visiting-small").await;
        studio.resize(1240, 800).await;

        let link = scanned(&studio, "ada").await;
        assert!(link.starts_with(&url), "the link leads to the gateway");
        let phone = Phone::start().await;
        phone.open(&link).await;
        let text = phone.says("You are signed in").await;
        assert!(text.contains("ada"), "{text}");
        assert_eq!(phone.address().await, url);
        phone.picture("phone-signed-in").await;

        // Without a click in Studio.
        studio
            .wait_for_text("seat-count", "1 of 1", |text| text.contains("1 of 1"))
            .await;
        studio.click("rail-users").await;
        let row = "return document.querySelector('[data-user-id=\"ada\"]') !== null";
        studio.wait_for_script("ada among the users", row).await;

        let link = scanned(&studio, "bob").await;
        let forecast = "return document.body.innerText.includes('no seats left')";
        studio.wait_for_script("the forecast", forecast).await;
        phone.tap("Sign out").await;
        phone.says("You are signed out").await;
        phone.open(&link).await;
        let text = phone.says("There is no seat left").await;
        assert!(text.contains("Reference"), "{text}");
        phone.picture("phone-no-seat").await;
        phone.close().await;

        studio.click("gateway-mark").await;
        studio.click("gateway-stop").await;
        studio
            .wait_for_text("gateway-state", "off", |text| text.contains("Off"))
            .await;
        studio.quit().await;
    });
}
