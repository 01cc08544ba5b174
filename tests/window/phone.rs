//! A phone, driven like a person: Chromium with the screen of a phone, or a browser with the engine
//! of Safari.

use std::any::Any;
use std::path::PathBuf;
use std::time::Duration;

use fantoccini::{Client, Locator};
use serde_json::json;

use crate::chromium::Chromium;
use crate::driver::picture;
use crate::environment::Environment;
use crate::webkit::browser;

pub(crate) struct Phone {
    client: Client,
    /// The browser, which ends with this value.
    _browser: Box<dyn Any>,
}

impl Phone {
    pub(crate) async fn start() -> Self {
        let screen = json!({ "width": 390, "height": 844, "pixelRatio": 2.0 });
        let options = json!({ "mobileEmulation": { "deviceMetrics": screen } });
        let chromium = Chromium::start(&[], options).await;
        Self {
            client: chromium.client.clone(),
            _browser: Box::new(chromium),
        }
    }

    pub(crate) async fn start_webkit() -> Self {
        let environment = Environment::without_keychain();
        let (client, driver) = browser(&environment.variables()).await;
        client.set_window_size(390, 844).await.unwrap();
        Self {
            client,
            _browser: Box::new((driver, environment)),
        }
    }

    pub(crate) async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// Returns the address in the address bar.
    pub(crate) async fn address(&self) -> String {
        self.client.current_url().await.unwrap().into()
    }

    /// Waits until the text of the page contains `wanted`, and returns it.
    pub(crate) async fn says(&self, wanted: &str) -> String {
        let mut text = String::new();
        for _ in 0..300 {
            // Between two pages there is no body.
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
        let _ = self.client.close().await;
    }
}
