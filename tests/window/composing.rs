//! Tests of Compose and Inspect with a link that cannot be opened, a link that was used, and an
//! outdated one.

use crate::driver::{Studio, picture_of_display};
use crate::prepared::Prepared;
use crate::readers::read_qr_codes;
use crate::run;
use crate::users::in_every_size;
use crate::visitor::press_continue;
use crate::webkit::free_port;

/// Presses the button of a single-use link's confirm page.
fn use_up(port: u16, link: &str) {
    let (_, code) = link.split_once('?').unwrap();
    let answer = press_continue(&format!("http://127.0.0.1:{port}/"), &format!("/?{code}"));
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
}

async fn tone(studio: &Studio, id: &str) -> String {
    let script =
        format!("return document.querySelector('[data-testid={id}] [role=img]').ariaLabel");
    studio.script(&script).await.as_str().unwrap().to_owned()
}

#[test]
fn a_link_is_amber_while_its_gateway_is_off_and_shows_when_it_was_used() {
    run(async {
        let prepared = Prepared::with(0);
        let studio = prepared.open().await;
        let port = free_port();
        studio.click("gateway-mark").await;
        studio.fill("gateway-port", &port.to_string()).await;
        studio.click("rail-compose").await;
        studio.click("mode-new").await;
        studio.fill("field-user-id", "ada").await;
        studio.choose("uses", "once").await;
        let closed = studio.text("gateway-closed").await;
        assert!(
            closed.contains("will not open until it is started"),
            "{closed}"
        );
        assert!(tone(&studio, "forecast").await.contains("condition"));
        in_every_size(&studio, "compose-gateway-closed").await;
        let link = studio.text("link").await;

        studio.click("rail-inspect").await;
        studio.fill("inspect-input", &link).await;
        studio.find("gateway-closed").await;
        assert!(
            tone(&studio, "inspect-forecast")
                .await
                .contains("condition")
        );
        in_every_size(&studio, "inspect-gateway-closed").await;

        studio.click("rail-compose").await;
        studio.click("gateway-closed-start").await;
        let open = "return document.querySelector('[data-testid=gateway-closed]') === null";
        studio.wait_for_script("the open gateway", open).await;
        // The URL of the instance names another port of this computer.
        studio.find("gateway-lost").await;
        assert!(tone(&studio, "forecast").await.contains("condition"));
        assert_eq!(studio.text("link").await, link, "it is the same code");

        use_up(port, &link);
        studio.find("remedy-new_link").await;
        let hidden =
            "return document.querySelector('[data-testid=link], [data-testid=qr]') === null";
        studio
            .wait_for_script("no link that was used", hidden)
            .await;
        in_every_size(&studio, "compose-used").await;
        assert_eq!(
            read_qr_codes(&[picture_of_display("compose-used-display")]),
            Vec::<String>::new()
        );
        studio.click("remedy-new_link").await;
        studio.find("qr").await;
        assert_ne!(studio.text("link").await, link);

        // The next text gives no link, so the code of the last person must not be scannable.
        studio.fill("field-user-email", "ada at").await;
        studio.find("qr-covered").await;
        in_every_size(&studio, "compose-out-of-date").await;
        assert_eq!(
            read_qr_codes(&[picture_of_display("compose-out-of-date-display")]),
            Vec::<String>::new()
        );
        studio.quit().await;
    });
}
