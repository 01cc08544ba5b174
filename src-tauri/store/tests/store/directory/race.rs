//! Proof: many threads compete for few seats. In any order, no seat is given twice, and none is
//! left.

use latchkey_store::Wait as _;
use std::collections::HashMap;
use std::thread;

use latchkey_core::ErrorCode;
use latchkey_core::directory::{Directory, PageStart, Sort, UserQuery};
use latchkey_core::instance::Policy;
use latchkey_core::verdict::Status;
use latchkey_store::EmbeddedDirectory;

use super::{id, new_user, person};
use crate::by;
use crate::signed::now;
use crate::soak::{figure, share};

const THREADS: usize = 64;
const CODES: usize = 5_000;
const SEATS: u64 = 1_000;

/// Request of a thread.
enum Wish {
    Redeem(Box<latchkey_core::protocol::code::VerifiedCode>),
    Reactivate(latchkey_core::protocol::user_id::UserId),
}

impl Wish {
    fn ask(&self, directory: &EmbeddedDirectory) -> &'static str {
        match self {
            Self::Redeem(code) => directory
                .redeem(Ok(code), Policy::default(), &by(now()))
                .wait()
                .unwrap()
                .code(),
            Self::Reactivate(user) => match directory.reactivate(user, &by(now())).wait() {
                Ok(user) if user.status == Status::Active => "reactivated",
                Ok(_) => "left suspended",
                Err(refused) if refused.code == ErrorCode::NoSeats => "no_seats",
                Err(refused) => panic!("{refused}"),
            },
        }
    }
}

/// Runs the requests on threads. Returns how often each answer was given.
fn race(directory: &EmbeddedDirectory, wishes: &[Wish]) -> HashMap<&'static str, u64> {
    let mut answers = HashMap::new();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let own = wishes.iter().skip(thread).step_by(THREADS);
                scope.spawn(move || own.map(|wish| wish.ask(directory)).collect::<Vec<_>>())
            })
            .collect();
        for answer in threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
        {
            *answers.entry(answer).or_default() += 1;
        }
    });
    answers
}

/// Returns the number of used seats by the counters and by the rows, and the number of all rows.
fn counted(directory: &EmbeddedDirectory) -> (u64, u64, u64) {
    let with = |status| {
        let query = UserQuery {
            status,
            ..UserQuery::default()
        };
        let page = directory.users(&query, Sort::default(), &PageStart::First, 1);
        page.wait().unwrap().total
    };
    let used = directory.seats(now()).wait().unwrap().used;
    (used, with(Some(Status::Active)), with(None))
}

fn print_figures(runs: usize, wishes: usize) {
    figure("races", runs);
    figure("threads", THREADS);
    figure("seats", SEATS);
    figure("people who want one", wishes);
    figure("seats given twice or left", 0);
}

#[test]
fn new_users_take_every_seat_once() {
    let wishes: Vec<Wish> = (0..CODES)
        .map(|number| Wish::Redeem(Box::new(new_user(&format!("user-{number}")))))
        .collect();
    let runs = share(20);
    for run in 0..runs {
        let folder = tempfile::tempdir().unwrap();
        let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
        directory
            .set_seat_limit(Some(SEATS), &by(now()))
            .wait()
            .unwrap();
        let answers = race(&directory, &wishes);
        let expected = HashMap::from([("provisioned", SEATS), ("no_seats", CODES as u64 - SEATS)]);
        assert_eq!(answers, expected, "run {run}");
        assert_eq!(counted(&directory), (SEATS, SEATS, SEATS), "run {run}");
        drop(directory);
        // Opening counts the rows on the disk and compares them with the counters.
        let again = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
        assert_eq!(counted(&again), (SEATS, SEATS, SEATS), "run {run}");
    }
    print_figures(runs, wishes.len());
}

#[test]
fn new_and_reactivated_users_take_every_seat_once() {
    const SUSPENDED: usize = 1_000;
    let mut wishes: Vec<Wish> = Vec::new();
    for number in 0..CODES {
        wishes.push(Wish::Redeem(Box::new(new_user(&format!("user-{number}")))));
        if number % (CODES / SUSPENDED) == 0 {
            let suspended = id(&format!("suspended-{}", number * SUSPENDED / CODES));
            wishes.push(Wish::Reactivate(suspended));
        }
    }
    let runs = share(20);
    for run in 0..runs {
        let folder = tempfile::tempdir().unwrap();
        let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
        let people: Vec<_> = (0..SUSPENDED)
            .map(|number| person(&format!("suspended-{number}"), None))
            .collect();
        for some in people.chunks(250) {
            directory.import(some, &by(now())).wait().unwrap();
        }
        thread::scope(|scope| {
            for some in people.chunks(SUSPENDED / THREADS + 1) {
                let directory = &directory;
                scope.spawn(move || {
                    for person in some {
                        directory.suspend(&person.id, &by(now())).wait().unwrap();
                    }
                });
            }
        });
        directory
            .set_seat_limit(Some(SEATS), &by(now()))
            .wait()
            .unwrap();
        let answers = race(&directory, &wishes);
        let of = |answer| answers.get(answer).copied().unwrap_or_default();
        let (provisioned, reactivated) = (of("provisioned"), of("reactivated"));
        assert_eq!(provisioned + reactivated, SEATS, "run {run}: {answers:?}");
        assert_eq!(
            of("no_seats"),
            wishes.len() as u64 - SEATS,
            "run {run}: {answers:?}"
        );
        assert!(provisioned > 0 && reactivated > 0, "run {run}: {answers:?}");
        let expected = (SEATS, SEATS, SUSPENDED as u64 + provisioned);
        assert_eq!(counted(&directory), expected, "run {run}");
        drop(directory);
        let again = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
        assert_eq!(counted(&again), expected, "run {run}");
    }
    print_figures(runs, wishes.len());
}
