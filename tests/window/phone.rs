//! A phone: Chromium with a phone's screen, driven as a person would.

use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;

use crate::driver::{free_port, picture};

pub(crate) struct Phone {
    client: Client,
    driver: Child,
    _profile: tempfile::TempDir,
}

impl Phone {
    pub(crate) async fn start() -> Self {
        let (port, profile) = (free_port(), tempfile::tempdir().unwrap());
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("chromedriver is installed: `cargo xtask test` does it");
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let folder = format!("--user-data-dir={}", profile.path().display());
        let screen = json!({ "width": 390, "height": 844, "pixelRatio": 2.0 });
        let capabilities = json!({ "goog:chromeOptions": {
            "args": ["--headless=new", "--no-sandbox", "--disable-gpu", folder],
            "mobileEmulation": { "deviceMetrics": screen },
        }});
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

    pub(crate) async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// What stands in the address bar.
    pub(crate) async fn address(&self) -> String {
        self.client.current_url().await.unwrap().into()
    }

    /// What is read on the page, once it says what is waited for.
    pub(crate) async fn says(&self, wanted: &str) -> String {
        let mut text = String::new();
        for _ in 0..300 {
            // While a page goes and another one comes there is no body.
            if let Ok(body) = self.client.find(Locator::Css("body")).await {
                text = body.text().await.unwrap_or_default();
            }
            if text.contains(wanted) {
                return text;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the phone does not say '{wanted}' but: {text}");
    }

    pub(crate) async fn tap(&self, button: &str) {
        let path = format!("//button[contains(., '{button}')]");
        let found = self.client.find(Locator::XPath(&path)).await.unwrap();
        found.click().await.unwrap();
    }

    pub(crate) async fn picture(&self, name: &str) -> PathBuf {
        let path = picture(name);
        let png = self.client.screenshot().await.unwrap();
        std::fs::write(&path, png).unwrap();
        path
    }

    pub(crate) async fn close(self) {
        let _ = self.client.clone().close().await;
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        // The whole group: the driver and the browser.
        let group = format!("-{}", self.driver.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.driver.wait();
    }
}
