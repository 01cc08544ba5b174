//! A backup of format 1 that is kept beside the tests. Every later version restores it.
//!
//! `LATCHKEY_TEST_MAKE_BACKUP=1` makes it again.

use std::path::{Path, PathBuf};
use std::{env, fs};

use latchkey_core::instance::Policy;
use latchkey_core::instance::api_key::NewApiKey;
use latchkey_store::Wait as _;

use super::{add, back_up, home, open, restore, user};
use crate::signed::{judge, now};
use crate::{by, revoke_link};

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/backups/format-1.latchkey")
}

fn make() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    let instance = add(&home, "Acme");
    home.make_api_key(&instance.id, &NewApiKey::new("CRM"), &by(now()))
        .unwrap();
    let directory = open(&home, &instance);
    for payload in [
        r#"{"user":{"id":"ada","email":"ada@acme.example","name":"Ada"},"jti":"once","single_use":true,"iat":1700000000}"#,
        r#"{"user":{"id":"bob"},"iat":1700000000}"#,
        r#"{"id":"nobody","iat":1700000000}"#,
    ] {
        let code = judge(payload).unwrap();
        directory
            .redeem(Ok(&code), Policy::default(), &by(now()))
            .wait()
            .unwrap();
    }
    directory.remove(&user("bob"), &by(now())).wait().unwrap();
    revoke_link(&*directory, "revoked", now());
    directory
        .set_seat_limit(Some(3), &by(now()))
        .wait()
        .unwrap();
    fs::write(path(), back_up(&home, &instance, &*directory, true)).unwrap();
}

#[test]
fn a_backup_of_format_1_is_restored() {
    if env::var_os("LATCHKEY_TEST_MAKE_BACKUP").is_some() {
        make();
    }
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    let restored = restore(&home, &fs::read(path()).unwrap(), false, None).unwrap();
    let kinds = ["user", "removal", "link", "entry"].map(|kind| restored.summary.count(kind));
    assert_eq!(kinds, [1, 1, 2, 8]);
    let instance = restored.instance;
    home.signing_key(&instance).unwrap();
    assert_eq!(instance.api_keys[0].name, "CRM");
    let directory = open(&home, &instance);
    let ada = directory.user(&user("ada")).wait().unwrap().unwrap();
    assert_eq!(ada.display_name(), "Ada");
    assert_eq!(directory.seats(now()).wait().unwrap().limit, Some(3));
    let dry_run = |payload: &str| {
        let code = judge(payload).unwrap();
        let verdict = directory.dry_run(Ok(&code), Policy::default()).wait();
        verdict.unwrap().code().to_owned()
    };
    assert_eq!(
        dry_run(r#"{"id":"ada","jti":"once","single_use":true,"iat":1700000000}"#),
        "link_already_used"
    );
    assert_eq!(
        dry_run(r#"{"user":{"id":"bob"},"iat":1700000000}"#),
        "user_removed"
    );
    assert_eq!(
        dry_run(r#"{"id":"ada","jti":"revoked","iat":1700000000}"#),
        "link_revoked"
    );
}
