//! Test of the preview while a person types: it is always the latest, and never flashes.

use std::time::Duration;

use serde_json::Value;

use crate::driver::Studio;
use crate::environment::Environment;
use crate::run;

/// Script that counts flashes of the preview: an empty link, or no QR code after the first. The
/// cover of an outdated QR code does not count.
const WATCH: &str = "
    window.flashes = [];
    const look = () => {
        const link = document.querySelector('[data-testid=link]');
        const qr = document.querySelector('[data-testid=qr] path, [data-testid=qr-covered]');
        if (!link || !link.textContent || !qr) window.flashes.push(performance.now());
    };
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
    return true";

#[test]
fn typing_repaints_the_preview_with_no_flash_and_no_queue() {
    run(async {
        let environment = Environment::with_keychain();
        let studio = Studio::start(&environment).await;
        studio.click("door-sample").await;
        studio.click("mode-new").await;
        studio.fill("field-user-id", "a").await;
        studio.find("qr").await;
        studio.click("details").await;
        studio.script(WATCH).await;
        studio
            .script("performance.clearMeasures('latchkey:preview'); return true")
            .await;

        let field = studio.find("field-user-email").await;
        let typed = "ada.lovelace@analytical.engines.example";
        field.send_keys("x@y.zz").await.unwrap();
        studio
            .wait_for_text("claims", "holds the address", |text| {
                text.contains("x@y.zz")
            })
            .await;
        field.clear().await.unwrap();
        let id = studio.find("field-user-id").await;
        for character in typed.chars() {
            id.send_keys(&character.to_string()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        let whole = format!("a{typed}");
        studio
            .wait_for_text("claims", "holds all that was typed", |text| {
                text.contains(&whole)
            })
            .await;
        let entries = studio
            .script("return performance.getEntriesByName('latchkey:preview').map((one) => one.duration)")
            .await;
        let mut times: Vec<f64> = serde_json::from_value(entries).unwrap();
        times.sort_by(f64::total_cmp);
        let at = |percent: usize| times[(times.len() - 1) * percent / 100];
        println!(
            "keystroke to painted preview, {} previews: median {:.1} ms, 95 % {:.1} ms, slowest {:.1} ms",
            times.len(),
            at(50),
            at(95),
            at(100)
        );
        assert!(times.len() >= typed.len() / 2, "{} previews", times.len());
        // A second after the last key no preview is pending, so no queue has grown.
        let before = studio.text("link").await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(studio.text("link").await, before, "no later preview came");
        assert_eq!(
            studio.script("return window.flashes").await,
            Value::Array(Vec::new()),
            "flashes"
        );
        studio.quit().await;
    });
}
