//! Every screen and state, looked at by axe-core and kept as a picture.

use crate::driver::Studio;
use crate::environment::Environment;
use crate::run;

const SECRET: &str = "a-secret-for-the-tour-of-all-screens-0123456789";

async fn look(studio: &Studio, theme: &str, state: &str, found: &mut Vec<String>) {
    // Nothing moves any more when transitions of at most 150 ms are over.
    studio
        .wait_for_script(
            "rest",
            "return document.getAnimations().every((one) => one.playState !== 'running')",
        )
        .await;
    studio.screenshot(&format!("{state}-{theme}")).await;
    found.extend(
        studio
            .axe()
            .await
            .into_iter()
            .map(|one| format!("{state}, {theme}: {one}")),
    );
}

#[test]
fn axe_finds_nothing_serious_on_any_screen_light_and_dark() {
    run(async {
        let mut found = Vec::new();
        for theme in ["light", "dark"] {
            let environment = Environment::with_keychain();
            std::fs::create_dir_all(environment.data_dir()).unwrap();
            std::fs::write(
                environment.data_dir().join("studio.json"),
                format!("{{\"theme\":\"{theme}\"}}"),
            )
            .unwrap();
            let studio = Studio::start(&environment).await;
            studio.find("door-connect").await;
            look(&studio, theme, "welcome", &mut found).await;
            studio.click("door-connect").await;
            studio.find("connect-url").await;
            look(&studio, theme, "connect", &mut found).await;
            studio
                .fill("connect-url", "https://chat.yourcompany.com")
                .await;
            studio.fill("connect-secret", SECRET).await;
            studio.click("connect-submit").await;
            studio.find("kind-email").await;
            look(&studio, theme, "compose-empty", &mut found).await;
            studio.click("kind-user").await;
            studio.fill("field-user-id", "ada-1815").await;
            studio.fill("field-user-email", "ada@yourcompany.com").await;
            studio
                .wait_for_text("forecast", "verified", |text| text.contains("Verifies"))
                .await;
            look(&studio, theme, "compose-user", &mut found).await;
            studio.click("rail-settings").await;
            studio.find("settings-url").await;
            look(&studio, theme, "settings", &mut found).await;
            studio.quit().await;
        }
        assert!(found.is_empty(), "{}", found.join("\n"));
    });
}
