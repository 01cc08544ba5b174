//! A phone: Chromium with a phone's screen, driven as a person would.

use std::path::PathBuf;
use std::time::Duration;

use fantoccini::Locator;
use serde_json::json;

use crate::chromium::Chromium;
use crate::driver::picture;

pub(crate) struct Phone(Chromium);

impl Phone {
    pub(crate) async fn start() -> Self {
        let screen = json!({ "width": 390, "height": 844, "pixelRatio": 2.0 });
        let options = json!({ "mobileEmulation": { "deviceMetrics": screen } });
        Self(Chromium::start(&[], options).await)
    }

    pub(crate) async fn open(&self, url: &str) {
        self.0.client.goto(url).await.unwrap();
    }

    /// What stands in the address bar.
    pub(crate) async fn address(&self) -> String {
        self.0.client.current_url().await.unwrap().into()
    }

    /// What is read on the page, once it says what is waited for.
    pub(crate) async fn says(&self, wanted: &str) -> String {
        let mut text = String::new();
        for _ in 0..300 {
            // While a page goes and another one comes there is no body.
            if let Ok(body) = self.0.client.find(Locator::Css("body")).await {
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
        let found = self.0.client.find(Locator::XPath(&path)).await.unwrap();
        found.click().await.unwrap();
    }

    pub(crate) async fn picture(&self, name: &str) -> PathBuf {
        let path = picture(name);
        let png = self.0.client.screenshot().await.unwrap();
        std::fs::write(&path, png).unwrap();
        path
    }

    pub(crate) async fn close(self) {
        self.0.close().await;
    }
}
