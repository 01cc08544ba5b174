//! A directory in format 5, as the second release wrote it: the folder `format-5`.
//!
//! The command line and visitors of a gateway made these changes, one after the other:
//!
//! - *Ada* (`ada`, `Ada@example.com`) and *old* (`old`, `desk@example.com`) were added.
//! - A link created *Eve* (`eve`, `eve@example.com`), and *old* signed in by the address.
//! - Two texts that are not codes and a code for `nobody@example.com` were refused.
//! - Ada was signed out everywhere, and *old* was removed.
//! - Ada was suspended, refused and reactivated, and signed in by a single-use link.
//! - The seat limit was set to 10. This change is still in the journal.

use jiff::Timestamp;
use latchkey_core::activity::ActivityQuery;
use latchkey_core::directory::Directory as _;
use latchkey_core::instance::Policy;
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_core::session::{SessionId, SessionQuery, SessionRules};
use latchkey_store::EmbeddedDirectory;
use latchkey_store::Wait as _;

use super::kept::{self, about, open};
use super::{code, id};

/// Cookie of Eve's session.
const EVE: &str = "Ot_hlTh3KX6mJlcLD_2_7QIMbzizUBO9phUkg9aX56Y";
/// Cookie of the removed user's session.
const OLD: &str = "ljxEaBCybFd1lqifFqsbqSxgf4GSQ1cXtOfhOrMqdDA";

/// Returns the codes of all entries, newest first.
fn all(directory: &EmbeddedDirectory) -> Vec<String> {
    let page = directory
        .activity(&ActivityQuery::default(), None, 99)
        .wait();
    let entries = page.unwrap().entries.into_iter();
    entries
        .map(|entry| entry.event.data.code().to_owned())
        .collect()
}

#[test]
fn a_directory_of_format_5_is_migrated_with_all_its_data() {
    let folder = kept::folder("format-5");
    for _ in 0..2 {
        let directory = open(&folder);
        assert_eq!(directory.count().wait().unwrap(), 2);
        let seats = directory.seats(crate::signed::now()).wait().unwrap();
        assert_eq!((seats.used, seats.limit), (2, Some(10)));
        assert_eq!(
            all(&directory),
            [
                "seat_limit_set",
                "signed_in",
                "reactivated",
                "user_suspended",
                "suspended",
                "removed",
                "signed_out",
                "malformed_code",
                "gateway_stopped",
                "unknown_user",
                "malformed_code",
                "signed_in",
                "provisioned",
                "gateway_started",
                "added",
                "added",
                "instance_made",
            ]
        );
        assert_eq!(about(&directory, "EVE@example.com"), ["provisioned"]);
        assert_eq!(about(&directory, "old"), ["removed", "signed_in", "added"]);
        assert_eq!(about(&directory, "nobody@example.com"), ["unknown_user"]);
        let old = code(r#""user":{"id":"old"}"#, -86_400 * 365 * 20);
        let verdict = directory
            .dry_run(Ok(&old), Policy::default())
            .wait()
            .unwrap();
        assert_eq!(verdict.code(), "user_removed");
    }
}

#[test]
fn sessions_of_format_5_stay_valid_and_can_be_ended() {
    let folder = kept::folder("format-5");
    let directory = open(&folder);
    let session = |cookie: &str| {
        let key = SessionId::parse(cookie.as_bytes()).unwrap().key();
        directory.session(&key).wait().unwrap()
    };
    assert_eq!(session(EVE).unwrap().user, id("eve"));
    assert_eq!(session(OLD), None, "the removal has deleted it");
    let query = SessionQuery {
        user: id("eve"),
        policy: Policy::default(),
        rules: SessionRules {
            length: Lifetime::Never,
            ..SessionRules::default()
        },
        after: None,
        limit: 10,
    };
    let begun = session(EVE).unwrap().created_at;
    let now = Timestamp::from_second(begun + 1).unwrap();
    let page = directory.sessions_of(&query, now).wait().unwrap();
    assert_eq!(page.total, 1);
}
