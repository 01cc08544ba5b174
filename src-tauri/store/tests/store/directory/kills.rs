//! Proof: a process that changes a directory is killed at random moments. Afterwards all changes
//! that it acknowledged are there, and each counted seat has its user.

use latchkey_store::Wait as _;
use std::collections::HashSet;
use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use latchkey_core::directory::{Directory as _, PageStart, Sort, UserQuery};
use latchkey_core::instance::Policy;
use latchkey_core::verdict::Status;
use latchkey_store::EmbeddedDirectory;

use super::random::Random;
use super::{id, new_user};
use crate::by;
use crate::signed::now;
use crate::soak::{figure, share};

/// Environment variable with the folder for the process that is killed.
const FOLDER: &str = "LATCHKEY_TEST_KILLS";
/// Maximum time from the start of a process to its kill.
const LONGEST_MICROS: usize = 400_000;
/// Number of people. Later sign-ins begin again with the first person, who signs in to the same
/// account.
const PEOPLE: usize = 2_000;
const THREADS: usize = 4;
/// Number of changes after which a thread ends if it was not killed.
const CHANGES: usize = 10_000;

/// Signs people in on several threads, and prints each ID after its change was acknowledged.
#[test]
#[ignore = "it is the process that another test kills"]
fn changes_the_directory() {
    let Some(folder) = env::var_os(FOLDER) else {
        return;
    };
    let directory = EmbeddedDirectory::open(Path::new(&folder), "a test").unwrap();
    let start = usize::try_from(directory.count().wait().unwrap()).unwrap();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let directory = &directory;
            scope.spawn(move || {
                for number in (start + thread..).step_by(THREADS).take(CHANGES) {
                    let who = format!("user-{}", number % PEOPLE);
                    let verdict = directory
                        .redeem(Ok(&new_user(&who)), Policy::default(), &by(now()))
                        .wait();
                    assert!(verdict.unwrap().user().is_some());
                    // `println` cannot be used, because the test runner captures its output.
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "acknowledged {who}").unwrap();
                    out.flush().unwrap();
                }
            });
        }
    });
}

fn start(folder: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "directory::kills::changes_the_directory"])
        .args(["--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn no_change_that_was_acknowledged_is_lost_when_the_process_is_killed() {
    let kills = share(300);
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random::new();
    let (mut acknowledged, mut changes, mut early) = (HashSet::new(), 0, 0);
    for kill in 0..kills {
        let mut child = start(folder.path());
        let out = child.stdout.take().unwrap();
        let reader = thread::spawn(move || {
            let lines = BufReader::new(out).split(b'\n').map_while(Result::ok);
            let lines = lines.filter_map(|line| String::from_utf8(line).ok());
            lines
                .filter_map(|line| Some(line.split_once("acknowledged ")?.1.to_owned()))
                .collect::<Vec<_>>()
        });
        let moment = random.below(LONGEST_MICROS) as u64;
        thread::sleep(Duration::from_micros(moment));
        child.kill().unwrap();
        child.wait().unwrap();
        let mut lines = reader.join().unwrap();
        // The kill may have cut the last line.
        lines.pop();
        early += usize::from(lines.is_empty());
        changes += lines.len();
        acknowledged.extend(lines);

        let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
        for who in &acknowledged {
            let user = directory.user(&id(who)).wait().unwrap();
            assert!(user.is_some(), "kill {kill}: {who} is lost");
        }
        let active = UserQuery {
            status: Some(Status::Active),
            ..UserQuery::default()
        };
        let page = directory.users(&active, Sort::default(), &PageStart::First, 1);
        let used = directory.seats().wait().unwrap().used;
        assert_eq!(used, page.wait().unwrap().total, "kill {kill}");
    }
    assert!(changes >= kills, "only {changes} were acknowledged");
    figure("processes killed", kills);
    figure("of them before the first answer", early);
    figure("changes acknowledged", changes);
    figure("users", acknowledged.len());
    figure("changes lost", 0);
}
