//! Tests of the main task: from the first start to a link that another program accepts, and again
//! after a restart.

use fantoccini::key::Key;
use serde_json::{Value, json};

use crate::driver::{Studio, answer_file_dialog, clipboard, clipboard_picture, picture_of_display};
use crate::environment::Environment;
use crate::peer::Peer;
use crate::readers::{rasterised, read_qr_codes};
use crate::run;

const SECRET: &str = "the-jwt-secret-that-the-instance-dictates-32+";
const PASSPHRASE: &str = "correct horse battery staple";
const URL: &str = "https://chat.yourcompany.com";

async fn connect(studio: &Studio) {
    studio.fill("connect-url", URL).await;
    studio.fill("connect-secret", SECRET).await;
    studio.click("connect-submit").await;
}

/// Composes a link for an address. Returns the link on the screen.
async fn compose(studio: &Studio, email: &str) -> String {
    studio.click("mode-existing").await;
    studio.fill("field-person", email).await;
    studio
        .wait_for_text("forecast", "names the person", |text| {
            text.contains("Verifies, expires in 7 days") && text.contains(email)
        })
        .await;
    studio.text("link").await
}

/// Returns what another program reads from a link with the secret.
fn verified_elsewhere(link: &str) -> Value {
    let (base, code) = link
        .split_once("/?externalAuthCode=")
        .expect("a login link");
    assert_eq!(base, URL);
    let request = json!({ "op": "verify", "secret": SECRET, "algorithm": "HS256", "code": code });
    let by_node = Peer::node().ask(&request)["claims"].clone();
    assert_eq!(Peer::python().ask(&request)["claims"], by_node);
    by_node
}

async fn copies_what_is_shown(studio: &Studio, link: &str) {
    studio.click("copy-link").await;
    studio
        .wait_for_text("toast", "says that it was copied", |text| {
            text.contains("copied")
        })
        .await;
    assert_eq!(clipboard(), link, "another program finds the link");
}

#[test]
fn a_link_is_made_copied_and_made_again_after_a_restart_with_a_real_keychain() {
    run(async {
        let environment = Environment::with_keychain();
        let studio = Studio::start(&environment).await;
        connect(&studio).await;
        let link = compose(&studio, "ada@yourcompany.com").await;
        assert_eq!(verified_elsewhere(&link)["email"], "ada@yourcompany.com");
        copies_what_is_shown(&studio, &link).await;
        studio.quit().await;
        assert!(
            !environment.data_dir().join("keys.sealed").exists(),
            "the secret is in the keychain"
        );

        let studio = Studio::start(&environment).await;
        let link = compose(&studio, "grace@yourcompany.com").await;
        assert_eq!(verified_elsewhere(&link)["email"], "grace@yourcompany.com");
        studio.quit().await;
    });
}

#[test]
fn a_link_is_made_copied_and_made_again_after_a_restart_with_the_sealed_file() {
    run(async {
        let environment = Environment::without_keychain();
        let studio = Studio::start(&environment).await;
        connect(&studio).await;
        studio.fill("passphrase", PASSPHRASE).await;
        studio.fill("passphrase-again", PASSPHRASE).await;
        studio.screenshot("new-passphrase");
        studio.click("passphrase-submit").await;
        let link = compose(&studio, "ada@yourcompany.com").await;
        assert_eq!(verified_elsewhere(&link)["email"], "ada@yourcompany.com");
        copies_what_is_shown(&studio, &link).await;
        studio.quit().await;

        let sealed = environment.data_dir().join("keys.sealed");
        let before = std::fs::read(&sealed).unwrap();
        let studio = Studio::start(&environment).await;
        studio.fill("unlock-passphrase", "a wrong passphrase").await;
        studio.click("unlock-submit").await;
        studio
            .wait_for_text("error-passphrase", "says what is wrong", |text| {
                text.contains("does not open") && text.contains("nothing was changed")
            })
            .await;
        studio.screenshot("wrong-passphrase");
        assert_eq!(
            std::fs::read(&sealed).unwrap(),
            before,
            "nothing was changed"
        );
        studio.fill("unlock-passphrase", PASSPHRASE).await;
        studio.click("unlock-submit").await;
        let link = compose(&studio, "grace@yourcompany.com").await;
        assert_eq!(verified_elsewhere(&link)["email"], "grace@yourcompany.com");
        studio.quit().await;
    });
}

#[test]
fn the_qr_code_is_read_out_of_a_picture_of_the_display() {
    run(async {
        let environment = Environment::with_keychain();
        let studio = Studio::start(&environment).await;
        connect(&studio).await;
        let link = compose(&studio, "ada@yourcompany.com").await;
        studio.find("qr").await;
        let picture = picture_of_display("display");
        assert_eq!(read_qr_codes(&[picture]), [link]);
        studio.quit().await;
    });
}

#[test]
fn a_copied_link_is_cleared_after_a_minute_but_later_content_is_not() {
    run(async {
        let environment = Environment::with_keychain();
        let studio = Studio::start(&environment).await;
        connect(&studio).await;
        let link = compose(&studio, "ada@yourcompany.com").await;
        studio.press(&[Key::Control], char::from(Key::Enter)).await;
        studio
            .wait_for_text("toast", "says that it was copied", |text| {
                text.contains("copied")
            })
            .await;
        assert_eq!(clipboard(), link, "the keys copy it, too");
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(90);
        while clipboard() == link {
            assert!(std::time::Instant::now() < deadline, "it is still there");
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        }
        assert_eq!(clipboard(), "");
        studio.quit().await;
    });
}

#[test]
fn the_secret_is_shown_once_and_replaced() {
    run(async {
        let environment = Environment::with_keychain();
        let studio = Studio::start(&environment).await;
        connect(&studio).await;
        studio.find("mode-existing").await;
        studio.press(&[Key::Control], '6').await;
        studio.click("secret-reveal").await;
        assert_eq!(studio.text("secret-value").await, SECRET);
        studio.click("secret-hide").await;
        studio
            .wait_for_script(
                "the secret's end",
                "return !document.body.innerHTML.includes('the-jwt-secret') && !document.querySelector('[data-testid=secret-reveal]')",
            )
            .await;
        studio.click("secret-replace").await;
        studio.click("secret-generate").await;
        studio.screenshot("replace-secret");
        studio.click("replace-submit").await;
        studio.click("secret-reveal").await;
        let generated = studio.text("secret-value").await;
        assert_eq!(generated.len(), 64, "256 bits in hexadecimal");
        studio.quit().await;
    });
}

#[test]
fn the_code_the_widget_tag_and_the_qr_code_are_copied_and_saved() {
    run(async {
        let environment = Environment::with_keychain();
        let studio = Studio::start(&environment).await;
        connect(&studio).await;
        let link = compose(&studio, "ada@yourcompany.com").await;
        let (_, code) = link.split_once('=').unwrap();
        studio.click("copy-code").await;
        wait_for("the code", || clipboard() == code).await;
        studio.click("tab-widget").await;
        studio.click("copy-widget").await;
        let tag = format!(
            "<script defer data-external-auth-code=\"{code}\" src=\"{URL}/widget.js\"></script>"
        );
        wait_for("the widget tag", || clipboard() == tag).await;
        studio.click("tab-qr").await;
        studio.click("copy-qr").await;
        wait_for("the picture", || {
            read_qr_codes(&[clipboard_picture("copied-qr")]) == [link.as_str()]
        })
        .await;

        let folder = tempfile::tempdir().unwrap();
        for (id, name) in [("save-png", "qr.png"), ("save-svg", "qr.svg")] {
            let path = folder.path().join(name);
            studio.click(id).await;
            answer_file_dialog("Save the QR code", &path);
            wait_for("the file", || path.exists()).await;
            let picture = if name.ends_with("svg") {
                rasterised(&path)
            } else {
                path
            };
            assert_eq!(read_qr_codes(&[picture]), [link.as_str()], "{name}");
        }
        studio.quit().await;
    });
}

#[test]
fn a_keychain_that_hangs_does_not_hang_the_window() {
    run(async {
        let environment = Environment::with_keychain();
        let studio = Studio::start(&environment).await;
        connect(&studio).await;
        compose(&studio, "ada@yourcompany.com").await;
        studio.quit().await;

        environment.hang_keychain();
        let studio = Studio::start(&environment).await;
        studio.find("keys-retry").await;
        studio.screenshot("keychain-unreachable");
        assert_eq!(studio.axe().await, Vec::<String>::new());
        environment.resume_keychain();
        studio.click("keys-retry").await;
        let link = compose(&studio, "grace@yourcompany.com").await;
        assert_eq!(verified_elsewhere(&link)["email"], "grace@yourcompany.com");
        studio.quit().await;
    });
}

async fn wait_for(what: &str, holds: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !holds() {
        assert!(std::time::Instant::now() < deadline, "{what} never came");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
