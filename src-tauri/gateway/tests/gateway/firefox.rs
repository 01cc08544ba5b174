//! Firefox, driven by geckodriver. `cargo xtask test` installs both.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;

/// A running Firefox with a fresh profile.
pub(crate) struct Firefox {
    pub(crate) client: Client,
    driver: Child,
    _home: tempfile::TempDir,
}

impl Firefox {
    pub(crate) async fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut driver = Command::new(geckodriver())
            // Without this, the port of WebDriver BiDi would be a fixed one.
            .args(["--port=0", "--websocket-port=0", "--profile-root"])
            .arg(home.path())
            .env("HOME", home.path())
            .env("XDG_RUNTIME_DIR", home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("geckodriver is installed: `cargo xtask test` does it");
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| Some(line.split_once("Listening on ")?.1.trim().to_owned()))
            .expect("geckodriver listens");
        // Reads on, because the driver would block on a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let options = json!({ "moz:firefoxOptions": { "args": ["-headless"] } });
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(serde_json::from_value(options).unwrap());
        let client = builder.connect(&format!("http://{address}")).await.unwrap();
        Self {
            client,
            driver,
            _home: home,
        }
    }
}

fn geckodriver() -> PathBuf {
    let installed = env::var_os("LATCHKEY_INTEROP").expect("`cargo xtask test` says where");
    PathBuf::from(installed).join("geckodriver/bin/geckodriver")
}

impl Drop for Firefox {
    fn drop(&mut self) {
        // Kills the whole process group: the driver and the browser.
        let group = format!("-{}", self.driver.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.driver.wait();
    }
}
