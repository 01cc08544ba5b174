//! Tests of single-use links in a real browser.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fantoccini::{Client, Locator};
use latchkey_core::protocol::claims::Registered;
use latchkey_core::protocol::uses::Uses;
use serde_json::json;

use crate::browser::{Browser, Engine};
use crate::scene::{Scene, run};

/// Returns a single-use link for a new user, at an address of the gateway.
fn link(scene: &Scene, gateway: &str) -> String {
    let registered = Registered {
        id: Some("once".into()),
        uses: Uses::ONCE,
        ..Registered::default()
    };
    let payload = r#"{"user":{"id":"ada","name":"Ada Lovelace"}}"#;
    let code = scene.served.site.code_with(payload, registered);
    format!("{gateway}/?externalAuthCode={code}")
}

/// Waits until the text of the page contains `wanted`, and returns it.
async fn reads(client: &Client, wanted: &str) -> String {
    let mut text = String::new();
    for _ in 0..1200 {
        if let Ok(body) = client.find(Locator::Css("body")).await {
            text = body.text().await.unwrap_or_default();
        }
        if text.contains(wanted) {
            return text;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the page does not say '{wanted}' but: {text}");
}

/// A proxy that holds back the response to the first form until a second form was sent.
struct SlowWay {
    gateway: SocketAddr,
    sent: AtomicUsize,
    answered: AtomicUsize,
}

impl SlowWay {
    /// Starts the proxy. Returns it and its address.
    fn start(gateway: SocketAddr) -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let way = Arc::new(Self {
            gateway,
            sent: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
        });
        let passes = Arc::clone(&way);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let way = Arc::clone(&passes);
                // Ignores errors, because a browser may close a connection at any time.
                thread::spawn(move || way.pass(client).ok());
            }
        });
        (way, address)
    }

    /// Forwards one request with an empty body.
    fn pass(&self, mut client: TcpStream) -> std::io::Result<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            client.read_exact(&mut byte)?;
            head.extend(byte);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let lines = head.trim_end().lines();
        let lines = lines.filter(|line| !line.to_lowercase().starts_with("connection:"));
        let head = lines.collect::<Vec<_>>().join("\r\n");
        let form = head
            .starts_with("POST ")
            .then(|| self.sent.fetch_add(1, Ordering::SeqCst));
        if form.is_some_and(|form| form > 0) {
            wait_for(&self.answered, 1);
        }
        let mut gateway = TcpStream::connect(self.gateway)?;
        write!(gateway, "{head}\r\nConnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        gateway.read_to_end(&mut answer)?;
        if form.is_some() {
            self.answered.fetch_add(1, Ordering::SeqCst);
        }
        if form == Some(0) {
            wait_for(&self.sent, 2);
        }
        client.write_all(&answer)
    }
}

/// Waits until a counter reaches a number, for 30 seconds at most.
fn wait_for(count: &AtomicUsize, wanted: usize) {
    let end = Instant::now() + Duration::from_secs(30);
    while count.load(Ordering::SeqCst) < wanted && Instant::now() < end {
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_double_click_on_continue_of_a_single_use_link_signs_in() {
    for engine in [Engine::Chromium, Engine::Firefox] {
        println!("{engine:?}");
        run(async {
            let scene = Scene::of(engine).await;
            let gateway = scene.served.gateway.rsplit_once(':').unwrap().1;
            let gateway = SocketAddr::from(([127, 0, 0, 1], gateway.parse().unwrap()));
            let (way, address) = SlowWay::start(gateway);
            let link = link(&scene, &address);
            scene.client().goto(&link).await.unwrap();
            reads(scene.client(), "Continue as Ada Lovelace").await;
            // Clicks by script, because a click of the driver waits for the next page.
            let clicks = "const button = document.querySelector('button.primary');
                setInterval(() => button.click(), 300); return true";
            scene.script(clicks).await;
            reads(scene.client(), "You are signed in").await;
            assert!(way.answered.load(Ordering::SeqCst) >= 2, "one click");
            // Opening the link once more leads to its page.
            scene.client().goto(&link).await.unwrap();
            reads(scene.client(), "You are signed in").await;
            scene.end().await;
        });
    }
}

#[test]
fn a_browser_that_blocks_cookies_says_so_and_the_link_works_in_another_one() {
    run(async {
        let blocked = json!({ "prefs": { "profile.default_content_setting_values.cookies": 2 } });
        let scene = Scene::with(|_| {}, "localhost", &[], blocked).await;
        let link = link(&scene, &scene.served.gateway);
        scene.client().goto(&link).await.unwrap();
        reads(scene.client(), "Continue as Ada Lovelace").await;
        scene.tap("button.primary").await;
        let text = reads(scene.client(), "Your browser keeps no cookies here").await;
        assert!(text.contains("Your link was not used"), "{text}");
        assert!(!scene.served.site.has_user("ada"));
        scene.picture("cookies-blocked").await;

        let other = Browser::start(Engine::Chromium).await;
        other.client.goto(&link).await.unwrap();
        let button = other.client.find(Locator::Css("button.primary")).await;
        button.unwrap().click().await.unwrap();
        reads(&other.client, "You are signed in").await;
        assert!(scene.served.site.has_user("ada"));
        let _ = other.client.clone().close().await;
        scene.end().await;
    });
}
