//! A page of another site, the gateway whose widget is in it, and a real browser that looks at both.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, Locator};
use latchkey_core::code::ExternalAuthCode;
use latchkey_core::instance::Settings;
use latchkey_core::link::BaseUrl;
use latchkey_core::return_address::WebOrigin;
use latchkey_core::widget;
use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::serving::Running;
use crate::site::Site;

/// The bubble, for a script.
pub(crate) const BUBBLE: &str =
    "document.querySelector('latchkey-widget')?.shadowRoot.querySelector('button')";
/// The frame, for a script.
pub(crate) const FRAME: &str =
    "document.querySelector('latchkey-widget')?.shadowRoot.querySelector('iframe')";

/// A site with one page.
pub(crate) struct Host {
    address: SocketAddr,
    /// The page, and its policy.
    page: Arc<Mutex<(String, String)>>,
}

impl Host {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let page = Arc::new(Mutex::new((String::new(), String::new())));
        let shown = Arc::clone(&page);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                while let Some(Ok(line)) = lines.next()
                    && !line.is_empty()
                {}
                let (page, policy) = shown.lock().unwrap().clone();
                let _ = write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\
                     Content-Security-Policy: {policy}\r\nContent-Length: {}\r\n\
                     Connection: close\r\n\r\n{page}",
                    page.len()
                );
            }
        });
        Self { address, page }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Shows what stands in the body. Nothing is allowed to it but what a widget needs.
    fn shows(&self, gateway: &str, body: &str) {
        let page = format!(
            "<!doctype html><html lang=en><meta name=viewport content='width=device-width'>\
             <title>A page</title><body><h1>A page of another site</h1>\
             <button id=other>Its own button</button>{body}</body></html>"
        );
        let policy = format!("default-src 'none'; script-src {gateway}; frame-src {gateway}");
        *self.page.lock().unwrap() = (page, policy);
    }
}

/// An instance, its gateway, a page of another site, and a browser.
pub(crate) struct Scene {
    pub(crate) site: Site,
    running: Running,
    pub(crate) host: Host,
    /// The gateway's address, as the page names it: another site than the page's.
    pub(crate) gateway: String,
    browser: Chromium,
}

/// How a browser says what it did not like.
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
        let host = Host::new();
        let site = Site::with("acme", |settings| {
            settings.url = BaseUrl::parse("http://localhost:8787/").unwrap();
            settings.visiting.embed_in = vec![WebOrigin::parse(&host.origin()).unwrap()];
            change(settings);
        });
        let running = Running::new(&site);
        let gateway = format!("http://{name}:{}", running.address.port());
        let browser = Chromium::start(arguments, options).await;
        Self {
            site,
            running,
            host,
            gateway,
            browser,
        }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.browser.client
    }

    /// The tag as an administrator copies it.
    pub(crate) fn tag(&self, code: &str) -> String {
        let base = BaseUrl::parse(&self.gateway).unwrap();
        widget::tag(&base, &ExternalAuthCode::from_text(code.to_owned()))
    }

    /// Opens a page with this in its body.
    pub(crate) async fn open(&self, body: &str) {
        self.host.shows(&self.gateway, body);
        self.client().goto(&self.host.origin()).await.unwrap();
    }

    /// The bubble, once it is there.
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
        for _ in 0..400 {
            if self.script(script).await == json!(true) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("waited in vain for {what}; {:?}", self.log().await);
    }

    /// Goes on inside the frame.
    pub(crate) async fn enter(&self) {
        let frame = self.element(&format!("return {FRAME}")).await;
        frame.enter_frame().await.unwrap();
    }

    pub(crate) async fn leave(&self) {
        self.client().clone().enter_parent_frame().await.unwrap();
    }

    /// What is read in the frame, once it says what is waited for. One has to be inside.
    pub(crate) async fn says(&self, wanted: &str) -> String {
        let mut text = String::new();
        for _ in 0..200 {
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

    pub(crate) async fn tap(&self, button: &str) {
        let found = self.client().find(Locator::Css(button)).await.unwrap();
        found.click().await.unwrap();
    }

    /// Has the page begin a call; `outcome` says what became of it.
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

    /// What stands in the browser's console since it was read last.
    pub(crate) async fn log(&self) -> Vec<String> {
        let entries = self.client().issue_cmd(Log).await.unwrap();
        let entries = entries.as_array().unwrap().iter();
        entries
            .map(|entry| entry["message"].as_str().unwrap().to_owned())
            .collect()
    }

    pub(crate) async fn picture(&self, name: &str) {
        // A picture is of what is painted, and the frame moves for a moment.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        let png = self.client().screenshot().await.unwrap();
        std::fs::write(folder.join(format!("{name}.png")), png).unwrap();
    }

    pub(crate) async fn end(self) {
        let _ = self.client().clone().close().await;
        self.running.end();
    }
}

/// Runs a test, with an end.
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
