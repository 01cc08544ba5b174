//! A restored instance is the one that was backed up, and revives nothing.

use std::sync::Arc;

use latchkey_core::ErrorCode;
use latchkey_core::activity::ActivityQuery;
use latchkey_core::directory::{Command, Directory, Newcomer, Redemption};
use latchkey_core::instance::Policy;
use latchkey_core::instance::api_key::NewApiKey;
use latchkey_core::ledger::TakenLink;
use latchkey_core::link::short_code::ShortCode;
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::code::VerifiedCode;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::NewUser;
use latchkey_core::session::{NewSession, SessionId, SessionKey, SessionScope};
use latchkey_core::sign_in::find_session;
use latchkey_store::Wait as _;
use latchkey_store::backup::{BackupReader, Part};
use latchkey_store::home::RestoreOptions;

use super::{add, back_up, home, import, later, open, restore, secret, user};
use crate::directory::snapshots::rows;
use crate::signed::{judge, now};
use crate::{by, revoke_link};

fn code(payload: &str) -> VerifiedCode {
    let iat = now().as_second() - 60;
    judge(&format!(r#"{{{payload},"iat":{iat}}}"#)).unwrap()
}

fn sign_in(directory: &dyn Directory, code: &VerifiedCode) -> (String, SessionKey) {
    let key = SessionId::new(now()).unwrap().key();
    let session = NewSession {
        key,
        place: SessionScope::Page,
        browser: None,
        browser_key: None,
        replaces: None,
    };
    let redemption = Redemption {
        code: Ok(code.clone()),
        policy: Policy::default(),
        session: Some(session),
    };
    let command = Command::Redeem(Arc::new(redemption));
    let verdict = directory.execute(command, &by(now())).wait().unwrap();
    (verdict.verdict().unwrap().code().to_owned(), key)
}

#[test]
#[expect(clippy::too_many_lines, reason = "one backup has all that was changed")]
fn what_was_used_revoked_removed_or_signed_out_stays_so() {
    let folder = tempfile::tempdir().unwrap();
    let here = home(&folder.path().join("here"));
    let instance = add(&here, "Acme");
    let directory = open(&here, &instance);
    let once = code(r#""user":{"id":"ada"},"jti":"once","single_use":true"#);
    let revoked = code(r#""user":{"id":"bob"},"jti":"revoked""#);
    let bob = code(r#""user":{"id":"bob"}"#);
    let eve = code(r#""user":{"id":"eve"}"#);
    let good = code(r#""user":{"id":"joe"},"jti":"good""#);
    let (_, kept) = sign_in(&*directory, &once);
    let (_, signed_out) = sign_in(&*directory, &bob);
    directory.sign_out(&user("bob"), &by(now())).wait().unwrap();
    sign_in(&*directory, &eve);
    directory.remove(&user("eve"), &by(now())).wait().unwrap();
    revoke_link(&*directory, "revoked", now());
    directory.suspend(&user("bob"), &by(now())).wait().unwrap();
    let guest = Newcomer {
        user: NewUser::parse("guest", None, Metadata::default()).unwrap(),
        ends_at: Some(later(1).as_second()),
    };
    directory
        .execute(Command::Add(guest), &by(now()))
        .wait()
        .unwrap();
    directory
        .set_seat_limit(Some(7), &by(now()))
        .wait()
        .unwrap();
    let (instance, api_key) = here
        .make_api_key(&instance.id, &NewApiKey::new("CRM"), &by(now()))
        .unwrap();
    here.make_pairing(&instance.id, &NewApiKey::new("laptop"), &by(now()))
        .unwrap();
    let short = ShortCode::new().unwrap();
    let claims = serde_json::json!({ "id": "joe", "jti": "short" });
    let taken = TakenLink {
        short: Some(short.hash()),
        ..TakenLink::new(
            Claims::from_signed(claims.as_object().unwrap()).unwrap(),
            None,
        )
    };
    directory.take_link(taken, &by(now())).wait().unwrap();
    let backup = back_up(&here, &instance, &*directory, true);
    assert!(!backup.windows(6).any(|bytes| bytes == b"secret"));

    let there = home(&folder.path().join("there"));
    let restored = restore(&there, &backup, false, None).unwrap();
    assert!(!restored.has_replaced);
    assert_eq!(
        restored.summary.header.holds,
        [Part::Settings, Part::Keys, Part::Directory]
    );
    let instance_there = restored.instance;
    assert_eq!(instance_there.id.as_str(), "acme");
    assert!(
        instance_there.pairings.is_empty(),
        "a code would work twice"
    );
    assert_eq!(
        instance_there.settings,
        here.instances().get(&instance.id).unwrap().settings
    );
    assert!(
        instance_there
            .api_keys
            .iter()
            .any(|key| key.is(api_key.expose()))
    );
    let key = |home: &latchkey_store::home::Home, instance| {
        home.signing_key(instance)
            .unwrap()
            .secret()
            .expose()
            .to_owned()
    };
    assert_eq!(key(&there, &instance_there), key(&here, &instance));
    // The entry about the restore waits to be recorded.
    let again = there.directory_to_serve(&instance_there, "test").unwrap();
    assert!(rows(&*again) == rows(&*directory));
    there
        .record_outbox(&instance_there, &*again)
        .wait()
        .unwrap();
    assert_eq!(sign_in(&*again, &once).0, "link_already_used");
    assert_eq!(sign_in(&*again, &revoked).0, "link_revoked");
    assert_eq!(sign_in(&*again, &bob).0, "user_suspended");
    assert_eq!(sign_in(&*again, &eve).0, "user_removed");
    let used = |at| again.seats(at).wait().unwrap().used;
    assert_eq!(used(now()) - used(later(1)), 1, "the account still ends");
    assert_eq!(sign_in(&*again, &good).0, "provisioned");
    let found = again.short_link(&short.hash()).wait().unwrap().unwrap();
    let opened = found.verify(instance_there.settings.code_rules(), now());
    assert_eq!(sign_in(&*again, &opened.unwrap()).0, "signed_in");
    let settings = &instance_there.settings;
    let session = |key| {
        let found = find_session(&*again, key, SessionScope::Page, settings, None, now());
        found.wait().unwrap().is_some()
    };
    assert!(session(kept) && !session(signed_out));
    assert_eq!(again.seats(now()).wait().unwrap().limit, Some(7));
    // A later change of the settings is recorded, because the numbers of the outbox go on.
    let entries = || {
        let rows = rows(&*again).into_iter();
        rows.filter(|row| row.starts_with("{\"entry\"")).count()
    };
    let before = entries();
    let changed = there.make_api_key(&instance_there.id, &NewApiKey::new("ERP"), &by(now()));
    there
        .record_outbox(&changed.unwrap().0, &*again)
        .wait()
        .unwrap();
    assert_eq!(entries(), before + 1);
}

#[test]
fn without_keys_a_new_instance_has_none_and_a_replaced_one_keeps_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let here = home(&folder.path().join("here"));
    let instance = add(&here, "Acme");
    let directory = open(&here, &instance);
    let with_keys = back_up(&here, &instance, &*directory, true);
    let without = back_up(&here, &instance, &*directory, false);
    let secret_here = here
        .signing_key(&instance)
        .unwrap()
        .secret()
        .expose()
        .to_owned();
    for backup in [&with_keys, &without] {
        let text = zstd::decode_all(&backup[..]).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(!text.contains(&secret_here), "the secret is not sealed");
    }
    let there = home(&folder.path().join("there"));
    let restored = restore(&there, &without, false, None).unwrap().instance;
    assert!(restored.key.is_none());
    let refused = there.signing_key(&restored).unwrap_err();
    assert_eq!(refused.code, ErrorCode::NoSigningKey);

    drop(directory);
    let restored = restore(&here, &without, true, None).unwrap().instance;
    assert_eq!(
        here.signing_key(&restored).unwrap().secret().expose(),
        secret_here
    );
    let restored = restore(&here, &with_keys, true, None).unwrap().instance;
    assert_eq!(
        here.signing_key(&restored).unwrap().secret().expose(),
        secret_here
    );
}

/// Returns the codes of the entries in an instance's activity, the latest first.
fn codes(directory: &dyn Directory) -> Vec<String> {
    let page = directory
        .activity(&ActivityQuery::default(), None, 100)
        .wait()
        .unwrap();
    let entries = page.entries.iter();
    entries
        .map(|entry| entry.event.data.code().to_owned())
        .collect()
}

#[test]
fn a_backup_and_a_restore_are_recorded_in_the_activity() {
    let folder = tempfile::tempdir().unwrap();
    let here = home(&folder.path().join("here"));
    let instance = add(&here, "Acme");
    let directory = open(&here, &instance);
    let mut file = tempfile::tempfile().unwrap();
    here.back_up_to(
        &instance.id,
        &*directory,
        None,
        &by(now()),
        &mut file,
        &mut |_| Ok(()),
    )
    .unwrap();
    assert_eq!(codes(&*directory)[0], "backed_up");
    let stopped = here.back_up_to(
        &instance.id,
        &*directory,
        None,
        &by(now()),
        &mut file,
        &mut |_| Err(latchkey_core::Error::internal("cancelled")),
    );
    stopped.unwrap_err();
    let recorded = codes(&*directory);
    let backups = recorded.iter().filter(|code| *code == "backed_up");
    assert_eq!(backups.count(), 1, "a cancelled one is none: {recorded:?}");

    let backup = back_up(&here, &instance, &*directory, false);
    let there = home(&folder.path().join("there"));
    let restored = restore(&there, &backup, false, None).unwrap().instance;
    let recorded = codes(&*open(&there, &restored));
    assert_eq!(recorded[..2], ["restored", "backed_up"]);
}

#[test]
fn a_wrong_passphrase_restores_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let here = home(&folder.path().join("here"));
    let instance = add(&here, "Acme");
    let backup = back_up(&here, &instance, &*open(&here, &instance), true);
    let there = home(&folder.path().join("there"));
    let wrong = secret("wrong horse battery staple");
    let options = RestoreOptions {
        passphrase: Some(&wrong),
        ..RestoreOptions::default()
    };
    let reader = BackupReader::open(&backup[..]).unwrap();
    let refused = there.restore(reader, &options, &by(now()), &mut |_| Ok(()));
    assert_eq!(refused.unwrap_err().code, ErrorCode::WrongPassphrase);
    assert!(there.instances().list().unwrap().instances.is_empty());
    let weak = secret("short");
    let directory = open(&here, &instance);
    let refused = here.back_up(
        &instance.id,
        &*directory,
        Some(&weak),
        now(),
        Vec::new(),
        &mut |_| Ok(()),
    );
    assert_eq!(refused.unwrap_err().code, ErrorCode::WeakPassphrase);
}

#[test]
fn a_restored_user_can_be_found_changed_and_sorted() {
    use latchkey_core::directory::{PageStart, Sort, UserQuery};

    let folder = tempfile::tempdir().unwrap();
    let here = home(&folder.path().join("here"));
    let instance = add(&here, "Acme");
    let directory = open(&here, &instance);
    import(&*directory, "user", 600);
    let backup = back_up(&here, &instance, &*directory, false);
    let there = home(&folder.path().join("there"));
    let restored = restore(&there, &backup, false, None).unwrap().instance;
    let again = open(&there, &restored);
    let pages = [&directory, &again].map(|directory| {
        let query = UserQuery::default();
        let page = directory.users(&query, Sort::default(), &PageStart::First, 600);
        page.wait().unwrap().users
    });
    assert_eq!(pages[0], pages[1]);
    let email = latchkey_core::protocol::email::Email::parse("USER-7@acme.example", "email");
    let found = again
        .user_by_email(&email.unwrap())
        .wait()
        .unwrap()
        .unwrap();
    assert_eq!(found.id, user("user-7"));
    again.suspend(&user("user-7"), &by(now())).wait().unwrap();
    assert_eq!(again.seats(now()).wait().unwrap().used, 599);
}
