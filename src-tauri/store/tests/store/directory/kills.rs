//! Proof: a process that changes a directory is killed at random moments. Afterwards all changes
//! that it acknowledged are there, no use of a link was spent twice, and each counted seat has its
//! user.

use latchkey_store::Wait as _;
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE;
use latchkey_core::directory::{self, Directory, PageStart, Redemption, Sort, UserQuery};
use latchkey_core::instance::Policy;
use latchkey_core::ledger::{
    LinkPageStart, LinkQuery, LinkSort, LinkStatus, RevocationScope, TakenLink,
};
use latchkey_core::link::short_code::{ShortCode, ShortCodeHash};
use latchkey_core::protocol::code::VerifiedCode;
use latchkey_core::session::{NewSession, SessionId, SessionKey, SessionScope};
use latchkey_core::verdict::Status;
use latchkey_store::EmbeddedDirectory;

use super::made_links::{made_for, revoke_at};
use super::random::Random;
use super::{code, id};
use crate::by;
use crate::signed::now;
use crate::soak::{figure, share};

/// Environment variable with the folder for the process that is killed.
const FOLDER: &str = "LATCHKEY_TEST_KILLS";
/// Environment variable with the number of the process.
const NUMBER: &str = "LATCHKEY_TEST_KILLS_NUMBER";
/// Maximum time from the start of a process to its kill, if it is killed at a time.
const LONGEST_MICROS: usize = 400_000;
/// Maximum number of changes before the kill, if a process is killed after some.
const MOST_CHANGES: usize = 400;
const THREADS: usize = 4;
/// Number of people after which a thread ends if it was not killed.
const PEOPLE: usize = 2_000;
/// Number of uses of a link that all processes use, one after the other.
const SHARED_USES: u64 = 100;

/// Changes the directory in all ways on several threads, and prints each change after it was
/// acknowledged.
#[test]
#[ignore = "it is the process that another test kills"]
fn changes_the_directory() {
    let Some(folder) = env::var_os(FOLDER) else {
        return;
    };
    let number = env::var(NUMBER).unwrap();
    let directory = EmbeddedDirectory::open(Path::new(&folder), "a test").unwrap();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (directory, number) = (&directory, &number);
            scope.spawn(move || {
                for person in 0..PEOPLE {
                    change(directory, &format!("p{number}-{thread}-{person}"), person);
                    use_shared(directory);
                }
            });
        }
    });
}

/// Prints a change that was acknowledged.
fn print(what: &str, which: &str) {
    // `println` cannot be used, because the test runner captures its output.
    let mut out = std::io::stdout().lock();
    writeln!(out, "acknowledged {what} {which}").unwrap();
    out.flush().unwrap();
}

/// Returns the key of a session as text.
fn text(key: SessionKey) -> String {
    BASE64_URL_SAFE.encode(key.to_bytes())
}

fn session_key(text: &str) -> SessionKey {
    SessionKey::from_bytes(&BASE64_URL_SAFE.decode(text).unwrap()).unwrap()
}

/// Redeems a code with a new session. Returns the key of the session if the visitor is signed in.
fn sign_in(directory: &EmbeddedDirectory, code: &VerifiedCode) -> Option<SessionKey> {
    let key = SessionId::new(now()).unwrap().key();
    let redemption = Redemption {
        code: Ok(code.clone()),
        policy: Policy::default(),
        session: Some(NewSession {
            key,
            place: SessionScope::Page,
            browser: None,
            browser_key: None,
            replaces: None,
        }),
    };
    let command = directory::Command::Redeem(Arc::new(redemption));
    let verdict = directory.execute(command, &by(now())).wait();
    let verdict = verdict.unwrap().verdict().unwrap();
    verdict.user().map(|_| key)
}

/// Gives out a link with two uses for a new user, uses it up, and then changes what belongs to it.
fn change(directory: &EmbeddedDirectory, who: &str, number: usize) {
    let by = &by(now());
    let link = made_for(who, Some(2));
    let code = ShortCode::new().unwrap();
    let taken = TakenLink {
        short: Some(code.hash()),
        ..link.taken()
    };
    directory.take_link(taken, by).wait().unwrap();
    print("taken", link.id());
    print("short", &format!("{} {who} {}", link.id(), code.expose()));
    let sessions = [(); 2].map(|()| {
        let session = sign_in(directory, &link.code).expect("the link has uses left");
        print("used", link.id());
        print("session", &text(session));
        session
    });
    assert_eq!(sign_in(directory, &link.code), None);
    let user = id(who);
    match number % 6 {
        0 => {
            let scope = RevocationScope::Link(link.id().to_owned());
            revoke_at(directory, scope, true, now());
            print("revoked", link.id());
        }
        1 => {
            revoke_at(directory, RevocationScope::Person(user), true, now());
            print("revoked", link.id());
        }
        2 => {
            let newer = made_for(who, None);
            let taken = TakenLink {
                supersedes: true,
                ..newer.taken()
            };
            directory.take_link(taken, by).wait().unwrap();
            print("taken", newer.id());
            print("superseded", link.id());
        }
        3 => {
            print("ending", &text(sessions[0]));
            directory.end_session(&sessions[0], by).wait().unwrap();
            print("ended", &text(sessions[0]));
        }
        4 => {
            directory.remove(&user, by).wait().unwrap();
            print("removed", who);
        }
        _ => {
            directory.suspend(&user, by).wait().unwrap();
            print("suspended", who);
        }
    }
}

/// Uses a link that earlier processes may have used, too. There is a new one when it is used up.
fn use_shared(directory: &EmbeddedDirectory) {
    let mut number = 0;
    loop {
        let name = format!("shared-{number}");
        let found = directory.link(&name, now()).wait().unwrap();
        let is_open = found.is_none_or(|(listed, _)| listed.link.used < SHARED_USES);
        let payload = format!(r#""user":{{"id":"shared"}},"jti":"{name}","uses":{SHARED_USES}"#);
        if is_open && sign_in(directory, &code(&payload, -60)).is_some() {
            print("used", &name);
            return;
        }
        number += 1;
    }
}

/// Changes that were acknowledged.
#[derive(Default)]
struct Acknowledged {
    links: BTreeSet<String>,
    /// Short links with their links and users.
    short: BTreeMap<String, (String, String)>,
    /// Number of sign-ins by each link.
    uses: BTreeMap<String, u64>,
    states: BTreeMap<String, LinkStatus>,
    sessions: BTreeSet<String>,
    /// Sessions whose end was begun.
    ending: BTreeSet<String>,
    ended: BTreeSet<String>,
    users: BTreeMap<String, Option<Status>>,
}

impl Acknowledged {
    fn note(&mut self, what: &str, which: &str) {
        let which = which.to_owned();
        match what {
            "taken" => drop(self.links.insert(which)),
            "short" => {
                let [link, user, code] = which.split(' ').collect::<Vec<_>>()[..] else {
                    panic!("{which} is no short link");
                };
                let of = (link.to_owned(), user.to_owned());
                self.short.insert(code.to_owned(), of);
            }
            "used" => *self.uses.entry(which).or_default() += 1,
            "session" => drop(self.sessions.insert(which)),
            "ending" => drop(self.ending.insert(which)),
            "ended" => drop(self.ended.insert(which)),
            "revoked" => drop(self.states.insert(which, LinkStatus::Revoked)),
            "superseded" => drop(self.states.insert(which, LinkStatus::Superseded)),
            "removed" => drop(self.users.insert(which, None)),
            "suspended" => drop(self.users.insert(which, Some(Status::Suspended))),
            other => panic!("{other} is no change"),
        }
    }

    fn absorb(&mut self, other: Self) {
        self.links.extend(other.links);
        self.short.extend(other.short);
        for (link, uses) in other.uses {
            *self.uses.entry(link).or_default() += uses;
        }
        self.states.extend(other.states);
        self.sessions.extend(other.sessions);
        self.ending.extend(other.ending);
        self.ended.extend(other.ended);
        self.users.extend(other.users);
    }

    fn count(&self) -> usize {
        let uses: u64 = self.uses.values().sum();
        self.links.len()
            + usize::try_from(uses).unwrap()
            + self.states.len()
            + self.ended.len()
            + self.users.len()
    }

    /// Fails if a change is lost. `uses` are all acknowledged uses, also those of other processes.
    fn require(&self, directory: &EmbeddedDirectory, uses: &BTreeMap<String, u64>) {
        let link = |id: &str| {
            let found = directory.link(id, now()).wait().unwrap();
            found.unwrap_or_else(|| panic!("link {id} is lost")).0
        };
        for id in &self.links {
            link(id);
        }
        for (code, (id, person)) in &self.short {
            let found = directory.short_link(&ShortCodeHash::of(code)).wait();
            let found = found.unwrap().map(|short| short.id);
            // The user may have been removed without an answer to the command.
            let person = directory.user(&crate::directory::id(person)).wait();
            assert_eq!(link(id).link.has_short, found.is_some(), "{id}");
            match found {
                Some(found) => assert_eq!(found, *id),
                None => assert!(person.unwrap().is_none(), "the short link of {id} is lost"),
            }
        }
        for id in self.uses.keys() {
            let (spent, acknowledged) = (link(id).link.used, uses[id]);
            let limit = if id.starts_with("shared") {
                SHARED_USES
            } else {
                2
            };
            assert!(acknowledged <= spent, "a use of {id} is lost");
            assert!(
                spent <= limit && acknowledged <= limit,
                "a use of {id} is spent twice"
            );
        }
        for (id, status) in &self.states {
            let found = link(id).standing.status;
            // A link that was used up before stays so.
            assert!(
                found == *status || found == LinkStatus::UsedUp,
                "{id}: {found:?}"
            );
        }
        for key in &self.ended {
            let found = directory.session(&session_key(key)).wait().unwrap();
            assert_eq!(found, None, "{key}");
        }
        for key in self.sessions.difference(&self.ending) {
            let found = directory.session(&session_key(key)).wait().unwrap();
            assert!(found.is_some(), "session {key} is lost");
        }
        for (user, status) in &self.users {
            let found = directory.user(&id(user)).wait().unwrap();
            assert_eq!(found.map(|user| user.status), *status, "{user}");
        }
    }
}

fn start(folder: &Path, number: usize) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "directory::kills::changes_the_directory"])
        .args(["--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .env(NUMBER, number.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// When a process is killed.
enum Moment {
    /// At a time after its start. It may have acknowledged nothing then.
    Micros(u64),
    /// When it has acknowledged a number of changes.
    Changes(usize),
}

/// Notes the lines of a process until it ends. Tells `reached` when it has acknowledged `wanted`
/// changes.
fn read(out: ChildStdout, wanted: usize, reached: &Sender<()>) -> Acknowledged {
    let (mut out, mut line) = (BufReader::new(out), String::new());
    let mut acknowledged = Acknowledged::default();
    let mut is_reached = false;
    loop {
        line.clear();
        // The kill may have cut the last line.
        if out.read_line(&mut line).is_err() || !line.ends_with('\n') {
            return acknowledged;
        }
        if let Some((_, change)) = line.trim_end().split_once("acknowledged ") {
            let (what, which) = change.split_once(' ').unwrap();
            acknowledged.note(what, which);
        }
        if !is_reached && acknowledged.count() >= wanted {
            is_reached = true;
            // Nobody listens if the process is killed at a time.
            let _ = reached.send(());
        }
    }
}

/// Starts a process and kills it. Returns what it has acknowledged.
fn kill(folder: &Path, number: usize, moment: &Moment) -> Acknowledged {
    let mut child = start(folder, number);
    let out = child.stdout.take().unwrap();
    let wanted = match moment {
        Moment::Micros(_) => usize::MAX,
        Moment::Changes(changes) => *changes,
    };
    let (reached, is_reached) = mpsc::channel();
    let reader = thread::spawn(move || read(out, wanted, &reached));
    match moment {
        Moment::Micros(micros) => thread::sleep(Duration::from_micros(*micros)),
        Moment::Changes(changes) => assert!(
            is_reached.recv().is_ok(),
            "the process ended before it acknowledged {changes} changes"
        ),
    }
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

#[test]
fn no_change_that_was_acknowledged_is_lost_when_the_process_is_killed() {
    let kills = share(300);
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random::new();
    let (mut acknowledged, mut early, mut awaited) = (Acknowledged::default(), 0, 0);
    for number in 0..kills {
        // Every other process is killed after a number of changes, because on a busy machine one
        // that is killed at a time may not have made any.
        let moment = if number % 2 == 0 {
            let changes = 1 + random.below(MOST_CHANGES);
            awaited += changes;
            Moment::Changes(changes)
        } else {
            Moment::Micros(random.below(LONGEST_MICROS) as u64)
        };
        let new = kill(folder.path(), number, &moment);
        early += usize::from(new.count() == 0);
        let mut uses = acknowledged.uses.clone();
        for (link, some) in &new.uses {
            *uses.entry(link.clone()).or_default() += some;
        }
        let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
        let verified = directory.verify_activity(None).wait().unwrap();
        assert!(verified.is_sound(), "{:?}", verified.faults);
        new.require(&directory, &uses);
        acknowledged.absorb(new);
        if number % 30 == 0 || number + 1 == kills {
            acknowledged.require(&directory, &acknowledged.uses);
        }
        require_counted(&directory);
    }
    let changes = acknowledged.count();
    assert!(
        changes >= awaited,
        "{changes} changes were acknowledged, and not {awaited}"
    );
    figure("processes killed", kills);
    figure("of them before the first answer", early);
    figure("changes acknowledged", changes);
    figure("links given out", acknowledged.links.len());
    figure("uses", acknowledged.uses.values().sum::<u64>());
    figure("changes lost or uses spent twice", 0);
}

/// Requires that each counted seat has its user, and that all links are found.
fn require_counted(directory: &EmbeddedDirectory) {
    let active = UserQuery {
        status: Some(Status::Active),
        ..UserQuery::default()
    };
    let page = directory.users(&active, Sort::default(), &PageStart::First, 1);
    let used = directory.seats(now()).wait().unwrap().used;
    assert_eq!(used, page.wait().unwrap().total);
    let query = LinkQuery::default();
    let links = directory.links(&query, LinkSort::default(), &LinkPageStart::First, 1);
    let counts = directory.link_counts(now()).wait().unwrap();
    assert_eq!(links.wait().unwrap().total, counts.all());
}
