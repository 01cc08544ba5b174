//! Programs that show pages by `WebKitGTK`, driven by its WebDriver. `cargo xtask test` installs
//! it.

use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;

/// Path of the browser that comes with `WebKitGTK`, the library of Studio's window.
const MINI_BROWSER: &str = "webkit2gtk-4.1/MiniBrowser";

/// A running WebDriver with the program that it has started.
pub(crate) struct Driver(Child);

/// Begins a session with a program that shows pages by WebKit.
pub(crate) async fn session(
    program: &str,
    arguments: &[&str],
    variables: &[(&str, String)],
) -> Result<(Client, Driver), Box<dyn std::error::Error>> {
    let port = free_port();
    let driver = Driver::start(port, variables);
    let options = json!({ "binary": program, "args": arguments });
    // The servers of the tests have self-signed certificates.
    let capabilities = json!({ "webkitgtk:browserOptions": options, "acceptInsecureCerts": true });
    let mut builder = ClientBuilder::new(HttpConnector::new());
    builder.capabilities(serde_json::from_value(capabilities)?);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let client = builder.connect(&format!("http://127.0.0.1:{port}")).await?;
    Ok((client, driver))
}

/// Starts the browser of `WebKitGTK`.
pub(crate) async fn browser(variables: &[(&str, String)]) -> (Client, Driver) {
    let program = mini_browser();
    // A session without a response is abandoned and repeated, like that of Studio.
    for _ in 0..6 {
        let begun = session(&program, &["--automation"], variables);
        let begun = tokio::time::timeout(Duration::from_secs(30), begun).await;
        if let Ok(Ok(begun)) = begun {
            return begun;
        }
    }
    panic!("no session could be begun");
}

impl Driver {
    fn start(port: u16, variables: &[(&str, String)]) -> Self {
        let driver = Command::new("WebKitWebDriver")
            .arg("--host=127.0.0.1")
            .arg(format!("--port={port}"))
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .env("NO_AT_BRIDGE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("WebKitWebDriver is installed: `cargo xtask test` does it");
        Self(driver)
    }

    /// Returns the process group of the driver, the program and its web processes.
    #[allow(dead_code, reason = "the gateway's tests use the rest")]
    pub(crate) fn group(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.0.wait();
    }
}

/// Returns the path of the browser beside the library.
fn mini_browser() -> String {
    let folders = std::fs::read_dir("/usr/lib").unwrap();
    let mut found = folders.map(|folder| folder.unwrap().path().join(MINI_BROWSER));
    let found = found.find(|path| path.is_file());
    let found = found.expect("libwebkit2gtk is installed: `cargo xtask test` does it");
    found.to_str().unwrap().to_owned()
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
