//! Changes of links, accounts, requests, sessions and signing keys, for proofs that kill a program
//! while it makes them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use jiff::{Timestamp, ToSpan as _};
use latchkey_core::protocol::claims::Registered;
use latchkey_core::protocol::uses::Uses;
use serde_json::Value;

use super::{click, done, link_for, links, open, serve};
use crate::serve::Serving;

/// Number of sessions in which a user is signed in.
const SESSIONS: usize = 2;
/// Maximum number of signing keys before one is retired. Latchkey refuses more than eight retiring
/// ones.
const MAX_KEYS: usize = 5;

/// A change that a command line makes for a user, or to the signing keys of the instance `rotated`.
pub(super) struct Change {
    pub(super) name: &'static str,
    before: Before,
    /// Prepares the change. Returns the command that makes it.
    command: fn(&mut Changes<'_>, &str) -> String,
    /// Returns whether the change was made. Fails if it is half done.
    is_made: fn(&Changes<'_>, &str) -> bool,
}

/// State of a user before a change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// There is no such user.
    Unknown,
    /// The user is signed in.
    SignedIn,
    /// The user has used a link up, and has asked for a new one.
    Asking,
}

/// All changes.
pub(super) const CHANGES: [Change; 13] = [
    Change {
        name: "a link with a note",
        before: Before::Unknown,
        command: |changes, user| changes.link(user, "--uses 5 --note kept"),
        is_made: |changes, user| {
            let links = changes.links_of(user);
            for link in &links {
                assert_eq!((&link["note"], &link["uses"]), (&"kept".into(), &5.into()));
            }
            !links.is_empty()
        },
    },
    Change {
        name: "a short link",
        before: Before::Unknown,
        command: |changes, user| changes.link(user, "--short"),
        is_made: |changes, user| {
            let links = changes.links_of(user);
            assert!(
                links.iter().all(|link| link["has_short"] == true),
                "{links:?}"
            );
            !links.is_empty()
        },
    },
    Change {
        name: "a link that supersedes another",
        before: Before::Unknown,
        command: |changes, user| {
            let older = changes.link(user, "");
            changes.done(&older);
            changes.link(user, "--supersede")
        },
        is_made: |changes, user| {
            let links = changes.links_of(user);
            let superseded = links.iter().filter(|link| link["status"] == "superseded");
            assert_eq!(superseded.count(), links.len() - 1, "{links:?}");
            links.len() == 2
        },
    },
    Change {
        name: "the revocation of a link",
        before: Before::Unknown,
        command: |changes, user| {
            let link = changes.link(user, "");
            let id = changes.done(&link)["id"].as_str().unwrap().to_owned();
            format!("links revoke --instance here {id}")
        },
        is_made: |changes, user| changes.links_of(user)[0]["status"] == "revoked",
    },
    Change {
        name: "a later end of an account",
        before: Before::SignedIn,
        command: |_, user| format!("users extend {user} --instance here --until 2099-01-31"),
        is_made: |changes, user| {
            let shown = changes.done(&format!("users show {user} --instance here"));
            let is_set = shown["ends_at"].is_string();
            assert_eq!(changes.has_entry(user, "account_end_set"), is_set);
            is_set
        },
    },
    Change {
        name: "the end of an account",
        before: Before::SignedIn,
        command: |changes, user| {
            let end = Timestamp::from_second(Timestamp::now().as_second()).unwrap() + 5.seconds();
            changes.done(&format!(
                "users extend {user} --instance here --until {end}"
            ));
            let left = end.duration_since(Timestamp::now());
            thread::sleep(Duration::try_from(left).unwrap_or_default());
            // It writes the end of each account that is due.
            "users list --instance here".to_owned()
        },
        is_made: |changes, user| changes.has_entry(user, "account_ended"),
    },
    Change {
        name: "the new link of a request",
        before: Before::Asking,
        command: |changes, user| {
            let number = changes.request_of(user).unwrap();
            let secret = changes.secret();
            format!("requests grant {number} --instance here --secret-file {secret}")
        },
        is_made: |changes, user| {
            let is_open = changes.request_of(user).is_some();
            let links = changes.links_of(user).len();
            assert_eq!(links, if is_open { 1 } else { 2 }, "{user}: the request");
            !is_open
        },
    },
    Change {
        name: "the dismissal of a request",
        before: Before::Asking,
        command: |changes, user| {
            let number = changes.request_of(user).unwrap();
            format!("requests dismiss {number} --instance here")
        },
        is_made: |changes, user| changes.request_of(user).is_none(),
    },
    Change {
        name: "the end of all sessions",
        before: Before::SignedIn,
        command: |_, user| format!("sessions end --instance here --user {user} --all"),
        is_made: |changes, user| {
            let left = changes.sessions_of(user).len();
            assert!([0, SESSIONS].contains(&left), "{left} sessions are left");
            left == 0
        },
    },
    Change {
        name: "the end of a session",
        before: Before::SignedIn,
        command: |changes, user| {
            let session = changes.sessions_of(user).swap_remove(0);
            format!("sessions end --instance here --user {user} --session {session}")
        },
        is_made: |changes, user| {
            let left = changes.sessions_of(user).len();
            assert!([SESSIONS - 1, SESSIONS].contains(&left), "{left} are left");
            left < SESSIONS
        },
    },
    Change {
        name: "the rotation of a key",
        before: Before::Unknown,
        command: |changes, user| {
            let keys = changes.keys();
            if keys.len() > MAX_KEYS {
                changes.done(&format!("keys retire {} --instance rotated", keys[1]));
            }
            changes.note_key(user, &keys[0]);
            "keys rotate --instance rotated".to_owned()
        },
        is_made: |changes, user| {
            let (keys, old) = (changes.keys(), changes.key_of(user));
            let is_rotated = keys[0] != *old;
            let entries = changes.entries("rotated", "");
            let is_recorded = entries
                .iter()
                .any(|entry| entry["parameters"]["old"] == **old);
            assert_eq!(is_recorded, is_rotated, "{old}: {entries:?}");
            changes.require_signing();
            is_rotated
        },
    },
    Change {
        name: "the retirement of a key",
        before: Before::Unknown,
        command: |changes, user| {
            if changes.keys().len() == 1 {
                changes.done("keys rotate --instance rotated");
            }
            let key = changes.keys().swap_remove(1);
            changes.note_key(user, &key);
            format!("keys retire {key} --instance rotated")
        },
        is_made: |changes, user| {
            changes.require_signing();
            !changes.keys().contains(changes.key_of(user))
        },
    },
    Change {
        name: "the end of a leaked key with its links",
        before: Before::Unknown,
        command: |changes, user| {
            let key = changes.keys().swap_remove(0);
            changes.note_key(user, &key);
            changes.done(&format!("link --instance rotated --user-id {user}"));
            format!("keys retire {key} --leaked --instance rotated")
        },
        is_made: |changes, user| {
            let is_given_up = !changes.keys().contains(changes.key_of(user));
            let link = changes.links_at("rotated", user).swap_remove(0);
            assert_eq!(link["status"] == "revoked", is_given_up, "{link}");
            changes.require_signing();
            is_given_up
        },
    },
];

/// Instances whose directory and keys are changed.
pub(super) struct Changes<'a> {
    folder: &'a Path,
    /// Key that a change is about, by the name of its user.
    keys: BTreeMap<String, String>,
    /// Changes that were made, each with its user.
    made: Vec<(&'static Change, String)>,
    /// Number of changes that were acknowledged.
    pub(super) acknowledged: usize,
    /// Number of changes that were made and not acknowledged.
    pub(super) unacknowledged: usize,
}

impl<'a> Changes<'a> {
    /// Prepares the users of a number of changes by a gateway, which is killed afterwards.
    pub(super) fn begin(folder: &'a Path, count: usize) -> Self {
        let program = Command::new(env!("CARGO_BIN_EXE_latchkey"));
        let serving = Serving::start(serve(program, folder).stderr(Stdio::null()));
        for number in 0..count {
            let (change, user) = change(number);
            // The gateway limits what one address may do.
            let address = format!("192.0.2.{}", number % 250);
            begin_as(change.before, &user, &serving.address, &address);
        }
        // Dropping it kills the gateway.
        drop(serving);
        let changes = Self {
            folder,
            keys: BTreeMap::new(),
            made: Vec::new(),
            acknowledged: 0,
            unacknowledged: 0,
        };
        changes.done("instance add Rotated --url https://a.b");
        changes
    }

    /// Prepares a change by its number. Returns its command.
    pub(super) fn command(&mut self, number: usize) -> Vec<String> {
        let (change, user) = change(number);
        let command = (change.command)(self, &user);
        command.split_whitespace().map(str::to_owned).collect()
    }

    /// Notes whether a change was made, and requires it if it was acknowledged.
    pub(super) fn note(&mut self, number: usize, is_acknowledged: bool) {
        let (change, user) = change(number);
        let is_made = (change.is_made)(self, &user);
        assert!(
            is_made || !is_acknowledged,
            "{} of {user} is lost",
            change.name
        );
        self.acknowledged += usize::from(is_acknowledged);
        self.unacknowledged += usize::from(is_made && !is_acknowledged);
        if is_made {
            self.made.push((change, user));
        }
    }

    /// Requires all changes that were made, and a sound activity.
    pub(super) fn require_all(&self) {
        for (change, user) in &self.made {
            assert!(
                (change.is_made)(self, user),
                "{} of {user} is lost",
                change.name
            );
        }
        let users = self.done("users list --instance here --status active --limit 1000000");
        let seats = self.done("seats --instance here");
        assert_eq!(seats["used"], users["total"], "a seat has no user");
        for instance in ["here", "rotated"] {
            self.done(&format!("activity verify --instance {instance}"));
        }
    }

    /// Runs a command that succeeds. Returns its answer in JSON.
    pub(super) fn done(&self, command: &str) -> Value {
        let arguments: Vec<&str> = command.split_whitespace().collect();
        done(self.folder, &arguments)
    }

    /// Returns the links of a user at an instance.
    fn links_at(&self, instance: &str, user: &str) -> Vec<Value> {
        let mut links: Vec<Value> = links(self.folder, instance).into_values().collect();
        links.retain(|link| link["user"] == user);
        links
    }

    fn links_of(&self, user: &str) -> Vec<Value> {
        self.links_at("here", user)
    }

    /// Returns the command that gives out a link.
    fn link(&self, user: &str, options: &str) -> String {
        let secret = self.secret();
        format!("link --instance here --user-id {user} --secret-file {secret} {options}")
    }

    fn secret(&self) -> String {
        self.folder.join("secret").to_str().unwrap().to_owned()
    }

    fn sessions_of(&self, user: &str) -> Vec<String> {
        let listed = self.done(&format!("sessions list --instance here --user {user}"));
        let sessions = list_of(&listed["sessions"]).into_iter();
        let sessions = sessions.map(|session| session["id"].as_str().unwrap().to_owned());
        sessions.collect()
    }

    /// Returns the number of the open request of a user.
    pub(super) fn request_of(&self, user: &str) -> Option<u64> {
        let listed = self.done("requests list --instance here");
        let mut requests = list_of(&listed["requests"]).into_iter();
        let request = requests.find(|request| request["user"] == user)?;
        request["number"].as_u64()
    }

    fn entries(&self, instance: &str, options: &str) -> Vec<Value> {
        let list = format!("activity list --instance {instance} --kind act --limit 1000 {options}");
        list_of(&self.done(&list)["entries"])
    }

    fn has_entry(&self, user: &str, code: &str) -> bool {
        let mut entries = self.entries("here", &format!("--user {user}")).into_iter();
        entries.any(|entry| entry["code"] == code)
    }

    /// Returns the ids of the signing keys, the active one first.
    fn keys(&self) -> Vec<String> {
        let listed = self.done("keys list --instance rotated");
        let keys = list_of(&listed["signing_keys"]);
        assert_eq!(keys[0]["state"], "active");
        let ids = keys
            .iter()
            .map(|key| key["id"].as_str().unwrap().to_owned());
        ids.collect()
    }

    fn note_key(&mut self, user: &str, key: &str) {
        self.keys.insert(user.to_owned(), key.to_owned());
    }

    fn key_of(&self, user: &str) -> &String {
        &self.keys[user]
    }

    /// Requires that the active key can sign.
    fn require_signing(&self) {
        self.done("link --instance rotated --id 1");
    }
}

/// Returns a change by its number, and its user.
fn change(number: usize) -> (&'static Change, String) {
    const ALL: &[Change] = &CHANGES;
    (&ALL[number % ALL.len()], format!("changed-{number}"))
}

fn list_of(list: &Value) -> Vec<Value> {
    list.as_array().unwrap().clone()
}

/// Brings a user into a state at a gateway.
fn begin_as(before: Before, user: &str, gateway: &str, address: &str) {
    let headers = format!("X-Forwarded-For: {address}\r\n");
    match before {
        Before::Unknown => {}
        Before::SignedIn => {
            let link = link_for(user, Registered::default());
            for _ in 0..SESSIONS {
                assert_eq!(open(gateway, &link, &headers), Some(303));
            }
        }
        Before::Asking => {
            let once = Registered {
                id: Some(format!("once-{user}")),
                uses: Uses::limited(1).unwrap(),
                ..Registered::default()
            };
            let link = link_for(user, once);
            assert_eq!(click(gateway, &link, "", &headers), Some(303));
            assert_eq!(click(gateway, &link, "ask=new-link", &headers), Some(200));
        }
    }
}
