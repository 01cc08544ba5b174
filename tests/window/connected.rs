//! Studio on one computer, the gateway on another: the whole tour over the wire, and what the window
//! says when the cable is cut, the key is revoked or the certificate is replaced.

use std::time::{Duration, Instant};

use crate::driver::{Studio, clipboard};
use crate::environment::Environment;
use crate::run;
use crate::server::Server;
use crate::wire::Wire;

const PEOPLE: [(&str, &str); 4] = [
    ("ada", "ada@acme.example"),
    ("alan", "alan@acme.example"),
    ("grace", "grace@acme.example"),
    ("radia", "radia@acme.example"),
];

/// Time for which the cable is cut. `LATCHKEY_CUT_SECS` sets another one.
fn outage() -> Duration {
    let secs = std::env::var("LATCHKEY_CUT_SECS");
    Duration::from_secs(secs.map_or(3, |secs| secs.parse().unwrap()))
}

/// Maximum time after which the window says that the gateway does not answer any more, although no
/// connection was closed.
const SILENCE: Duration = Duration::from_secs(30);

struct Tour {
    studio: Studio,
    server: Server,
    wire: Wire,
    found: Vec<String>,
}

impl Tour {
    async fn start() -> Self {
        let server = Server::start(&PEOPLE);
        let wire = Wire::to(server.admin);
        let environment = Environment::with_keychain();
        let studio = Studio::start(&environment).await;
        // The keychain belongs to the tour, which lasts as long as the process.
        std::mem::forget(environment);
        Self {
            studio,
            server,
            wire,
            found: Vec::new(),
        }
    }

    /// Takes a picture and lets axe-core look. With `LATCHKEY_PICTURES` takes all pictures.
    async fn look(&mut self, state: &str) {
        let rest = "return document.getAnimations().every((one) => one.playState !== 'running')";
        self.studio.wait_for_script("rest", rest).await;
        self.studio.screenshot(&format!("connected-{state}"));
        let said = self.studio.axe().await;
        let said = said.into_iter().map(|one| format!("{state}: {one}"));
        self.found.extend(said);
        if std::env::var_os("LATCHKEY_PICTURES").is_none() {
            return;
        }
        let theme =
            |name: &str| format!("document.documentElement.dataset.theme = '{name}'; return true");
        let text = |percent: u16| {
            format!("document.documentElement.style.fontSize = '{percent}%'; return true")
        };
        self.studio.script(&theme("dark")).await;
        self.studio.screenshot(&format!("connected-{state}-dark"));
        let said = self.studio.axe().await;
        let said = said.into_iter().map(|one| format!("{state}, dark: {one}"));
        self.found.extend(said);
        self.studio.script(&theme("light")).await;
        self.studio.script(&text(200)).await;
        self.studio.screenshot(&format!("connected-{state}-200"));
        self.studio.script(&text(100)).await;
        self.studio.resize(860, 600).await;
        self.studio.screenshot(&format!("connected-{state}-small"));
        self.studio.resize(1_240, 800).await;
    }

    async fn connect(&mut self) {
        let string = self.server.connection_string("laptop", self.wire.address);
        self.studio.click("door-gateway").await;
        self.look("door").await;
        self.studio
            .fill("gateway-text", string.get(..40).unwrap())
            .await;
        self.studio.find("error-connection").await;
        self.look("string-cut-off").await;
        self.studio.fill("gateway-text", &string).await;
        let parts = self.studio.text("gateway-parts").await;
        assert!(parts.contains(&self.wire.address.to_string()), "{parts}");
        assert!(parts.contains("acme"), "{parts}");
        self.look("string").await;
        self.studio.click("gateway-connect").await;
        self.studio.find("mode-existing").await;
        let place = format!("on {}", self.wire.address);
        let rail = self.studio.text("instance-switcher").await;
        assert!(rail.contains(&place), "{rail}");
        self.studio
            .wait_for_text("gateway-mark", "connected", |said| {
                said.contains("connected")
            })
            .await;
        self.look("compose-empty").await;
    }

    async fn compose(&mut self) {
        self.studio.fill("field-person", "ada@acme.example").await;
        self.studio
            .wait_for_text("forecast", "says who signs in", |said| {
                said.contains("Signs in ada")
            })
            .await;
        let outline = self.studio.text("link-outline").await;
        assert!(outline.contains("signature follows"), "{outline}");
        self.studio.find("qr-unsigned").await;
        self.look("compose").await;
        self.studio.click("copy-link").await;
        let link = self.studio.text("link").await;
        assert_eq!(clipboard(), link);
        self.studio.find("qr").await;
        self.look("compose-signed").await;
        // The gateway takes the link that it has signed.
        let inspected = self.server.run(&["inspect", "--instance", "acme", &link]);
        assert!(inspected.contains("verifies, for ada"), "{inspected}");
    }

    async fn users(&mut self) {
        self.studio.click("rail-users").await;
        self.studio
            .wait_for_text("users-table", "shows all", |said| {
                PEOPLE.iter().all(|(id, _)| said.contains(id))
            })
            .await;
        self.look("users").await;
        self.studio
            .script("[...document.querySelectorAll('[data-testid=user-row]')].find((row) => row.textContent.includes('grace')).click(); return true")
            .await;
        self.studio.click("user-suspend").await;
        self.studio
            .wait_for_text("user-status", "is suspended", |said| said == "Suspended")
            .await;
        let shown = self
            .server
            .run(&["users", "show", "grace", "--instance", "acme"]);
        assert!(shown.contains("suspended"), "{shown}");
        self.look("user-suspended").await;
        // A change that somebody else makes on the server appears by itself.
        self.server
            .run(&["users", "reactivate", "grace", "--instance", "acme"]);
        self.studio
            .wait_for_text("user-status", "is active", |said| said == "Has a seat")
            .await;
    }

    async fn inspect(&mut self) {
        let link = self
            .server
            .run(&["link", "--instance", "acme", "--user-id", "radia"]);
        self.studio.click("rail-inspect").await;
        self.studio.fill("inspect-input", &link).await;
        self.studio
            .wait_for_text("inspect-forecast", "names the user", |said| {
                said.contains("Signs in radia")
            })
            .await;
        self.look("inspect").await;
        let wrong = format!("{}AAAA", link.get(..link.len() - 4).unwrap());
        self.studio.fill("inspect-input", &wrong).await;
        self.studio
            .wait_for_text("inspect-forecast", "is refused", |said| {
                said.contains("Refused")
            })
            .await;
        self.look("inspect-refused").await;
    }

    async fn activity(&mut self) {
        self.studio.click("rail-activity").await;
        self.studio
            .wait_for_script(
                "the suspension",
                "return document.querySelector('main').textContent.includes('grace')",
            )
            .await;
        // Live: the window asks nothing, and the entry appears.
        self.server
            .run(&["users", "suspend", "alan", "--instance", "acme"]);
        self.studio
            .wait_for_script(
                "the new entry",
                "return document.querySelector('main').textContent.includes('alan')",
            )
            .await;
        self.look("activity").await;
    }

    async fn settings(&mut self) {
        self.studio.click("rail-settings").await;
        self.studio.find("secret-replace").await;
        self.look("settings").await;
        self.studio.click("section-seats").await;
        self.studio.click("seat-limited").await;
        self.studio.fill("seat-limit-input", "25").await;
        self.studio.click("seat-limit-save").await;
        self.studio
            .wait_for_text("seat-count", "has the limit", |said| said.contains("of 25"))
            .await;
        let seats = self.server.run(&["seats", "--instance", "acme"]);
        assert!(seats.contains("25"), "{seats}");
        self.studio.click("section-api").await;
        self.studio.fill("api-key-name", "CRM").await;
        self.studio.click("api-key-make").await;
        let key = self.studio.text("api-key-value").await;
        assert!(key.starts_with("lk_"), "not a key");
        self.look("settings-api-key").await;
        self.studio.click("api-key-done").await;
        let keys = || self.server.run(&["api-key", "list", "--instance", "acme"]);
        assert!(keys().contains("CRM"), "{}", keys());
        self.studio
            .script("[...document.querySelectorAll('[data-testid=api-key-revoke]')].find((one) => one.ariaLabel.includes('CRM')).click(); return true")
            .await;
        self.studio.click("api-key-revoke-submit").await;
        let deadline = Instant::now() + Duration::from_secs(30);
        while keys().contains("CRM") {
            assert!(Instant::now() < deadline, "the key is still there");
        }
    }

    async fn gateway(&mut self) {
        self.studio.click("gateway-mark").await;
        self.studio
            .wait_for_text("gateway-state", "is open", |said| said.contains("Open at"))
            .await;
        let shown = self.studio.text("connection-fingerprint").await;
        assert_eq!(shown, self.server.fingerprint);
        self.look("gateway").await;
    }

    async fn cut_and_put_back(&mut self) {
        self.studio.click("rail-users").await;
        self.studio.find("user-row").await;
        self.wire.cut(true);
        let begun = Instant::now();
        self.studio
            .wait_for_text("connection-lost", "says what is wrong", |said| {
                said.contains("No connection to")
            })
            .await;
        let silence = begun.elapsed();
        println!("the lost connection is said after {silence:?}");
        assert!(silence < SILENCE, "said only after {silence:?}");
        self.studio.find("user-row").await;
        let disabled = "return document.querySelector('[data-testid=users-add]').disabled";
        assert_eq!(self.studio.script(disabled).await, true);
        self.look("lost").await;
        self.studio.click("rail-compose").await;
        self.look("lost-compose").await;
        self.studio.click("rail-settings").await;
        self.look("lost-settings").await;
        self.studio.click("rail-users").await;
        tokio::time::sleep(outage().saturating_sub(begun.elapsed())).await;
        self.wire.cut(false);
        let put_back = Instant::now();
        self.studio
            .wait_for_script(
                "the connection",
                "return !document.querySelector('[data-testid=connection-lost]')",
            )
            .await;
        println!("it is back after {:?}", put_back.elapsed());
        assert_eq!(self.studio.script(disabled).await, false);
        self.studio.click("user-row").await;
        self.studio.find("user-panel").await;
        self.look("back").await;
    }

    async fn revoke_key(&mut self) {
        self.server
            .run(&["api-key", "revoke", "laptop", "--instance", "acme"]);
        self.studio
            .wait_for_text("connection-lost", "says what is wrong", |said| {
                said.contains("refused")
            })
            .await;
        self.look("key-revoked").await;
        let string = self.server.connection_string("desk", self.wire.address);
        self.studio.click("connection-key").await;
        self.studio.fill("gateway-text", &string).await;
        self.studio.find("gateway-parts").await;
        self.look("key-new").await;
        self.studio.click("gateway-connect").await;
        self.studio
            .wait_for_script(
                "the connection",
                "return !document.querySelector('[data-testid=connection-lost]')",
            )
            .await;
    }

    async fn replace_certificate(&mut self) {
        let known = self.server.fingerprint.clone();
        self.server.replace_certificate();
        self.wire.lead_to(self.server.admin);
        self.studio
            .wait_for_text("connection-lost", "says what is wrong", |said| {
                said.contains("certificate")
            })
            .await;
        self.look("certificate").await;
        self.studio.click("connection-trust").await;
        self.studio
            .wait_for_text("fingerprint-seen", "is seen", |said| {
                said == self.server.fingerprint
            })
            .await;
        assert_eq!(self.studio.text("fingerprint-known").await, known);
        self.look("certificate-trust").await;
        self.studio.click("trust-submit").await;
        self.studio
            .wait_for_script(
                "the connection",
                "return !document.querySelector('[data-testid=connection-lost]')",
            )
            .await;
        self.studio.find("user-row").await;
    }
}

#[test]
fn a_gateway_on_another_computer_is_administered_over_the_wire_whatever_happens_to_it() {
    run(async {
        let mut tour = Tour::start().await;
        tour.connect().await;
        tour.compose().await;
        tour.users().await;
        tour.inspect().await;
        tour.activity().await;
        tour.settings().await;
        tour.gateway().await;
        tour.cut_and_put_back().await;
        tour.revoke_key().await;
        tour.replace_certificate().await;
        assert!(tour.found.is_empty(), "{}", tour.found.join("\n"));
        tour.studio.quit().await;
    });
}

/// Latency of the network in the test of typing.
const LATENCY: Duration = Duration::from_millis(100);
/// Number of measured keystrokes.
const KEYS: usize = 40;

#[test]
fn latency_does_not_make_typing_in_compose_slower() {
    run(async {
        let mut tour = Tour::start().await;
        tour.connect().await;
        let near = median(&tour.type_keys().await);
        tour.wire.delay_answers(LATENCY);
        let far = median(&tour.type_keys().await);
        println!(
            "a key in Compose, until it is painted: {near:?} ms, and {far:?} ms with a latency of {LATENCY:?}"
        );
        assert!(
            far < near + 50.0,
            "a key takes {far} ms with a latency of {LATENCY:?}, and {near} ms without"
        );
        tour.studio.quit().await;
    });
}

impl Tour {
    /// Types the ID of a new person. Returns the milliseconds from each key to the frame with the
    /// link for it.
    async fn type_keys(&self) -> Vec<f64> {
        let studio = &self.studio;
        studio.click("mode-existing").await;
        studio.click_for("mode-new", "field-user-id").await;
        studio.fill("field-user-id", "a").await;
        studio.find("link-outline").await;
        let field = studio.find("field-user-id").await;
        let mut times = Vec::new();
        for at in 0..KEYS {
            let watch = "
                const old = document.querySelector('[data-testid=link-outline]').textContent;
                window.typed = { began: null, ended: null };
                addEventListener('keydown', (event) => (typed.began = event.timeStamp), { once: true, capture: true });
                const look = () => {
                    const now = document.querySelector('[data-testid=link-outline]')?.textContent;
                    if (typed.began === null || now === undefined || now === old) requestAnimationFrame(look);
                    else setTimeout(() => (typed.ended = performance.now()));
                };
                requestAnimationFrame(look);
                return true";
            studio.script(watch).await;
            let key = char::from(b'a' + u8::try_from(at % 26).unwrap());
            field.send_keys(&key.to_string()).await.unwrap();
            studio
                .wait_for_script("the painted key", "return typed.ended !== null")
                .await;
            let taken = studio.script("return typed.ended - typed.began").await;
            times.push(taken.as_f64().unwrap());
        }
        times
    }
}

fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
