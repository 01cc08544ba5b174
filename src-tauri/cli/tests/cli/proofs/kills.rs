//! Proof: programs are killed at random moments. Afterwards all changes that they acknowledged are
//! there, and each counted seat has its user.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::random::Random;
use super::{link, open, person, serve, users};
use crate::run::hosted_here;
use crate::serve::Serving;
use crate::soak::{figure, share};

/// Number of concurrent visitors.
const VISITORS: usize = 4;
/// Number of people. Later visits begin again with the first person, who signs in to the same
/// account.
const PEOPLE: usize = 2_000;
/// Maximum time from the start of a program to its kill.
const LONGEST_MICROS: usize = 60_000;

#[test]
fn no_sign_in_that_a_gateway_acknowledged_is_lost_when_it_is_killed() {
    let kills = share(300);
    let folder = hosted_here("http://localhost:8787");
    let folder = folder.path();
    let program = || serve(Command::new(env!("CARGO_BIN_EXE_latchkey")), folder);
    let mut random = Random::new();
    let next = AtomicUsize::new(0);
    let (mut acknowledged, mut answers) = (BTreeSet::new(), 0);
    for kill in 0..kills {
        let moment = Duration::from_micros(random.below(LONGEST_MICROS) as u64);
        // Every fourth kill hits a gateway that may not have opened the directory yet.
        if kill % 4 == 3 {
            let mut starting = program().stdout(Stdio::null()).spawn().unwrap();
            thread::sleep(moment);
            starting.kill().unwrap();
            starting.wait().unwrap();
        } else {
            let mut serving = Serving::start(program().stderr(Stdio::null()));
            let done = Mutex::new(Vec::new());
            thread::scope(|scope| {
                for _ in 0..VISITORS {
                    scope.spawn(|| {
                        loop {
                            let number = next.fetch_add(1, Ordering::Relaxed) % PEOPLE;
                            let Some(status) = open(&serving.address, &link(number), "") else {
                                break;
                            };
                            assert_eq!(status, 303);
                            done.lock().unwrap().push(person(number));
                        }
                    });
                }
                thread::sleep(moment);
                let id = serving.child.id().to_string();
                let killed = Command::new("kill").args(["-KILL", &id]).status();
                assert!(killed.unwrap().success());
            });
            serving.child.wait().unwrap();
            let done = done.into_inner().unwrap();
            answers += done.len();
            acknowledged.extend(done);
        }
        let users = users(folder, &format!("kill {kill}"));
        let lost: Vec<_> = acknowledged.difference(&users).collect();
        assert!(lost.is_empty(), "kill {kill} lost {lost:?}");
    }
    assert!(answers > 0, "none was acknowledged");
    figure("gateways killed", kills);
    figure("sign-ins acknowledged", answers);
    figure("users", acknowledged.len());
    figure("users lost", 0);
}

#[test]
fn no_redemption_that_the_command_line_acknowledged_is_lost_when_it_is_killed() {
    let kills = share(300);
    let folder = hosted_here("https://a.b");
    let folder = folder.path();
    let mut random = Random::new();
    let (mut acknowledged, mut answered) = (BTreeSet::new(), 0);
    for kill in 0..kills {
        let mut child = Command::new(env!("CARGO_BIN_EXE_latchkey"))
            .args(["--json", "redeem", "-", "--instance", "here"])
            .arg("--secret-file")
            .arg(folder.join("secret"))
            .env_clear()
            .env("LATCHKEY_KEYCHAIN", "off")
            .env("LATCHKEY_DATA_DIR", folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
        let links: Vec<String> = (0..40).map(|number| link(kill + number)).collect();
        // Errors are ignored, because a killed program does not read on.
        let writer = thread::spawn(move || {
            let written = links.iter().try_for_each(|link| writeln!(input, "{link}"));
            drop(written);
        });
        // The program is killed while it prints the answer after these.
        let before: Vec<String> = answers
            .by_ref()
            .take(random.below(33))
            .map(Result::unwrap)
            .collect();
        child.kill().unwrap();
        child.wait().unwrap();
        writer.join().unwrap();
        // Answers that were printed before the kill and not read yet are acknowledged, too.
        let rest = answers.map_while(Result::ok);
        for answer in before.into_iter().chain(rest) {
            // The last line may be cut.
            if let Ok(answer) = serde_json::from_str::<Value>(&answer) {
                acknowledged.insert(answer["user"].as_str().unwrap().to_owned());
                answered += 1;
            }
        }
        let users = users(folder, &format!("kill {kill}"));
        let lost: Vec<_> = acknowledged.difference(&users).collect();
        assert!(lost.is_empty(), "kill {kill} lost {lost:?}");
    }
    assert!(answered >= kills, "only {answered} were acknowledged");
    figure("command lines killed", kills);
    figure("redemptions acknowledged", answered);
    figure("redemptions lost", 0);
}
