//! The ledger of an instance that is hosted elsewhere.

use std::sync::Arc;

use jiff::ToSpan as _;
use latchkey_core::activity::{ActivityQuery, Event, EventData};
use latchkey_core::directory::{Command, Directory, PageStart, Sort, UserQuery};
use latchkey_core::instance::{Hosted, Instance, Name, Settings};
use latchkey_core::ledger::TakenLink;
use latchkey_core::link::BaseUrl;
use latchkey_core::link::compose::{LinkSpec, claims};
use latchkey_core::protocol::payload::{ExistingId, Payload};
use latchkey_core::{ErrorCode, Result};
use latchkey_gateway::{Administration, serve_locally};
use latchkey_store::backup::BackupReader;
use latchkey_store::home::{Home, Reached, RestoreOptions};
use latchkey_store::keys::KeychainUse;
use latchkey_store::{Wait as _, files};

use crate::signed::now;
use crate::{by, revoke_link};

fn home(folder: &std::path::Path) -> Home {
    Home::open(folder.to_owned(), KeychainUse::Never).unwrap()
}

fn add(home: &Home, hosted: Hosted) -> Instance {
    let url = BaseUrl::parse("https://chat.example").unwrap();
    let settings = Settings::new(Name::parse("Chat").unwrap(), url, hosted);
    let instance = home.instances().add(settings, None, &by(now()));
    instance.unwrap()
}

fn link() -> TakenLink {
    let payload = Payload::Id(ExistingId::parse("1234", false).unwrap());
    let spec = LinkSpec::new(payload, "7 days".parse().unwrap());
    TakenLink::new(claims(spec, now()).unwrap(), None)
}

fn codes(directory: &dyn Directory) -> Vec<String> {
    let query = ActivityQuery::default();
    let page = directory.activity(&query, None, 100);
    let entries = page.wait().unwrap().entries.into_iter();
    entries
        .map(|entry| entry.event.data.code().to_owned())
        .collect()
}

fn is_refused<T>(result: Result<T>) -> bool {
    result.is_err_and(|refused| refused.code == ErrorCode::HostedElsewhere)
}

#[test]
fn an_instance_elsewhere_has_a_ledger_and_activity_and_no_directory() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    let instance = add(&home, Hosted::Elsewhere);
    let taken = link();
    let id = taken.claims.registered.id.clone().unwrap();
    {
        let ledger = home.ledger(&instance, "a test").unwrap().directory();
        ledger.take_link(taken, &by(now())).wait().unwrap();
    }
    let changed = home.change(
        &instance.id,
        |settings| {
            settings.lifetime = "2 days".parse()?;
            Ok(())
        },
        None,
        &by(now()),
    );
    let ledger = home.ledger(&changed.unwrap(), "a test").unwrap();
    let ledger = ledger.directory();
    let (found, known) = ledger.link(&id, now()).wait().unwrap().unwrap();
    assert_eq!(found.link.subject.as_deref(), Some("1234"));
    assert!(known.is_some(), "the claims make the same code again");
    assert_eq!(
        codes(&*ledger),
        ["settings_changed", "link_made", "instance_made"]
    );
    drop(ledger);
    assert!(is_refused(home.reach(&instance, "a test").map(drop)));
    assert!(is_refused(home.directory(&instance, "a test").map(drop)));
    assert!(is_refused(
        home.directory_to_serve(&instance, "a test").map(drop)
    ));
}

#[test]
fn a_process_that_holds_a_ledger_serves_it_and_refuses_requests_about_users() {
    let folder = tempfile::tempdir().unwrap();
    let home = Arc::new(home(folder.path()));
    let instance = add(&home, Hosted::Elsewhere);
    let Reached::Held(held) = home.ledger(&instance, "a test").unwrap() else {
        panic!("nobody else holds it");
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let administration = Administration::new(Arc::clone(&home), &instance.id, "a test", held, None);
    let socket = runtime.block_on(async { serve_locally(administration) });
    let socket = socket.unwrap();
    let Reached::Remote(remote) = home.ledger(&instance, "another").unwrap() else {
        panic!("it is held");
    };
    let taken = link();
    let id = taken.claims.registered.id.clone().unwrap();
    remote.take_link(taken, &by(now())).wait().unwrap();
    revoke_link(&*remote, &id, now());
    assert!(remote.link(&id, now()).wait().unwrap().is_some());
    let recorded = codes(&*remote);
    assert_eq!(recorded, ["revoked", "link_made", "instance_made"]);
    let (query, by_now) = (UserQuery::default(), by(now()));
    let users = remote.users(&query, Sort::default(), &PageStart::First, 10);
    assert!(is_refused(users.wait().map(drop)));
    assert!(is_refused(remote.counts(now()).wait().map(drop)));
    let seats = remote.execute(Command::SetSeatLimit(Some(3)), &by_now);
    assert!(is_refused(seats.wait().map(drop)));
    assert_eq!(codes(&*remote).len(), 3, "nothing else was recorded");
    runtime.block_on(socket.end());
}

#[test]
fn a_backup_of_an_instance_elsewhere_has_its_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let here = home(&folder.path().join("here"));
    let instance = add(&here, Hosted::Elsewhere);
    let ledger = here.ledger(&instance, "a test").unwrap().directory();
    let taken = link();
    let id = taken.claims.registered.id.clone().unwrap();
    ledger.take_link(taken, &by(now())).wait().unwrap();
    let mut backup = Vec::new();
    let made = here.back_up(
        &instance.id,
        &*ledger,
        None,
        now(),
        &mut backup,
        &mut |_| Ok(()),
    );
    made.unwrap();
    let there = home(&folder.path().join("there"));
    let reader = BackupReader::open(&backup[..]).unwrap();
    let options = RestoreOptions::default();
    let restored = there.restore(reader, &options, &by(now()), &mut |_| Ok(()));
    let restored = restored.unwrap().instance;
    assert_eq!(restored.settings.hosted, Hosted::Elsewhere);
    let again = there.ledger(&restored, "a test").unwrap().directory();
    assert!(again.link(&id, now()).wait().unwrap().is_some());
    assert_eq!(codes(&*again), ["restored", "link_made", "instance_made"]);
    drop(again);
    there.remove(&restored.id).unwrap();
    assert!(!there.instances().folder(&restored.id).exists());
}

#[test]
fn an_instance_keeps_its_ledger_when_it_moves_here() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    let instance = add(&home, Hosted::Elsewhere);
    let taken = link();
    let id = taken.claims.registered.id.clone().unwrap();
    let ledger = home.ledger(&instance, "a test").unwrap().directory();
    ledger.take_link(taken, &by(now())).wait().unwrap();
    drop(ledger);
    let here = home
        .instances()
        .update(&instance.id, &by(now()), |instance| {
            instance.settings.hosted = Hosted::Here;
            Ok(())
        });
    let directory = home.directory(&here.unwrap(), "a test").unwrap();
    assert!(directory.link(&id, now()).wait().unwrap().is_some());
}

#[test]
fn a_change_at_typingmind_is_recorded_after_it_was_made() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    let instance = add(&home, Hosted::Elsewhere);
    let removed = |unconfirmed| Event {
        subject: Some("ada@acme.example".to_owned()),
        ..Event::from(EventData::TypingMindUserRemoved {
            id: "7".to_owned(),
            unconfirmed,
        })
    };
    let ledger = home.ledger(&instance, "a test").unwrap().directory();
    let waiting = |event: Event| {
        let mut changed = home.instances().get(&instance.id).unwrap();
        changed.outbox.add(vec![event], &by(now()));
        changed
    };
    // The process that makes the change holds this lock.
    let lock = home
        .instances()
        .folder(&instance.id)
        .join(".typingmind.lock");
    let lock = files::lock(&lock).unwrap();
    let changing = waiting(removed(true));
    home.record_outbox(&changing, &*ledger).wait().unwrap();
    assert_eq!(codes(&*ledger), ["instance_made"]);
    drop(lock);
    let done = waiting(removed(false));
    home.record_outbox(&done, &*ledger).wait().unwrap();
    assert_eq!(codes(&*ledger)[0], "typingmind_user_removed");
    let about = |who: &str| {
        let query = ActivityQuery {
            subject: Some(who.to_owned()),
            ..ActivityQuery::default()
        };
        let page = ledger.activity(&query, None, 10).wait().unwrap();
        page.entries.len()
    };
    assert_eq!(
        (about("7"), about("ada@acme.example"), about("8")),
        (1, 1, 0)
    );
}

#[test]
fn the_process_that_opens_a_ledger_elsewhere_removes_what_the_retention_does_not_keep() {
    for (hosted, is_pruned) in [(Hosted::Elsewhere, true), (Hosted::Here, false)] {
        let folder = tempfile::tempdir().unwrap();
        let home = home(folder.path());
        let instance = add(&home, hosted);
        let open = || home.ledger(&instance, "a test").unwrap();
        let taken = link();
        let id = taken.claims.registered.id.clone().unwrap();
        let ledger = open().directory();
        ledger.take_link(taken, &by(now())).wait().unwrap();
        drop(ledger);
        let opened = |hours: i64| {
            let ledger = open().pruned(&instance, now() + hours.hours()).directory();
            let found = ledger.link(&id, now()).wait().unwrap();
            (found.is_some(), codes(&*ledger).len())
        };
        assert_eq!(opened(24), (true, 2));
        // The clock must go on for a day before it is believed.
        assert_eq!(opened(24 * 799), (true, 2));
        let left = if is_pruned { (false, 0) } else { (true, 2) };
        assert_eq!(opened(24 * 800), left);
    }
}
