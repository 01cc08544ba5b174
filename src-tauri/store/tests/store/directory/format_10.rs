//! A directory in format 10: the folder `format-10`. `activity.json` has the entries of `latchkey
//! activity list` of that version.
//!
//! *Ada* and *Bob* were added, and Bob was suspended. A link for three uses created *Eve*. One link
//! for Ada was revoked. She signed in by another one in a browser, and a third one superseded it.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use latchkey_core::activity::ActivityQuery;
use latchkey_core::directory::Directory as _;
use latchkey_core::instance::Policy;
use latchkey_core::ledger::{LinkPageStart, LinkQuery, LinkSort, LinkStatus};
use latchkey_core::session::{SessionQuery, SessionRules};
use latchkey_store::{EmbeddedDirectory, Wait as _};
use serde_json::Value;

use super::copied::copy;
use super::id;

/// Links with their states and their numbers of uses.
const LINKS: [(&str, LinkStatus, u64); 4] = [
    ("TzGcmiI3OqGqLGyK", LinkStatus::Superseded, 1),
    ("f46vp94k3jihuqgx", LinkStatus::InUse, 1),
    ("sfh47b7BqFht8-q_", LinkStatus::Revoked, 0),
    ("xVGVdPnmdhvl-kta", LinkStatus::NotUsed, 0),
];

#[test]
fn users_links_and_sessions_of_format_10_are_unchanged() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/directory/format-10");
    let folder = tempfile::tempdir().unwrap();
    copy(&kept, folder.path());
    let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();

    let expected = fs::read(kept.join("activity.json")).unwrap();
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    let page = directory
        .activity(&ActivityQuery::default(), None, 99)
        .wait();
    let entries = serde_json::to_value(page.unwrap().entries).unwrap();
    assert_eq!(entries, expected);
    assert!(directory.verify_activity(None).wait().unwrap().is_sound());

    let counts = directory.counts(crate::signed::now()).wait().unwrap();
    assert_eq!((counts.users, counts.active), (3, 2));

    let query = LinkQuery::default();
    let page = directory.links(&query, LinkSort::default(), &LinkPageStart::First, 9);
    let links = page.wait().unwrap().links;
    let mut states: Vec<_> = links
        .iter()
        .map(|listed| {
            let link = &listed.link;
            (link.id.as_str(), listed.standing.status, link.used)
        })
        .collect();
    states.sort_by_key(|(id, ..)| *id);
    assert_eq!(states, LINKS);
    let at = Timestamp::from_second(1_795_752_500).unwrap();
    for (id, ..) in LINKS {
        let (_, claims) = directory.link(id, at).wait().unwrap().unwrap();
        assert_eq!(claims.unwrap().registered.id.as_deref(), Some(id));
    }

    let query = SessionQuery {
        user: id("ada"),
        policy: Policy::default(),
        rules: SessionRules::default(),
        after: None,
        limit: 9,
    };
    let sessions = directory.sessions_of(&query, at).wait().unwrap();
    assert_eq!(sessions.sessions.len(), 1);
}
