//! A directory in format 9: the folder `format-9`. `activity.json` has the output of `latchkey
//! activity list` of that version.
//!
//! *Ada* was added. A link that works once created *Eve*, and another of that kind, for Ada, was
//! revoked. Ada signed in twice by a link without a limit, once in a browser.

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
use super::{code, id};
use crate::by;
use crate::signed::now;

/// ID of the link that was used.
const USED: &str = "gkl72RxdGNtkHRbg";
/// ID of the link that was revoked.
const REVOKED: &str = "MwQ31q44KksTNCgY";

#[test]
fn used_and_revoked_links_of_format_9_stay_so_and_are_in_the_ledger() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/directory/format-9");
    let folder = tempfile::tempdir().unwrap();
    copy(&kept, folder.path());
    let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();

    let expected = fs::read(kept.join("activity.json")).unwrap();
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    let (all, by) = (ActivityQuery::default(), by(now()));
    let page = directory.activity(&all, None, 99).wait().unwrap();
    let entries = serde_json::to_value(page.entries).unwrap();
    assert_eq!(entries, expected);

    for (id, verdict) in [(USED, "link_already_used"), (REVOKED, "link_revoked")] {
        let code = code(
            &format!(r#""id":"ada","jti":"{id}","single_use":true"#),
            -60,
        );
        let judged = directory.redeem(Ok(&code), Policy::default(), &by);
        assert_eq!(judged.wait().unwrap().code(), verdict);
    }
    let query = LinkQuery::default();
    let page = directory.links(&query, LinkSort::default(), &LinkPageStart::First, 9);
    let links = page.wait().unwrap().links;
    let mut states: Vec<_> = links
        .iter()
        .map(|listed| (listed.link.id.as_str(), listed.standing.status))
        .collect();
    states.sort_by_key(|(id, _)| *id);
    assert_eq!(
        states,
        [(REVOKED, LinkStatus::Revoked), (USED, LinkStatus::UsedUp)]
    );

    let query = SessionQuery {
        user: id("ada"),
        policy: Policy::default(),
        rules: SessionRules::default(),
        after: None,
        limit: 9,
    };
    let later = Timestamp::from_second(1_795_738_080).unwrap();
    let sessions = directory.sessions_of(&query, later).wait().unwrap();
    assert_eq!(sessions.sessions.len(), 1);
}
