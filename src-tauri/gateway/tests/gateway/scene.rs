//! A page of another site, a gateway whose widget is in that page, and a real browser.

use std::path::Path;
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, Locator};
use latchkey_core::instance::Settings;
use latchkey_core::link::BaseUrl;
use latchkey_core::link::widget;
use latchkey_core::protocol::code::ExternalAuthCode;
use latchkey_core::session::return_address::WebOrigin;
use serde_json::{Value, json};

use crate::browser::{Browser, Engine};
use crate::host::{Host, Page};
use crate::serving::Running;
use crate::site::Site;

/// Script expression for the bubble.
pub(crate) const BUBBLE: &str =
    "document.querySelector('latchkey-widget')?.shadowRoot.querySelector('button')";
/// Script expression for the frame.
pub(crate) const FRAME: &str =
    "document.querySelector('latchkey-widget')?.shadowRoot.querySelector('iframe')";

/// An instance and its running gateway.
pub(crate) struct Served {
    pub(crate) site: Site,
    running: Running,
    /// Address of the gateway, as a page names it.
    pub(crate) gateway: String,
}

impl Served {
    /// Serves an instance that allows the pages of a host to show the widget.
    fn start(host: &Host, base: &str, change: impl FnOnce(&mut Settings)) -> Self {
        let site = Site::with("acme", |settings| {
            settings.url = BaseUrl::parse(base).unwrap();
            settings.visiting.embed_in = vec![WebOrigin::parse(&host.origin()).unwrap()];
            change(settings);
        });
        let running = if site.settings.url.is_https() {
            Running::with_tls(&site)
        } else {
            Running::new(&site)
        };
        let gateway = format!("{base}:{}", running.address.port());
        Self {
            site,
            running,
            gateway,
        }
    }

    /// Returns the tag as an administrator copies it.
    pub(crate) fn tag(&self, code: &str) -> String {
        let base = BaseUrl::parse(&self.gateway).unwrap();
        widget::tag(&base, &ExternalAuthCode::from_text(code.to_owned()))
    }

    pub(crate) fn end(self) {
        self.running.end();
    }
}

/// A gateway, a page of another site, and a browser.
pub(crate) struct Scene {
    pub(crate) served: Served,
    pub(crate) host: Host,
    browser: Browser,
}

/// WebDriver command that reads the console of the browser.
#[derive(Debug)]
struct Log;

impl WebDriverCompatibleCommand for Log {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap()))
    }

    fn method_and_body(&self, _: &url::Url) -> (axum::http::Method, Option<String>) {
        let body = json!({ "type": "browser" });
        (axum::http::Method::POST, Some(body.to_string()))
    }
}

impl Scene {
    pub(crate) async fn new(arguments: &[&str], options: Value) -> Self {
        Self::with(|_| {}, "localhost", arguments, options).await
    }

    pub(crate) async fn with(
        change: impl FnOnce(&mut Settings),
        name: &str,
        arguments: &[&str],
        options: Value,
    ) -> Self {
        let browser = Browser::chromium(arguments, options).await;
        let host = Host::new("127.0.0.1");
        Self {
            served: Served::start(&host, &format!("http://{name}"), change),
            host,
            browser,
        }
    }

    /// Starts a scene in a browser of an engine.
    pub(crate) async fn of(engine: Engine) -> Self {
        let browser = Browser::start(engine).await;
        let (host, base) = match engine {
            Engine::Chromium | Engine::Firefox => ("127.0.0.1", "http://localhost"),
            // WebKit keeps the frame's cookies only over HTTPS, and only if page and frame are of
            // the same site.
            Engine::WebKit => ("localhost", "https://localhost"),
        };
        let host = Host::new(host);
        Self {
            served: Served::start(&host, base, |_| {}),
            host,
            browser,
        }
    }

    /// Serves another instance, which allows the same page.
    pub(crate) fn another(&self) -> Served {
        let (base, _) = self.served.gateway.rsplit_once(':').unwrap();
        Served::start(&self.host, base, |_| {})
    }

    pub(crate) fn client(&self) -> &Client {
        &self.browser.client
    }

    /// Opens a page with this body.
    pub(crate) async fn open(&self, body: &str) {
        let page = Page {
            body,
            ..Page::default()
        };
        self.open_page(&page, &[]).await;
    }

    /// Opens a page whose policy also allows other gateways.
    pub(crate) async fn open_page(&self, page: &Page<'_>, others: &[&Served]) {
        let mut gateways = self.served.gateway.clone();
        for other in others {
            gateways.push(' ');
            gateways.push_str(&other.gateway);
        }
        self.host.shows(&gateways, page);
        self.client().goto(&self.host.origin()).await.unwrap();
    }

    /// Waits for the bubble, and returns it.
    pub(crate) async fn bubble(&self) -> Element {
        self.until(
            "the bubble",
            &format!("return {BUBBLE}?.checkVisibility() === true"),
        )
        .await;
        self.element(&format!("return {BUBBLE}")).await
    }

    async fn element(&self, script: &str) -> Element {
        let found = self.script(script).await;
        let id = found
            .as_object()
            .unwrap()
            .values()
            .next()
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned();
        Element::from_element_id(self.client().clone(), id.into())
    }

    pub(crate) async fn script(&self, script: &str) -> Value {
        self.client().execute(script, Vec::new()).await.unwrap()
    }

    pub(crate) async fn until(&self, what: &str, script: &str) {
        for _ in 0..1200 {
            if self.script(script).await == json!(true) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("waited in vain for {what}; {:?}", self.log().await);
    }

    /// Switches to the frame.
    pub(crate) async fn enter(&self) {
        let frame = self.element(&format!("return {FRAME}")).await;
        frame.enter_frame().await.unwrap();
    }

    pub(crate) async fn leave(&self) {
        self.client().clone().enter_parent_frame().await.unwrap();
    }

    /// Waits until the text of the frame contains `wanted`, and returns it. Must be called inside
    /// the frame.
    pub(crate) async fn says(&self, wanted: &str) -> String {
        let mut text = String::new();
        for _ in 0..1200 {
            if let Ok(body) = self.client().find(Locator::Css("#content")).await {
                text = body.text().await.unwrap_or_default();
            }
            if text.contains(wanted) {
                return text;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the frame does not say '{wanted}' but: {text}");
    }

    /// Returns the text of the frame, open or not, once it contains `wanted`.
    pub(crate) async fn holds(&self, wanted: &str) -> String {
        self.enter().await;
        let shown = "return document.querySelector('section:not([hidden])')?.textContent";
        let mut text = String::new();
        for _ in 0..1200 {
            let shown = self.client().execute(shown, Vec::new()).await;
            text = shown.map_or_else(|cause| cause.to_string(), |shown| shown.to_string());
            if text.contains(wanted) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.leave().await;
        assert!(text.contains(wanted), "not '{wanted}' but: {text}");
        text
    }

    pub(crate) async fn tap(&self, button: &str) {
        let found = self.client().find(Locator::Css(button)).await.unwrap();
        found.click().await.unwrap();
    }

    /// Begins a call in the page. Its result is read by `outcome`.
    pub(crate) async fn begin(&self, call: &str) {
        self.script(&format!(
            "window.outcome = null;
             Latchkey.{call}.then((user) => (window.outcome = {{ user }}),
                ({{ code, message, reference }}) => (window.outcome = {{ code, message, reference }}));
             return true"
        ))
        .await;
    }

    pub(crate) async fn outcome(&self) -> Value {
        self.until("an outcome", "return window.outcome !== null")
            .await;
        self.script("return window.outcome").await
    }

    pub(crate) async fn call(&self, call: &str) -> Value {
        self.begin(call).await;
        self.outcome().await
    }

    /// Returns the errors that the page's scripts have written to the console.
    pub(crate) async fn errors(&self) -> String {
        let errors = self.script("return window.errors").await;
        let errors = errors.as_array().unwrap().iter();
        let errors = errors.map(|error| error.as_str().unwrap());
        errors.collect::<Vec<_>>().join("\n")
    }

    /// Returns the new entries of Chromium's console, or the errors of the page in other browsers.
    pub(crate) async fn log(&self) -> Vec<String> {
        if self.browser.engine != Engine::Chromium {
            return vec![self.errors().await];
        }
        let entries = self.client().issue_cmd(Log).await.unwrap();
        let entries = entries.as_array().unwrap().iter();
        entries
            .map(|entry| entry["message"].as_str().unwrap().to_owned())
            .collect()
    }

    pub(crate) async fn picture(&self, name: &str) {
        // Waits, because a picture shows what is painted, and the frame is still moving.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        let png = self.client().screenshot().await.unwrap();
        std::fs::write(folder.join(format!("{name}.png")), png).unwrap();
    }

    pub(crate) async fn end(self) {
        let _ = self.client().clone().close().await;
        self.served.end();
    }
}

/// Runs a test with a timeout.
pub(crate) fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let ended = tokio::time::timeout(Duration::from_mins(3), test).await;
        ended.expect("the test ended within three minutes");
    });
}
