//! Tests of open requests for new links in the embedded engine.

use latchkey_core::directory::{Directory as _, Row};
use latchkey_core::instance::{Policy, Retention, Settings};
use latchkey_core::ledger::{Asking, GivenAs, NewLinkRequest, TakenLink};
use latchkey_core::link::anew::{Granting, grant};
use latchkey_core::link::short_code::ShortCode;
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_core::secret::SigningKey;
use latchkey_core::{Error, ErrorCode};
use latchkey_store::embedded::Loading;
use latchkey_store::{EmbeddedDirectory, Wait as _};

use super::embedded::tree;
use super::snapshots::rows;
use super::{at, code, go_on_until, id};
use crate::{by, revoke_link};

const DAY: i64 = 86_400;

/// Uses a link of a user up, and asks for a new one.
fn ask(directory: &EmbeddedDirectory, user: &str, second: i64) {
    let payload = format!(r#""user":{{"id":"{user}"}},"jti":"{user}","single_use":true"#);
    let code = code(&payload, -60);
    let by = by(at(second));
    let redeemed = directory.redeem(Ok(&code), Policy::default(), &by);
    redeemed.wait().unwrap();
    let asking = Asking {
        code: code.into(),
        policy: Policy::default(),
        browser: Some("Mozilla/5.0".to_owned()),
    };
    directory.ask_for_link(asking, &by).wait().unwrap();
}

fn open(directory: &EmbeddedDirectory) -> Vec<NewLinkRequest> {
    open_at(directory, 0)
}

fn open_at(directory: &EmbeddedDirectory, second: i64) -> Vec<NewLinkRequest> {
    directory.link_requests(at(second)).wait().unwrap()
}

fn subjects(directory: &EmbeddedDirectory) -> Vec<String> {
    let open = open(directory);
    open.iter().map(|open| open.subject().to_owned()).collect()
}

#[test]
fn requests_are_there_again_after_the_directory_was_closed_the_newest_first() {
    let folder = tempfile::tempdir().unwrap();
    let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    for user in ["ada", "bob", "eve"] {
        ask(&directory, user, 0);
    }
    let before = open(&directory);
    assert_eq!(subjects(&directory), ["eve", "bob", "ada"]);
    drop(directory);
    let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    assert_eq!(open(&directory), before);
    let bob = directory
        .link_request(before[1].number, at(0))
        .wait()
        .unwrap();
    let by = by(at(1));
    directory
        .dismiss_request(bob.reference(), &by)
        .wait()
        .unwrap();
    directory.suspend(&id("ada"), &by).wait().unwrap();
    assert_eq!(subjects(&directory), ["eve"]);
    drop(directory);
    let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    assert_eq!(subjects(&directory), ["eve"]);
}

#[test]
fn a_snapshot_has_the_requests_and_another_directory_loads_them() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    let directory = EmbeddedDirectory::open(&from, "a test").unwrap();
    ask(&directory, "ada", 0);
    let before = rows(&directory);
    let is_request = |row: &&String| row.starts_with(r#"{"link_request":{"number":"#);
    assert_eq!(before.iter().filter(is_request).count(), 1);
    let mut snapshot = directory.snapshot().wait().unwrap();
    let mut loading: Option<Loading> = None;
    while let Some(some) = snapshot.next().wait().unwrap() {
        for row in some {
            // As in a file.
            let json = serde_json::to_string(&row).unwrap();
            let row: Row = serde_json::from_str(&json).unwrap();
            match &mut loading {
                Some(loading) => loading.put(row).unwrap(),
                None => loading = Some(Loading::begin(&to, row).unwrap()),
            }
        }
    }
    loading.unwrap().finish().unwrap();
    let loaded = EmbeddedDirectory::open(&to, "a test").unwrap();
    assert_eq!(open(&loaded), open(&directory));
    assert!(rows(&loaded) == before);
}

#[test]
fn a_request_stays_open_for_30_days_or_as_long_as_links_are_kept() {
    let month = Lifetime::Secs(30 * DAY);
    for (links, open_secs) in [
        (Lifetime::Never, 30 * DAY),
        (Lifetime::Secs(365 * DAY), 30 * DAY),
        (month, 30 * DAY),
        (Lifetime::Secs(DAY), DAY),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
        ask(&directory, "ada", 0);
        ask(&directory, "bob", 10);
        // Requests in the journal are not removed before they are in the rows.
        drop(directory);
        let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
        let retention = Retention {
            links,
            ..Retention::default()
        };
        let prune = |second| {
            go_on_until(&directory, second);
            while directory.prune(retention, at(second)).wait().unwrap() {}
        };
        prune(open_secs);
        assert_eq!(subjects(&directory), ["bob", "ada"], "{links:?}");
        prune(open_secs + 1);
        assert_eq!(subjects(&directory), ["bob"], "{links:?}");
        drop(directory);
        let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
        assert_eq!(subjects(&directory), ["bob"], "{links:?}");
        // The person can ask again.
        ask(&directory, "ada", open_secs + 2);
        assert_eq!(subjects(&directory), ["ada", "bob"], "{links:?}");
    }
}

#[test]
fn a_damaged_link_does_not_keep_requests_that_are_too_old() {
    let folder = tempfile::tempdir().unwrap();
    let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    ask(&directory, "ada", 0);
    drop(directory);
    let rows = tree(&folder);
    rows.insert("l:damaged", "?").unwrap();
    rows.flush().unwrap();
    drop(rows);
    let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    let retention = Retention {
        links: Lifetime::Secs(DAY),
        ..Retention::default()
    };
    go_on_until(&directory, DAY + 1);
    let pruned = directory.prune(retention, at(DAY + 1)).wait();
    assert_eq!(pruned.unwrap_err().code, ErrorCode::DamagedFile);
    assert!(subjects(&directory).is_empty());
}

#[test]
fn a_request_is_open_until_it_cannot_be_granted_any_more_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    for user in ["ada", "bob", "eve"] {
        ask(&directory, user, 0);
    }
    let (eve, end) = (id("eve"), Some(at(60).as_second()));
    let stops = by(at(1));
    revoke_link(&directory, "bob", at(1));
    let ends = directory.set_account_end(&eve, end, &stops);
    ends.wait().unwrap();
    assert_eq!(subjects(&directory), ["eve", "ada"]);
    drop(directory);
    let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    let later = |second| {
        let open = open_at(&directory, second).into_iter();
        open.map(|open| open.subject().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(later(59), ["eve", "ada"]);
    assert_eq!(later(60), ["ada"]);
    let extends = by(at(61));
    let extended = directory.set_account_end(&eve, None, &extends);
    extended.wait().unwrap();
    assert_eq!(later(62), ["eve", "ada"], "the account goes on");
}

/// Returns the settings of an instance and a key of its own.
fn signing() -> (Settings, SigningKey) {
    let settings = Settings::sample().unwrap();
    let key = SigningKey::generate(settings.algorithm).unwrap();
    (settings, key)
}

#[test]
fn the_new_link_keeps_the_note_and_has_a_short_link_if_the_old_one_had() {
    let folder = tempfile::tempdir().unwrap();
    let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    let (settings, key) = signing();
    for (user, short) in [("ada", None), ("bob", Some(ShortCode::new().unwrap()))] {
        let claims = format!(r#"{{"user":{{"id":"{user}"}},"jti":"{user}","single_use":true}}"#);
        let claims = Claims::from_signed(&serde_json::from_str(&claims).unwrap()).unwrap();
        let taken = TakenLink {
            note: Some(format!("desk of {user}")),
            short: short.as_ref().map(ShortCode::hash),
            ..TakenLink::new(claims, None)
        };
        let by = by(at(0));
        directory.take_link(taken, &by).wait().unwrap();
        ask(&directory, user, 0);
        let granting = Granting {
            number: open(&directory)[0].number,
            given: GivenAs::Message,
            settings: &settings,
            key: &key,
        };
        let failed = grant(&directory, granting, &by, |_| {
            Err::<(), _>(Error::internal("the QR code cannot be drawn"))
        });
        assert_eq!(failed.wait().unwrap_err().code, ErrorCode::Internal);
        assert_eq!(open(&directory).len(), 1, "nothing is half done");
        let made = grant(&directory, granting, &by, |granted| {
            let id = granted.composed.claims.registered.id.clone();
            Ok::<_, Error>((id.unwrap(), granted.short_url.clone()))
        });
        let (link, short_url) = made.wait().unwrap();
        let (listed, _) = directory.link(&link, at(0)).wait().unwrap().unwrap();
        assert_eq!(listed.link.note, Some(format!("desk of {user}")));
        assert_eq!(listed.link.given[0].given, GivenAs::Message);
        assert_eq!(listed.link.has_short, short.is_some());
        assert_eq!(short_url.is_some(), short.is_some());
        assert!(open(&directory).is_empty());
        let again = grant(&directory, granting, &by, |_| Ok::<_, Error>(()));
        assert_eq!(again.wait().unwrap_err().code, ErrorCode::UnknownRequest);
    }
}
