//! Kinds of changes of links, accounts, requests, sessions and signing keys, for proofs that kill a
//! program while it makes them.

use std::thread;
use std::time::Duration;

use jiff::{Timestamp, ToSpan as _};
use latchkey_core::protocol::claims::Registered;
use latchkey_core::protocol::uses::Uses;

use super::instances::Instances;
use super::{click, link_for, open};

/// Number of sessions in which a user is signed in.
const SESSIONS: usize = 2;
/// Maximum number of signing keys before one is retired. Latchkey refuses more than eight retiring
/// ones.
const MAX_KEYS: usize = 5;

/// A change that a command line makes for a user, or to the signing keys of the instance `rotated`.
pub(super) struct Change {
    pub(super) name: &'static str,
    pub(super) before: Before,
    /// Prepares the change. Returns the command that makes it.
    pub(super) command: fn(&mut Instances<'_>, &str) -> String,
    /// Returns whether the change was made. Fails if it is half done.
    pub(super) is_made: fn(&Instances<'_>, &str) -> bool,
}

/// State of a user before a change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// There is no such user.
    Unknown,
    /// The user is signed in.
    SignedIn,
    /// The user has used a link up, and has asked for a new one.
    Asking,
}

/// All instances.
pub(super) const CHANGES: [Change; 13] = [
    Change {
        name: "a link with a note",
        before: Before::Unknown,
        command: |instances, user| instances.link(user, "--uses 5 --note kept"),
        is_made: |instances, user| {
            let links = instances.links_of(user);
            for link in &links {
                assert_eq!((&link["note"], &link["uses"]), (&"kept".into(), &5.into()));
            }
            !links.is_empty()
        },
    },
    Change {
        name: "a short link",
        before: Before::Unknown,
        command: |instances, user| instances.link(user, "--short"),
        is_made: |instances, user| {
            let links = instances.links_of(user);
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
        command: |instances, user| {
            let older = instances.link(user, "");
            instances.done(&older);
            instances.link(user, "--supersede")
        },
        is_made: |instances, user| {
            let links = instances.links_of(user);
            let superseded = links.iter().filter(|link| link["status"] == "superseded");
            assert_eq!(superseded.count(), links.len() - 1, "{links:?}");
            links.len() == 2
        },
    },
    Change {
        name: "the revocation of a link",
        before: Before::Unknown,
        command: |instances, user| {
            let link = instances.link(user, "");
            let id = instances.done(&link)["id"].as_str().unwrap().to_owned();
            format!("links revoke --instance here {id}")
        },
        is_made: |instances, user| instances.links_of(user)[0]["status"] == "revoked",
    },
    Change {
        name: "a later end of an account",
        before: Before::SignedIn,
        command: |_, user| format!("users extend {user} --instance here --until 2099-01-31"),
        is_made: |instances, user| {
            let shown = instances.done(&format!("users show {user} --instance here"));
            let is_set = shown["ends_at"].is_string();
            assert_eq!(instances.has_entry(user, "account_end_set"), is_set);
            is_set
        },
    },
    Change {
        name: "the end of an account",
        before: Before::SignedIn,
        command: |instances, user| {
            let end = Timestamp::from_second(Timestamp::now().as_second()).unwrap() + 5.seconds();
            instances.done(&format!(
                "users extend {user} --instance here --until {end}"
            ));
            let left = end.duration_since(Timestamp::now());
            thread::sleep(Duration::try_from(left).unwrap_or_default());
            "users list --instance here".to_owned()
        },
        is_made: |instances, user| {
            // A gateway writes ends some seconds later. Without one, this command writes them.
            let ended = instances.done("users list --instance here --status ended --limit 1000000");
            let mut ended = ended["users"].as_array().unwrap().iter();
            assert!(ended.any(|ended| ended["id"] == user), "{user} goes on");
            let entries = instances
                .entries("here", &format!("--user {user}"))
                .into_iter();
            let entries = entries.filter(|entry| entry["code"] == "account_ended");
            assert_eq!(entries.count(), 1, "{user}");
            true
        },
    },
    Change {
        name: "the new link of a request",
        before: Before::Asking,
        command: |instances, user| {
            let number = instances.request_of(user).unwrap();
            let secret = instances.secret();
            format!("requests grant {number} --instance here --secret-file {secret}")
        },
        is_made: |instances, user| {
            let is_open = instances.request_of(user).is_some();
            let links = instances.links_of(user).len();
            assert_eq!(links, if is_open { 1 } else { 2 }, "{user}: the request");
            !is_open
        },
    },
    Change {
        name: "the dismissal of a request",
        before: Before::Asking,
        command: |instances, user| {
            let number = instances.request_of(user).unwrap();
            format!("requests dismiss {number} --instance here")
        },
        is_made: |instances, user| instances.request_of(user).is_none(),
    },
    Change {
        name: "the end of all sessions",
        before: Before::SignedIn,
        command: |_, user| format!("sessions end --instance here --user {user} --all"),
        is_made: |instances, user| {
            let left = instances.sessions_of(user).len();
            assert!([0, SESSIONS].contains(&left), "{left} sessions are left");
            left == 0
        },
    },
    Change {
        name: "the end of a session",
        before: Before::SignedIn,
        command: |instances, user| {
            let session = instances.sessions_of(user).swap_remove(0);
            format!("sessions end --instance here --user {user} --session {session}")
        },
        is_made: |instances, user| {
            let left = instances.sessions_of(user).len();
            assert!([SESSIONS - 1, SESSIONS].contains(&left), "{left} are left");
            left < SESSIONS
        },
    },
    Change {
        name: "the rotation of a key",
        before: Before::Unknown,
        command: |instances, user| {
            let keys = instances.keys();
            if keys.len() > MAX_KEYS {
                instances.done(&format!("keys retire {} --instance rotated", keys[1]));
            }
            instances.note_key(user, &keys[0]);
            "keys rotate --instance rotated".to_owned()
        },
        is_made: |instances, user| {
            let (keys, old) = (instances.keys(), instances.key_of(user));
            let is_rotated = keys[0] != *old;
            let entries = instances.entries("rotated", "");
            let is_recorded = entries
                .iter()
                .any(|entry| entry["parameters"]["old"] == **old);
            assert_eq!(is_recorded, is_rotated, "{old}: {entries:?}");
            instances.require_signing();
            is_rotated
        },
    },
    Change {
        name: "the retirement of a key",
        before: Before::Unknown,
        command: |instances, user| {
            if instances.keys().len() == 1 {
                instances.done("keys rotate --instance rotated");
            }
            let key = instances.keys().swap_remove(1);
            instances.note_key(user, &key);
            format!("keys retire {key} --instance rotated")
        },
        is_made: |instances, user| {
            instances.require_signing();
            !instances.keys().contains(instances.key_of(user))
        },
    },
    Change {
        name: "the end of a leaked key with its links",
        before: Before::Unknown,
        command: |instances, user| {
            let key = instances.keys().swap_remove(0);
            instances.note_key(user, &key);
            instances.done(&format!("link --instance rotated --user-id {user}"));
            format!("keys retire {key} --leaked --instance rotated")
        },
        is_made: |instances, user| {
            let is_given_up = !instances.keys().contains(instances.key_of(user));
            let link = instances.links_at("rotated", user).swap_remove(0);
            assert_eq!(link["status"] == "revoked", is_given_up, "{link}");
            instances.require_signing();
            is_given_up
        },
    },
];

/// Returns a change by its number, and its user.
pub(super) fn change(number: usize) -> (&'static Change, String) {
    const ALL: &[Change] = &CHANGES;
    (&ALL[number % ALL.len()], format!("changed-{number}"))
}

/// Brings a user into a state at a gateway.
pub(super) fn begin_as(before: Before, user: &str, gateway: &str, address: &str) {
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
