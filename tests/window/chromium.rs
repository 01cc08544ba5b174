//! Chromium, driven by chromedriver. `cargo xtask test` installs both.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

/// Starts the driver. Returns it and its port.
///
/// The driver takes a free port of IPv6 and then the same port of IPv4. Another test may hold that,
/// which ends the driver, so the start is repeated.
fn start_driver() -> (Child, u16) {
    let mut ends = Vec::new();
    while ends.len() < 20 {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("chromedriver is installed: `cargo xtask test` does it");
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.map_while(Result::ok).find_map(|line| {
            let port = line.split("started successfully on port ").nth(1)?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        if let Some(port) = port {
            return (driver, port);
        }
        ends.push(driver.wait().unwrap());
    }
    panic!("chromedriver does not listen: {ends:?}");
}

/// User agent of a Chromium with a window. The agent of a headless Chromium says that it is
/// headless, so the gateway would treat it as a program.
const PERSON: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
    Chrome/140.0.0.0 Safari/537.36";

/// A running Chromium with a fresh profile.
pub(crate) struct Chromium {
    pub(crate) client: Client,
    driver: Child,
    _profile: tempfile::TempDir,
}

impl Chromium {
    /// Starts Chromium with arguments, and with further options for its driver.
    pub(crate) async fn start(arguments: &[&str], mut options: Value) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let (driver, port) = start_driver();
        let folder = format!("--user-data-dir={}", profile.path().display());
        let agent = format!("--user-agent={PERSON}");
        let own = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            &folder,
            &agent,
        ];
        options["args"] = json!([&own[..], arguments].concat());
        let capabilities = json!({
            "goog:chromeOptions": options,
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(serde_json::from_value(capabilities).unwrap());
        let address = format!("http://127.0.0.1:{port}");
        let client = builder.connect(&address).await.unwrap();
        Self {
            client,
            driver,
            _profile: profile,
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // Kills the whole process group: the driver and the browser.
        let group = format!("-{}", self.driver.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.driver.wait();
    }
}
