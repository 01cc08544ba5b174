//! Directories in formats 2 and 3, as versions before the first release wrote them: the folders
//! `format-2` and `format-3`. Format 3 added the journal and the activity.
//!
//! The command line made the same changes in both, one after the other:
//!
//! - *Ada* (`ada`, `Ada@example.com`), *old* (`old`, `desk@example.com`) and *Sue* (`sue`,
//!   `sue@example.com`) were added.
//! - A link created *Eve* (`eve`, `eve@example.com`), and *old* signed in by the address.
//! - A link for `nobody@example.com` was refused.
//! - Ada signed in by a single-use link, which was opened once more.
//! - Sue was suspended, and *old* was removed. The seat limit was set to 10.

use latchkey_core::activity::ActivityQuery;
use latchkey_core::directory::Directory;
use latchkey_core::instance::Policy;
use latchkey_core::protocol::email::Email;
use latchkey_core::verdict::Status;
use latchkey_store::Wait as _;

use super::kept::{self, about, open};
use super::{code, id};

/// Folders with the id of the link that was used up.
const KEPT: [(&str, &str); 2] = [
    ("format-2", "DBnhSOlQwkasZDGQ"),
    ("format-3", "dv3s_SmNXXyyuP5_"),
];

fn verdict(directory: &dyn Directory, payload: &str) -> &'static str {
    let code = code(payload, -86_400 * 365 * 20);
    let verdict = directory.dry_run(Ok(&code), Policy::default()).wait();
    verdict.unwrap().code()
}

/// Returns the codes of all entries, newest first.
fn codes(directory: &dyn Directory) -> Vec<String> {
    let everything = ActivityQuery::default();
    let page = directory.activity(&everything, None, 99).wait().unwrap();
    let entries = page.entries.iter();
    entries
        .map(|entry| entry.event.data.code().to_owned())
        .collect()
}

#[test]
fn users_seats_and_links_of_formats_2_and_3_are_migrated() {
    for (name, used) in KEPT {
        let folder = kept::folder(name);
        // The migration is over at the second opening.
        for _ in 0..2 {
            let directory = open(&folder);
            assert_eq!(directory.count().wait().unwrap(), 3, "{name}");
            let seats = directory.seats(crate::signed::now()).wait().unwrap();
            assert_eq!((seats.used, seats.limit), (2, Some(10)), "{name}");
            let ada = directory.known_user(&id("ada")).wait().unwrap();
            assert_eq!(ada.email.unwrap().as_str(), "Ada@example.com");
            assert_eq!((ada.status, ada.sign_ins), (Status::Active, 1), "{name}");
            let sue = directory.known_user(&id("sue")).wait().unwrap();
            assert_eq!(sue.status, Status::Suspended, "{name}");
            let eve = Email::parse("EVE@example.com", "email").unwrap();
            let eve = directory.user_by_email(&eve).wait().unwrap();
            assert_eq!(eve.unwrap().id, id("eve"), "{name}");
            assert_eq!(
                verdict(&directory, r#""user":{"id":"old"}"#),
                "user_removed",
                "{name}"
            );
            let again = format!(r#""id":"ada","jti":"{used}","single_use":true"#);
            assert_eq!(verdict(&directory, &again), "link_already_used", "{name}");
        }
    }
}

#[test]
fn the_activity_of_format_3_is_migrated_and_format_2_has_none() {
    let folder = kept::folder("format-2");
    for _ in 0..2 {
        assert!(codes(&open(&folder)).is_empty());
    }
    let folder = kept::folder("format-3");
    for _ in 0..2 {
        let directory = open(&folder);
        assert_eq!(
            codes(&directory),
            [
                "seat_limit_set",
                "settings_changed",
                "removed",
                "suspended",
                "link_already_used",
                "signed_in",
                "unknown_user",
                "signed_in",
                "provisioned",
                "added",
                "added",
                "added",
                "instance_made",
            ]
        );
        assert_eq!(about(&directory, "EVE@example.com"), ["provisioned"]);
        assert_eq!(about(&directory, "nobody@example.com"), ["unknown_user"]);
    }
}
