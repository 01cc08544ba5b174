//! Tests of every screen and state with axe-core. A picture of each is kept below
//! `target/screenshots`.

use fantoccini::key::Key;

use crate::driver::Studio;
use crate::environment::Environment;
use crate::run;

const SECRET: &str = "a-secret-for-the-tour-of-all-screens-0123456789";

struct Tour {
    studio: Studio,
    theme: &'static str,
    found: Vec<String>,
}

impl Tour {
    async fn look(&mut self, state: &str) {
        self.studio
            .wait_for_script(
                "rest",
                "return document.getAnimations().every((one) => one.playState !== 'running')",
            )
            .await;
        self.studio.screenshot(&format!("{state}-{}", self.theme));
        let said = self.studio.axe().await;
        self.found.extend(
            said.into_iter()
                .map(|one| format!("{state}, {}: {one}", self.theme)),
        );
        let overflows =
            "return document.documentElement.scrollWidth > document.documentElement.clientWidth";
        if self.studio.script(overflows).await == true {
            self.found
                .push(format!("{state}, {}: a horizontal scroll bar", self.theme));
        }
        let cut = "return [...document.querySelectorAll('button, input, select, textarea, h1, h2')]
            .filter((one) => one.checkVisibility() && !one.matches('.unseen, .unseen *'))
            .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
            .map((one) => one.dataset.testid ?? one.textContent.trim())";
        let cut: Vec<String> = serde_json::from_value(self.studio.script(cut).await).unwrap();
        for one in cut {
            self.found.push(format!(
                "{state}, {}: '{one}' is cut at the right",
                self.theme
            ));
        }
    }

    async fn first_start(&mut self) {
        self.studio.find("door-sample").await;
        self.look("welcome").await;
        self.studio
            .fill("connect-url", "ftp://chat.yourcompany.com")
            .await;
        self.studio.fill("connect-secret", SECRET).await;
        self.studio.click("connect-submit").await;
        let said = self.studio.text("error-url").await;
        assert!(said.contains("begins with ftp:"), "{said}");
        self.look("connect-refused").await;
        self.studio
            .fill("connect-url", "https://chat.yourcompany.com")
            .await;
        self.studio.fill("connect-name", "Your Company").await;
        self.studio.fill("connect-secret", SECRET).await;
        self.studio.click("connect-submit").await;
        self.studio.find("mode-existing").await;
    }

    async fn compose(&mut self) {
        self.look("compose-empty").await;
        self.studio.fill("field-person", "ada@").await;
        self.studio.press(&[], char::from(Key::Tab)).await;
        self.studio.find("error-person").await;
        self.look("compose-refused").await;
        self.studio.fill("field-person", "1234").await;
        self.studio.click("details").await;
        self.studio
            .wait_for_text("claims", "holds the number", |text| text.contains("1234"))
            .await;
        self.look("compose-id").await;
        self.studio.click("mode-new").await;
        self.studio.fill("field-user-id", "ada-1815").await;
        self.studio
            .fill("field-user-email", "ada@yourcompany.com")
            .await;
        // The form is at rest when the typed text has become a link.
        self.studio
            .wait_for_text("claims", "holds the address", |text| {
                text.contains("ada@yourcompany.com")
            })
            .await;
        self.studio.click_for("metadata-add", "metadata-name").await;
        self.studio.fill("metadata-name", "team").await;
        self.studio.fill("metadata-value", "Research").await;
        self.studio
            .wait_for_text("claims", "holds the metadata", |text| {
                text.contains("Research")
            })
            .await;
        self.look("compose-user").await;
        self.studio.choose("expires", "never").await;
        self.studio
            .wait_for_text("forecast", "warns", |text| text.contains("never expires"))
            .await;
        self.look("compose-never").await;
        self.studio.click("details").await;
        self.studio.click("tab-widget").await;
        self.studio.find("widget").await;
        self.look("compose-widget").await;
        self.studio.resize(860, 600).await;
        self.look("compose-smallest").await;
        self.studio.resize(1_900, 1_100).await;
        self.look("compose-wide").await;
        self.studio.resize(1_240, 800).await;
    }

    /// Doubles the size of the text. Panes must stack, and nothing may be cut.
    async fn large_text(&mut self) {
        let text = |percent: u16| {
            format!("document.documentElement.style.fontSize = '{percent}%'; return true")
        };
        self.studio.script(&text(200)).await;
        for (screen, shown) in [
            ("compose", "field-user-id"),
            ("users", "users-empty"),
            ("inspect", "inspect-input"),
            ("activity", "activity-search"),
            ("settings", "settings-url"),
        ] {
            self.studio.click(&format!("rail-{screen}")).await;
            self.studio.find(shown).await;
            self.look(&format!("{screen}-large-text")).await;
        }
        self.studio.script(&text(100)).await;
        self.studio.click("rail-compose").await;
    }

    async fn settings(&mut self) {
        self.studio.click("rail-settings").await;
        self.studio.find("settings-url").await;
        self.look("settings").await;
        self.studio.click("secret-replace").await;
        self.studio.find("replace-submit").await;
        self.look("settings-replace").await;
        self.studio.press(&[], char::from(Key::Escape)).await;
        self.studio.resize(860, 600).await;
        self.look("settings-smallest").await;
        self.studio.resize(1_240, 800).await;
        self.studio.click("section-appearance").await;
        self.studio.find("theme-dark").await;
        self.look("settings-appearance").await;
        self.studio.press(&[Key::Control], 'k').await;
        self.studio.find("palette-input").await;
        self.look("palette").await;
        self.studio.press(&[], char::from(Key::Escape)).await;
        self.studio.click("instance-switcher").await;
        self.studio.find("instance-connect").await;
        self.look("instances").await;
    }
}

fn tour(theme: &'static str) {
    run(async {
        let environment = Environment::with_keychain();
        std::fs::create_dir_all(environment.data_dir()).unwrap();
        let preferences = environment.data_dir().join("studio.json");
        std::fs::write(preferences, format!("{{\"theme\":\"{theme}\"}}")).unwrap();
        let mut tour = Tour {
            studio: Studio::start(&environment).await,
            theme,
            found: Vec::new(),
        };
        tour.first_start().await;
        tour.compose().await;
        tour.large_text().await;
        tour.settings().await;
        assert!(tour.found.is_empty(), "{}", tour.found.join("\n"));
        tour.studio.quit().await;
    });
}

#[test]
fn axe_finds_nothing_serious_on_any_screen_in_light() {
    tour("light");
}

#[test]
fn axe_finds_nothing_serious_on_any_screen_in_dark() {
    tour("dark");
}

#[test]
fn axe_finds_nothing_serious_while_the_sealed_file_is_locked() {
    run(async {
        let environment = Environment::without_keychain();
        let studio = Studio::start(&environment).await;
        studio.click("door-sample").await;
        studio.fill("passphrase", "correct horse battery").await;
        studio
            .fill("passphrase-again", "correct horse battery")
            .await;
        assert_eq!(studio.axe().await, Vec::<String>::new());
        studio.click("passphrase-submit").await;
        studio.find("mode-existing").await;
        studio.quit().await;
        let studio = Studio::start(&environment).await;
        studio.find("unlock-passphrase").await;
        studio.screenshot("unlock");
        assert_eq!(studio.axe().await, Vec::<String>::new());
        studio.quit().await;
    });
}

#[test]
fn every_control_of_compose_is_reached_by_keyboard() {
    run(async {
        let environment = Environment::with_keychain();
        let studio = Studio::start(&environment).await;
        studio.click("door-sample").await;
        studio.click("mode-new").await;
        studio.fill("field-user-id", "ada").await;
        studio.find("qr").await;
        studio.click_for("metadata-add", "metadata-name").await;
        studio.fill("metadata-name", "team").await;
        studio.fill("metadata-value", "Research").await;
        studio.click("starts-later").await;
        studio.find("copy-qr").await;
        studio
            .script("document.activeElement.blur(); return true")
            .await;
        let mut reached = Vec::new();
        for _ in 0..80 {
            studio.press(&[], char::from(Key::Tab)).await;
            let here = studio
                .script(
                    "const one = document.activeElement;
                     const named = one.closest('[data-testid]') ?? one.labels?.[0];
                     return named?.dataset.testid ?? one.getAttribute('aria-label') ?? one.tagName",
                )
                .await;
            reached.push(here.as_str().unwrap_or_default().to_owned());
        }
        for id in [
            "instance-switcher",
            "rail-compose",
            "rail-settings",
            "mode-new",
            "field-user-name",
            "field-user-id",
            "field-user-email",
            "metadata-name",
            "metadata-value",
            "metadata-remove",
            "metadata-add",
            "metadata-as-json",
            "expires",
            "uses",
            "not-before",
            "starts-at-once",
            "next-person",
            "copy-link",
            "copy-message",
            "copy-code",
            "copy-qr",
            "save-png",
            "save-svg",
            "tab-qr",
            "details",
        ] {
            assert!(
                reached.iter().any(|one| one == id),
                "'{id}' is not reached: {reached:?}"
            );
        }
        // Arrow keys choose a kind. The keys of the screens change the screen and return.
        studio.script("document.querySelector('[data-testid=mode-new] input, input:checked').focus(); return true").await;
        studio.press(&[], char::from(Key::Left)).await;
        studio.find("field-person").await;
        studio.press(&[Key::Control], '6').await;
        studio.find("settings-url").await;
        studio.press(&[Key::Control], '1').await;
        studio.find("field-person").await;
        studio.quit().await;
    });
}
