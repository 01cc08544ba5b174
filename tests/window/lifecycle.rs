//! Tests of the window's life: one window per data folder, a question before closing, recovery
//! after a crash, and a start with lost keys.

use latchkey_store::Wait as _;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use image::GenericImageView as _;
use latchkey_core::activity::ActivityQuery;

use crate::driver::{Studio, picture_of_display};
use crate::environment::Environment;
use crate::prepared::{PASSPHRASE, Prepared};
use crate::run;
use crate::users::looks_well;
use crate::webkit::free_port;

const PATIENCE: Duration = Duration::from_mins(1);

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "{what} never came");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A Studio without WebDriver, started like by a person. Dropping it ends the process.
struct Started(Child);

impl Started {
    fn new(environment: &Environment) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_latchkey-studio"))
            .envs(environment.variables())
            .env("NO_AT_BRIDGE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    /// Returns the process that shows the page.
    fn web_process(&self) -> Option<String> {
        let output = Command::new("ps")
            .args(["--ppid", &self.0.id().to_string(), "-o", "pid=,comm="])
            .output()
            .unwrap();
        let children = String::from_utf8(output.stdout).unwrap();
        let web = children
            .lines()
            .find(|line| line.contains("WebKitWebProces"));
        web.map(|line| line.split_whitespace().next().unwrap().to_owned())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns the number of colours on the display. A blank window has few, a page with text has many.
fn colours(name: &str) -> usize {
    let path: PathBuf = picture_of_display(name);
    let picture = image::open(path).unwrap();
    let pixels = picture.pixels().map(|(_, _, pixel)| pixel.0);
    pixels.collect::<std::collections::HashSet<_>>().len()
}

fn xdotool(arguments: &[&str]) -> String {
    let output = Command::new("xdotool").args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn window() -> String {
    let found = xdotool(&["search", "--name", "^Latchkey Studio$"]);
    found.lines().next_back().unwrap_or_default().to_owned()
}

#[test]
fn the_page_is_loaded_again_when_its_web_process_dies() {
    run(async {
        let environment = Environment::without_keychain();
        let studio = Started::new(&environment);
        until("the first page", || colours("web-process-before") > 60).await;
        let shown = colours("web-process-before");
        let first = studio.web_process().expect("a web process");
        let killed = Command::new("kill").args(["-KILL", &first]).status();
        assert!(killed.unwrap().success());
        until("another web process", || {
            studio.web_process().is_some_and(|other| other != first)
        })
        .await;
        until("the page", || colours("web-process-after") * 2 > shown).await;
    });
}

#[test]
fn a_second_start_brings_the_first_window_to_the_front() {
    run(async {
        let environment = Environment::with_keychain();
        let studio = Studio::start(&environment).await;
        studio.find("door-sample").await;
        let window = window();
        xdotool(&["windowminimize", "--sync", &window]);
        let visible = || xdotool(&["search", "--onlyvisible", "--name", "^Latchkey Studio$"]);
        until("the minimized window", || visible().is_empty()).await;
        let mut second = Started::new(&environment);
        until("the end of the second one", || second.has_ended()).await;
        until("the first window", || visible() == window).await;
        studio.quit().await;
    });
}

#[test]
fn a_second_studio_without_a_session_bus_says_that_the_first_is_open() {
    run(async {
        let prepared = Prepared::with(0);
        let first = prepared.open().await;
        let second = Studio::start(&prepared.environment).await;
        second.find("start-retry").await;
        let said = second.script("return document.body.innerText").await;
        let said = said.as_str().unwrap();
        assert!(said.contains("Latchkey Studio is open already"), "{said}");
        assert!(!said.contains("Gateway"), "{said}");
        looks_well(&second, "second-studio").await;
        let lock = prepared.environment.data_dir().join("studio.lock");
        let lock = File::options().write(true).open(lock).unwrap();
        first.quit().await;
        // The program may end a moment after its window.
        until("the end of the first one", || lock.try_lock().is_ok()).await;
        drop(lock);
        second.click("start-retry").await;
        second.find("unlock-passphrase").await;
        second.quit().await;
    });
}

#[test]
fn closing_the_window_asks_while_the_gateway_is_open() {
    run(async {
        let prepared = Prepared::with(1);
        let studio = prepared.open().await;
        studio.click("gateway-mark").await;
        studio.fill("gateway-port", &free_port().to_string()).await;
        studio.click("gateway-start").await;
        studio
            .wait_for_text("gateway-state", "open", |text| text.contains("Open at"))
            .await;
        let window = window();
        let close = || xdotool(&["windowfocus", "--sync", &window, "key", "alt+F4"]);
        close();
        let said = studio.text("close-dialog").await;
        assert!(said.contains("The gateway of Sample is open"), "{said}");
        assert!(said.contains("Nobody is signed in there"), "{said}");
        looks_well(&studio, "close-gateway").await;
        studio.click("close-keep").await;
        studio
            .wait_for_text("gateway-state", "still open", |text| {
                text.contains("Open at")
            })
            .await;
        close();
        studio.find("close-stop").await;
        // The session ends with the window, so its answer does not always arrive.
        let stop = "document.querySelector('[data-testid=close-stop]').click(); return true";
        let _ = studio.client.execute(stop, Vec::new()).await;
        until("the end of the window", || {
            xdotool(&["search", "--name", "^Latchkey Studio$"]).is_empty()
        })
        .await;
    });
}

#[test]
fn a_signal_to_end_stops_the_gateway_and_records_it() {
    run(async {
        let prepared = Prepared::with(1);
        let studio = prepared.open().await;
        studio.click("gateway-mark").await;
        studio.fill("gateway-port", &free_port().to_string()).await;
        studio.click("gateway-start").await;
        studio
            .wait_for_text("gateway-state", "open", |text| text.contains("Open at"))
            .await;
        let status = Command::new("kill").arg(studio.process()).status();
        assert!(status.unwrap().success());
        until("the end of the window", || {
            xdotool(&["search", "--name", "^Latchkey Studio$"]).is_empty()
        })
        .await;
        // Studio holds the directory until it ends.
        let directory = async {
            loop {
                let opened = prepared.home.directory(&prepared.instance, "the test");
                match opened {
                    Ok(directory) => break directory,
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            }
        };
        let directory = tokio::time::timeout(PATIENCE, directory).await.unwrap();
        let page = directory
            .activity(&ActivityQuery::default(), None, 1)
            .wait();
        assert_eq!(
            page.unwrap().entries[0].event.data.code(),
            "gateway_stopped"
        );
    });
}

#[test]
fn a_forgotten_passphrase_leads_to_new_keys_and_a_first_link() {
    run(async {
        let prepared = Prepared::with(3);
        let studio = Studio::start(&prepared.environment).await;
        studio.fill("unlock-passphrase", "what was it").await;
        studio.click("unlock-submit").await;
        studio.find("error-passphrase").await;
        looks_well(&studio, "unlock-forgotten").await;
        studio.click("start-anew").await;
        let lost = studio.text("lost-secrets").await;
        assert!(lost.contains("Sample"), "{lost}");
        looks_well(&studio, "start-anew").await;
        studio.resize(860, 600).await;
        looks_well(&studio, "start-anew-small").await;
        studio.resize(1240, 800).await;
        let other = "tulips behind nine windmills";
        studio.fill("passphrase", other).await;
        studio.fill("passphrase-again", other).await;
        studio.click("passphrase-submit").await;
        studio
            .wait_for_text("toast", "what is missing", |text| text.contains("Sample"))
            .await;
        looks_well(&studio, "started-anew").await;
        studio.click("rail-settings").await;
        studio.click("secret-replace").await;
        studio.click("secret-generate").await;
        studio.click("replace-submit").await;
        studio.click("rail-users").await;
        studio
            .wait_for_text("screen-note", "the users", |text| text.contains('3'))
            .await;
        studio.click("rail-compose").await;
        studio.click("mode-new").await;
        studio.fill("field-user-id", "ada").await;
        studio.find("link").await;
        studio.quit().await;

        // The file is moved away and then restored.
        let (file, elsewhere) = ["keys.sealed", "elsewhere"]
            .map(|name| prepared.environment.data_dir().join(name))
            .into();
        std::fs::rename(&file, &elsewhere).unwrap();
        let studio = Studio::start(&prepared.environment).await;
        studio.find("start-anew").await;
        looks_well(&studio, "keys-missing").await;
        std::fs::rename(&elsewhere, &file).unwrap();
        studio.click("keys-retry").await;
        studio.fill("unlock-passphrase", other).await;
        studio.click("unlock-submit").await;
        studio.find("mode-existing").await;
        studio.quit().await;
        assert_ne!(other, PASSPHRASE);
    });
}
