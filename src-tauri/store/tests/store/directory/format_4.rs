//! A directory in format 4, as the first release wrote it: the folder `format-4`.
//!
//! The command line made these changes, one after the other:
//!
//! - It added *Ada* (`ada`, `Ada@Example.com`), *buecher* (`ada@bücher.example`) and *xn*
//!   (`ada@xn--bcher-kva.example`).
//! - A link created *Eve* (`eve`, `eve@example.com`).
//! - Ada signed in by her address, and by a single-use link, which was opened once more.
//! - A link created *gone*, who was then removed.
//! - Eve was suspended. A link for her address was refused, as was one for `nobody@example.com`,
//!   and a code with a wrong signature.
//! - Ada was signed out everywhere.
//! - The seat limit was set to 10. This change is still in the journal.

use latchkey_core::activity::ActivityQuery;
use latchkey_core::directory::Directory as _;
use latchkey_core::instance::Policy;
use latchkey_store::Wait as _;
use tempfile::TempDir;

use super::kept::{self, about, open};
use super::{code, id};
use crate::by;
use crate::signed::now;

/// Returns a copy of the directory.
pub(super) fn folder() -> TempDir {
    kept::folder("format-4")
}

#[test]
fn a_directory_of_format_4_is_migrated_with_all_its_data() {
    let folder = folder();
    for _ in 0..2 {
        let directory = open(&folder);
        assert_eq!(directory.count().wait().unwrap(), 4);
        let seats = directory.seats(now()).wait().unwrap();
        assert_eq!((seats.used, seats.limit), (3, Some(10)));
        let ada = directory.known_user(&id("ada")).wait().unwrap();
        assert_eq!(ada.email.unwrap().as_str(), "Ada@Example.com");
        assert_eq!(ada.sign_ins, 2);
        assert!(directory.user(&id("gone")).wait().unwrap().is_none());
        let old = code(r#""user":{"id":"gone"}"#, -60);
        let verdict = directory
            .dry_run(Ok(&old), Policy::default())
            .wait()
            .unwrap();
        assert_eq!(verdict.code(), "user_removed");
        let page = directory
            .activity(&ActivityQuery::default(), None, 99)
            .wait();
        let entries = page.unwrap().entries;
        assert_eq!(entries.len(), 17);
        assert_eq!(entries[0].event.data.code(), "seat_limit_set");
        assert_eq!(entries[16].event.data.code(), "instance_made");
    }
}

#[test]
fn entries_of_format_4_are_found_by_the_user_they_are_about() {
    let folder = folder();
    let directory = open(&folder);
    for _ in 0..2 {
        // The refusal named Eve by her e-mail address.
        let eve = ["user_suspended", "suspended", "provisioned"];
        assert_eq!(about(&directory, "eve"), eve);
        assert_eq!(about(&directory, "EVE@example.com"), eve);
        assert_eq!(about(&directory, "nobody@example.com"), ["unknown_user"]);
        assert_eq!(about(&directory, "gone"), ["removed", "provisioned"]);
        assert!(about(&directory, "ev").is_empty());
    }
    // A new entry is found together with the old ones.
    let again = code(r#""email":"Eve@Example.com""#, -60);
    let redeemed = directory
        .redeem(Ok(&again), Policy::default(), &by(now()))
        .wait();
    assert_eq!(redeemed.unwrap().code(), "user_suspended");
    assert_eq!(about(&directory, "eve").len(), 4);
}
