//! Links that are taken back, shown by requests before and after, and after the gateway was killed.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::admin_listener::{FREE, ask, certificate, key};
use crate::run::until;
use crate::serve::{Serving, cookie, folder, run};

/// Program by which an administrator acts.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    CommandLine,
    Api,
}

/// A gateway whose administrator makes links and takes them back.
struct Scene {
    folder: tempfile::TempDir,
    key: String,
    by: By,
    ends_sessions: bool,
    serving: Serving,
}

/// A link, the cookie of its session, and what requests must find.
struct Expected {
    what: &'static str,
    link: Made,
    works: bool,
    cookie: Option<String>,
    is_signed_in: bool,
}

#[derive(Clone)]
struct Made {
    id: String,
    path: String,
    /// Path of its short link.
    short: String,
}

impl Scene {
    fn new(by: By, ends_sessions: bool) -> Self {
        let folder = folder();
        let key = key(folder.path(), "tool", "links");
        let serving = Self::serve(folder.path());
        Self {
            folder,
            key,
            by,
            ends_sessions,
            serving,
        }
    }

    fn serve(folder: &Path) -> Serving {
        Serving::new(folder, &["--admin-listen", FREE])
    }

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let (own, body) = (certificate(self.folder.path()), body.to_string());
        let json = [
            "--header",
            "Content-Type: application/json",
            "--data",
            &body,
        ];
        let path = format!("/admin/v1{path}");
        let answer = ask(&self.serving, &own, &path, &self.key, &json);
        (answer.status, answer.body)
    }

    fn make(&self, user: &str, supersede: bool) -> Made {
        let made = match self.by {
            By::CommandLine => {
                let mut link = vec!["link", "--json", "--instance", "here", "--user-id", user];
                link.push("--short");
                link.extend(supersede.then_some("--supersede"));
                serde_json::from_str(&run(self.folder.path(), &link)).unwrap()
            }
            By::Api => {
                let user = json!({ "user": { "id": user } });
                let body = json!({ "payload": user, "supersede": supersede, "short": true });
                let (status, made) = self.post("/links", &body);
                assert_eq!(status, 200, "{made}");
                made
            }
        };
        let path = |names: [&str; 2], start: &str| {
            let url = names.iter().find_map(|name| made[*name].as_str());
            url.unwrap().strip_prefix(start).unwrap().to_owned()
        };
        Made {
            id: made["id"].as_str().unwrap().to_owned(),
            path: path(["link", "url"], "http://localhost:8787"),
            short: path(["short", "shortUrl"], "HTTP://LOCALHOST:8787"),
        }
    }

    fn revoke(&self, option: &str, value: &str) {
        match self.by {
            By::CommandLine => {
                let mut revoke = vec!["links", "revoke", "--instance", "here"];
                revoke.extend(self.ends_sessions.then_some("--end-sessions"));
                let option = format!("--{option}");
                revoke.extend((option != "--link").then_some(option.as_str()));
                revoke.push(value);
                run(self.folder.path(), &revoke);
            }
            By::Api => {
                let body = json!({ option: value, "end_sessions": self.ends_sessions });
                assert_eq!(self.post("/revocations", &body).0, 204);
            }
        }
    }

    /// Opens a link and its short link, which do the same. Returns the cookie of the session.
    fn opens(&self, link: &Made) -> Option<String> {
        let [long, short] = [&link.path, &link.short].map(|path| self.session(path));
        assert_eq!(long.is_some(), short.is_some(), "{}", link.short);
        long
    }

    fn session(&self, path: &str) -> Option<String> {
        let answer = self.serving.get(path, "");
        if answer.starts_with("HTTP/1.1 303") {
            return Some(cookie(&answer));
        }
        let refused = ["HTTP/1.1 403", "HTTP/1.1 410"];
        assert!(
            refused.iter().any(|head| answer.starts_with(head)),
            "{answer}"
        );
        None
    }

    fn is_signed_in(&self, cookie: &str) -> bool {
        let answer = self.serving.get("/auth/verify", cookie);
        answer.starts_with("HTTP/1.1 200")
    }

    fn check(&self, expected: &Expected) {
        let Expected {
            what, link, works, ..
        } = expected;
        let (by, ends) = (self.by, self.ends_sessions);
        let found = self.opens(link).is_some();
        assert_eq!(found, *works, "{what} by {by:?}, sessions end: {ends}");
        if let Some(cookie) = &expected.cookie {
            let found = self.is_signed_in(cookie);
            let is_signed_in = expected.is_signed_in;
            assert_eq!(
                found, is_signed_in,
                "session of {what} by {by:?}, ends: {ends}"
            );
        }
    }

    /// Makes a link and signs in by it.
    fn signed_in(&self, user: &str) -> (Made, String) {
        let link = self.make(user, false);
        let cookie = self.opens(&link).unwrap();
        assert!(self.is_signed_in(&cookie), "{user}");
        (link, cookie)
    }

    /// Takes a link back by `revoke`, and checks requests at once.
    fn taken_back(
        &self,
        what: &'static str,
        ends: bool,
        revoke: impl FnOnce(&Made),
    ) -> [Expected; 2] {
        let (link, cookie) = self.signed_in(what);
        revoke(&link);
        let gone = Expected {
            what,
            link,
            works: false,
            cookie: Some(cookie),
            is_signed_in: !ends,
        };
        self.check(&gone);
        // A link that is given out afterwards works.
        let later = Expected {
            what,
            link: self.make(what, false),
            works: true,
            cookie: None,
            is_signed_in: false,
        };
        self.check(&later);
        [gone, later]
    }
}

fn links_are_taken_back(by: By, ends_sessions: bool) {
    let mut scene = Scene::new(by, ends_sessions);
    let early = scene.signed_in("early");
    let before = {
        let made_at = Timestamp::now().as_second();
        until("a second has passed", || {
            std::thread::sleep(Duration::from_millis(20));
            Timestamp::now().as_second() > made_at
        });
        Timestamp::now()
    };
    let before = Timestamp::from_second(before.as_second()).unwrap();
    let later = scene.signed_in("later");
    scene.revoke("before", &before.to_string());
    let mut expected = vec![
        Expected {
            what: "early",
            link: early.0,
            works: false,
            cookie: Some(early.1),
            is_signed_in: !ends_sessions,
        },
        Expected {
            what: "later",
            link: later.0,
            works: true,
            cookie: Some(later.1),
            is_signed_in: true,
        },
    ];
    let one = scene.taken_back("one", ends_sessions, |link| scene.revoke("link", &link.id));
    let person = scene.taken_back("person", ends_sessions, |_| scene.revoke("user", "person"));
    let superseded = scene.taken_back("superseded", false, |_| {
        let newer = scene.make("superseded", true);
        assert!(scene.opens(&newer).is_some());
    });
    expected.extend([one, person, superseded].into_iter().flatten());
    for expected in &expected {
        scene.check(expected);
    }
    // SIGKILL.
    scene.serving.child.kill().unwrap();
    scene.serving.child.wait().unwrap();
    scene.serving = Scene::serve(scene.folder.path());
    for expected in &expected {
        scene.check(expected);
    }
}

#[test]
fn links_taken_back_on_the_command_line_open_nothing_and_their_sessions_go_on() {
    links_are_taken_back(By::CommandLine, false);
}

#[test]
fn links_taken_back_on_the_command_line_open_nothing_and_their_sessions_end() {
    links_are_taken_back(By::CommandLine, true);
}

#[test]
fn links_taken_back_by_the_api_open_nothing_and_their_sessions_go_on() {
    links_are_taken_back(By::Api, false);
}

#[test]
fn links_taken_back_by_the_api_open_nothing_and_their_sessions_end() {
    links_are_taken_back(By::Api, true);
}

#[test]
fn an_instance_can_let_each_new_link_replace_older_ones() {
    let scene = Scene::new(By::CommandLine, false);
    let (older, cookie) = scene.signed_in("ada");
    let set = ["instance", "set", "here", "--supersede", "on"];
    let shown = run(scene.folder.path(), &set);
    assert!(shown.contains("supersede               on"), "{shown}");
    let newer = scene.make("ada", false);
    assert!(scene.opens(&older).is_none());
    assert!(scene.opens(&newer).is_some());
    assert!(scene.is_signed_in(&cookie));
    let status = |link: &Made| {
        let show = ["--json", "links", "show", "--instance", "here", &link.id];
        let shown = run(scene.folder.path(), &show);
        let shown: Value = serde_json::from_str(&shown).unwrap();
        shown["link"]["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        (status(&older), status(&newer)),
        ("superseded".into(), "in_use".into())
    );
    let listed = run(
        scene.folder.path(),
        &["activity", "list", "--instance", "here"],
    );
    assert!(
        listed.contains("new links replace older ones: no → yes"),
        "{listed}"
    );
}
