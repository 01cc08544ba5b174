//! Tests of the way from the window to a phone: a QR code is shown, scanned, and signs a user in.

use latchkey_store::Wait as _;
use std::fs;
use std::net::TcpListener;
use std::process::Command;

use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::{NewUser, Payload};
use latchkey_core::protocol::user_id::UserId;
use tempfile::TempDir;

use crate::driver::{Studio, answer_file_dialog, picture_of_display};
use crate::phone::Phone;
use crate::prepared::Prepared;
use crate::readers::read_qr_codes;
use crate::run;
use crate::users::looks_well;

/// Returns the text that a camera reads from the screen.
async fn scanned(studio: &Studio, id: &str) -> String {
    studio.click("rail-compose").await;
    studio.click("mode-new").await;
    studio.fill("field-user-id", id).await;
    studio
        .wait_for_text("forecast", "names the person", |text| text.contains(id))
        .await;
    studio.find("qr").await;
    let read = read_qr_codes(&[picture_of_display("gateway-qr")]);
    assert_eq!(read.len(), 1, "one code is on the screen");
    read[0].clone()
}

/// Opens a link in a browser with the engine of Safari, as its user who has signed in before.
async fn returns_with_webkit(link: &str) {
    let phone = Phone::start_webkit().await;
    phone.open(link).await;
    let text = phone.says("You are signed in").await;
    assert!(text.contains("ada"), "{text}");
    let address = phone.address().await;
    assert!(link.starts_with(&address), "{address}");
    assert!(!address.contains("externalAuthCode"), "{address}");
    // The browser sends the cookie.
    phone.open(&address).await;
    phone.says("You are signed in").await;
    phone.picture("phone-webkit").await;
    phone.tap("Sign out").await;
    phone.says("You are signed out").await;
    phone.open(&address).await;
    phone.says("You are not signed in").await;
    phone.close().await;
}

/// Finds in Studio, by the reference on a phone's page, why the visitor was refused.
async fn why_in_studio(studio: &Studio, page: &str) {
    let reference = page.split("Reference ").nth(1).unwrap();
    let reference = reference.split_whitespace().next().unwrap();
    studio.click("rail-activity").await;
    let shown = "return document.querySelectorAll('[data-testid=activity-entry]').length >= 6";
    studio.wait_for_script("what has happened", shown).await;
    looks_well(studio, "activity").await;
    studio.resize(860, 600).await;
    looks_well(studio, "activity-small").await;
    studio.resize(1240, 800).await;
    studio.fill("activity-search", reference).await;
    let one = "return document.querySelectorAll('[data-testid=activity-entry]').length === 1";
    studio.wait_for_script("the one entry", one).await;
    let entry = studio.text("activity-entry").await;
    for part in [
        "no seats left",
        "The only seat is taken",
        "bob",
        "127.0.0.1",
        reference,
    ] {
        assert!(entry.contains(part), "{part}: {entry}");
    }
    looks_well(studio, "activity-found").await;
    studio.fill("activity-search", "nobody at all").await;
    studio.find("activity-clear").await;
    looks_well(studio, "activity-none").await;
    studio.click("activity-clear").await;
    studio.wait_for_script("everything again", shown).await;
    studio
        .script("[...document.querySelectorAll('[data-testid=activity-entry] button')].find((one) => one.innerText === 'ada').click(); return true")
        .await;
    studio
        .wait_for_text("user-history", "Ada's history", |text| {
            text.contains("Created by a link")
        })
        .await;
    looks_well(studio, "user-history").await;
    studio.find("user-no-session").await;
    studio.click("user-sign-out").await;
    studio
        .wait_for_text("user-history", "the sign-out", |text| {
            text.contains("Signed out everywhere")
        })
        .await;
}

/// Looks at Ada's session in her panel.
async fn sessions_of_ada(studio: &Studio) {
    let open = "document.querySelector('[data-user-id=\"ada\"]').click(); return true";
    studio.script(open).await;
    studio
        .wait_for_text("user-sessions", "her browser", |text| {
            text.contains("127.0.0.1") && text.contains("last used")
        })
        .await;
    studio
        .script(
            "document.querySelector('[data-testid=user-sessions]').scrollIntoView(); return true",
        )
        .await;
    looks_well(studio, "user-sessions").await;
    studio.resize(860, 600).await;
    looks_well(studio, "user-sessions-small").await;
    studio.resize(1240, 800).await;
    let size = "document.documentElement.style.fontSize";
    studio
        .script(&format!("{size} = '200%'; return true"))
        .await;
    looks_well(studio, "user-sessions-large").await;
    studio.script(&format!("{size} = ''; return true")).await;
}

/// Expects that the log has the refusal with its reference, and no code.
fn log_says_why(prepared: &Prepared, page: &str, link: &str) {
    let reference = page.split("Reference ").nth(1).unwrap();
    let reference = reference.split_whitespace().next().unwrap();
    let logs = fs::read_dir(prepared.environment.data_dir().join("logs")).unwrap();
    let logs = logs.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
    let log: String = logs.collect();
    let logged = log.lines().find(|text| text.contains(reference));
    let logged = logged.unwrap_or_else(|| panic!("{reference}: {log}"));
    assert!(logged.contains("verdict=\"no_seats\""), "{logged}");
    let code = link.split_once("externalAuthCode=").unwrap().1;
    for part in code.split('.').chain(["latchkey_session"]) {
        assert!(!log.contains(part), "{part}: {log}");
    }
}

/// Makes and revokes an API key, and serves https on the network.
async fn with_tls(studio: &Studio, port: u16) {
    studio.click("rail-settings").await;
    studio.click("section-api").await;
    looks_well(studio, "api-off").await;
    studio.fill("api-key-name", "CRM").await;
    studio.click("api-key-make").await;
    let key = studio.text("api-key-value").await;
    assert!(key.starts_with("lk_"), "{key}");
    looks_well(studio, "api-key-shown").await;
    studio.click("api-key-done").await;
    studio
        .wait_for_text("api-keys", "the key", |text| text.contains("CRM"))
        .await;
    looks_well(studio, "api-keys").await;
    studio.click("api-key-revoke").await;
    looks_well(studio, "api-key-revoke").await;
    studio.click("api-key-revoke-submit").await;
    studio.find("api-state").await;

    studio.click("gateway-mark").await;
    studio.click("gateway-stop").await;
    studio.find("gateway-start").await;
    let others = "const all = document.querySelector('[data-testid=gateway-address]'); \
                  if (all.options.length < 2) return false; all.selectedIndex = 1; \
                  all.dispatchEvent(new Event('change', { bubbles: true })); return true";
    let on_network = studio.script(others).await == true;
    studio.choose("gateway-tls", "self_signed").await;
    studio.fill("gateway-port", &port.to_string()).await;
    looks_well(studio, "gateway-tls").await;
    studio.click("gateway-start").await;
    studio
        .wait_for_text("gateway-fingerprint", "the fingerprint", |text| {
            text.len() == 95
        })
        .await;
    looks_well(studio, "gateway-open-tls").await;
    if on_network {
        let read = read_qr_codes(&[picture_of_display("gateway-test-qr")]);
        assert_eq!(read.len(), 1);
        assert!(read[0].starts_with("https://"), "{read:?}");
        assert!(!read[0].contains("127.0.0.1"), "{read:?}");
    }
    studio.resize(860, 600).await;
    looks_well(studio, "gateway-open-tls-small").await;
    studio.resize(1240, 800).await;
}

/// Serves https with a certificate from files, chosen in the system's dialog. Returns the folder of
/// the files.
async fn with_a_certificate_from_files(studio: &Studio, port: u16) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("a.pem"), folder.path().join("a.key"));
    let mut openssl = Command::new("openssl");
    openssl
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt"])
        .args(["ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=127.0.0.1", "-addext"])
        .args(["subjectAltName=IP:127.0.0.1", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate);
    assert!(openssl.output().unwrap().status.success());
    studio.click("gateway-stop").await;
    studio.choose("gateway-address", "127.0.0.1").await;
    studio.choose("gateway-tls", "files").await;
    studio.fill("gateway-port", &port.to_string()).await;
    looks_well(studio, "gateway-files").await;
    for (file, title, path) in [
        ("certificate", "Choose the certificate", &certificate),
        ("key", "Choose its private key", &key),
    ] {
        studio.click(&format!("gateway-{file}-choose")).await;
        answer_file_dialog(title, path);
        let chosen = format!(
            "return document.querySelector('[data-testid=gateway-{file}]').value === '{}'",
            path.display()
        );
        studio.wait_for_script("the chosen file", &chosen).await;
    }
    studio.resize(860, 600).await;
    looks_well(studio, "gateway-files-small").await;
    studio.resize(1240, 800).await;
    studio.click("gateway-start").await;
    let public = "openssl x509 -noout -pubkey -in \"$0\" | openssl pkey -pubin -outform der | \
        openssl dgst -sha256 -c | sed 's/.*= //'";
    let shown = Command::new("sh")
        .args(["-c", public])
        .arg(&certificate)
        .output();
    let fingerprint = String::from_utf8(shown.unwrap().stdout).unwrap();
    let fingerprint = fingerprint.trim().to_uppercase();
    studio
        .wait_for_text(
            "gateway-fingerprint",
            "the public key's fingerprint",
            |text| text == fingerprint,
        )
        .await;
    let curl = Command::new("curl")
        .args(["--silent", "--fail", "--cacert"])
        .arg(&certificate)
        .arg(format!("https://127.0.0.1:{port}/healthz"))
        .output();
    assert!(curl.unwrap().status.success(), "others trust it");
    folder
}

/// Shows in Compose that no seat is left for a new user, and returns a link for the user. Studio shows no link
/// that would be refused.
async fn without_a_seat(prepared: &Prepared, studio: &Studio, url: &str) -> String {
    studio.click("rail-compose").await;
    studio.click("mode-new").await;
    studio.fill("field-user-id", "bob").await;
    studio
        .wait_for_text("forecast", "why not", |text| text.contains("no seats left"))
        .await;
    let bob = NewUser {
        id: UserId::parse("bob", "id").unwrap(),
        email: None,
        metadata: Metadata::default(),
    };
    let link = prepared.link(Payload::User(bob));
    let (_, query) = link.split_once('?').unwrap();
    format!("{url}?{query}")
}

#[test]
fn a_scanned_code_signs_in_and_studio_shows_it_at_once() {
    run(async {
        let prepared = Prepared::with(0);
        let directory = prepared.home.directory(&prepared.instance, "the test");
        let by = AuditContext::new(Actor::Studio, Timestamp::now());
        directory
            .unwrap()
            .set_seat_limit(Some(1), &by)
            .wait()
            .unwrap();
        let studio = prepared.open().await;
        studio.click("gateway-mark").await;
        looks_well(&studio, "gateway-off").await;
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        studio.fill("gateway-port", &port.to_string()).await;
        studio.click("gateway-start").await;
        studio
            .wait_for_text("error-listen", "why", |text| {
                text.contains("Another program listens on")
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
        studio.click("rail-settings").await;
        studio.click("section-sign-in").await;
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

        // The count changes without a click in Studio.
        studio
            .wait_for_text("seat-count", "1 of 1", |text| text.contains("1 of 1"))
            .await;
        studio.click("rail-users").await;
        let row = "return document.querySelector('[data-user-id=\"ada\"]') !== null";
        studio.wait_for_script("ada among the users", row).await;
        sessions_of_ada(&studio).await;

        returns_with_webkit(&link).await;

        let link = without_a_seat(&prepared, &studio, &url).await;
        phone.tap("Sign out").await;
        phone.says("You are signed out").await;
        phone.open(&link).await;
        let text = phone.says("There is no seat left").await;
        assert!(text.contains("Reference"), "{text}");
        phone.picture("phone-no-seat").await;
        phone.close().await;
        why_in_studio(&studio, &text).await;
        log_says_why(&prepared, &text, &link);
        with_tls(&studio, port).await;
        let _files = with_a_certificate_from_files(&studio, port).await;

        studio.click("gateway-mark").await;
        studio.click("gateway-stop").await;
        studio
            .wait_for_text("gateway-state", "off", |text| text.contains("Closed"))
            .await;
        // The rail starts it with the same options, from any screen.
        studio.click("rail-compose").await;
        studio.click("gateway-mark-start").await;
        studio
            .wait_for_text("gateway-mark", "open", |text| text.contains("open"))
            .await;
        looks_well(&studio, "gateway-from-the-rail").await;
        studio.quit().await;

        // The options are kept over a restart.
        let studio = prepared.open().await;
        studio.click("gateway-mark").await;
        studio
            .wait_for_text("gateway-state", "off", |text| text.contains("Closed"))
            .await;
        looks_well(&studio, "gateway-remembered").await;
        studio.click("gateway-mark-start").await;
        let url = format!("https://127.0.0.1:{port}/");
        studio
            .wait_for_text("gateway-state", "open", |text| text.contains(&url))
            .await;
        studio.quit().await;
    });
}
