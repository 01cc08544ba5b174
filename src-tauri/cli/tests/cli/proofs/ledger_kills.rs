//! Proof: programs are killed at random moments while they change links, accounts, requests, sessions
//! and signing keys. Afterwards all changes that they acknowledged are there, none is half done, and
//! no use of a link was spent twice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use latchkey_core::protocol::claims::Registered;
use latchkey_core::protocol::uses::Uses;
use serde_json::Value;

use super::change_kinds::CHANGES;
use super::changes::Changes;
use super::random::Random;
use super::{click, link_with, links, person, serve};
use crate::run::{hosted_here, in_folder, until};
use crate::serve::{PASSPHRASE, Serving};
use crate::soak::{figure, share};

/// Number of uses of each link.
const USES: u64 = 5;
/// Number of concurrent visitors.
const VISITORS: usize = 4;
/// Maximum number of clicks of a visitor at one gateway.
const MOST_CLICKS: usize = 1_000;
/// Maximum number of acknowledged uses before a gateway is killed.
const MOST_USES: usize = 20;
/// Maximum time from the last of these uses to the kill.
const LONGEST_MICROS: usize = 10_000;

/// Command lines that are killed.
struct Killer<'a> {
    folder: &'a Path,
    random: Random,
    /// Time that a command takes if nothing kills it, by whether it opens the signing keys.
    usual: BTreeMap<bool, Duration>,
}

impl Killer<'_> {
    /// Runs a command and kills it at a random moment. Returns whether its answer is whole. The
    /// first command of each speed is not killed, and tells how long it takes.
    fn kill(&mut self, command: &[String]) -> bool {
        let begun = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_latchkey"))
            .arg("--json")
            .args(command)
            .env_clear()
            .env("LATCHKEY_KEYCHAIN", "off")
            .env("LATCHKEY_DATA_DIR", self.folder)
            .env("LATCHKEY_PASSPHRASE", PASSPHRASE)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let opens_keys = command[0] == "keys";
        if let Some(usual) = self.usual.get(&opens_keys) {
            // Most of the changes are written near the end.
            let part = 30 + self.random.below(80);
            let moment = *usual * u32::try_from(part).unwrap() / 100;
            thread::sleep(moment.saturating_sub(begun.elapsed()));
            child.kill().unwrap();
        }
        let output = child.wait_with_output().unwrap();
        self.usual.entry(opens_keys).or_insert(begun.elapsed());
        serde_json::from_slice::<Value>(&output.stdout).is_ok()
    }
}

#[test]
fn no_change_that_the_command_line_acknowledged_is_lost_or_half_done_when_it_is_killed() {
    let kills = share(300);
    let folder = hosted_here("http://localhost:8787");
    let folder = folder.path();
    let mut changes = Changes::begin(folder, kills);
    let mut killer = Killer {
        folder,
        random: Random::new(),
        usual: BTreeMap::new(),
    };
    for number in 0..kills {
        let command = changes.command(number);
        let is_acknowledged = killer.kill(&command);
        changes.note(number, is_acknowledged);
    }
    changes.require_all();
    // The first command of each speed is not killed.
    assert!(
        changes.acknowledged > killer.usual.len(),
        "each kill was too early"
    );
    figure("command lines killed", kills);
    figure("kinds of changes", CHANGES.len());
    figure("changes acknowledged", changes.acknowledged);
    figure("changes made and not acknowledged", changes.unacknowledged);
    figure("changes lost or half done", 0);
}

fn link_of(number: usize) -> (String, String) {
    let id = format!("link-{number}");
    let registered = Registered {
        id: Some(id.clone()),
        uses: Uses::limited(USES).unwrap(),
        ..Registered::default()
    };
    (id, link_with(number, registered))
}

/// Acts of visitors at a gateway until it was killed.
#[derive(Default)]
struct Visits {
    /// Links that signed in, once for each use.
    clicks: Vec<String>,
    /// Users who have asked for a new link.
    asked: BTreeSet<String>,
}

#[test]
fn no_use_of_a_link_that_a_gateway_acknowledged_is_lost_or_spent_twice_when_it_is_killed() {
    let kills = share(300);
    let folder = hosted_here("http://localhost:8787");
    let folder = folder.path();
    let mut random = Random::new();
    let mut changes = Changes::begin(folder, kills);
    // All visitors use the same link until it is used up.
    let current = Mutex::new(0);
    let (mut uses, mut asked) = (BTreeMap::<String, u64>::new(), BTreeSet::new());
    for kill in 0..kills {
        let before = random.below(MOST_USES + 1);
        let moment = Duration::from_micros(random.below(LONGEST_MICROS) as u64);
        let change = changes.command(kill);
        let program = Command::new(env!("CARGO_BIN_EXE_latchkey"));
        let mut serving = Serving::start(serve(program, folder).stderr(Stdio::null()));
        let process = serving.child.id().to_string();
        let visits = Mutex::new(Visits::default());
        let is_changed = thread::scope(|scope| {
            for _ in 0..VISITORS {
                scope.spawn(|| visit(&serving.address, &current, &visits));
            }
            let changing = scope.spawn(|| {
                let change: Vec<&str> = change.iter().map(String::as_str).collect();
                // It fails if the gateway is killed before.
                in_folder(folder, &[&["--json"], &change[..]].concat()).code == 0
            });
            until("people use the links", || {
                visits.lock().unwrap().clicks.len() >= before
            });
            thread::sleep(moment);
            let killed = Command::new("kill").args(["-KILL", &process]).status();
            assert!(killed.unwrap().success());
            changing.join().unwrap()
        });
        serving.child.wait().unwrap();
        let visits = visits.into_inner().unwrap();
        for id in visits.clicks {
            *uses.entry(id).or_default() += 1;
        }
        asked.extend(visits.asked);
        let links = links(folder);
        for (id, acknowledged) in &uses {
            let spent = links[id]["used"].as_u64().unwrap();
            assert!(*acknowledged <= spent, "kill {kill}: a use of {id} is lost");
            assert!(spent <= USES, "kill {kill}: a use of {id} is spent twice");
        }
        changes.note(kill, is_changed);
    }
    changes.require_all();
    for user in &asked {
        assert!(
            changes.instances.request_of(user).is_some(),
            "the request of {user} is lost"
        );
    }
    let all: u64 = uses.values().sum();
    assert!(all >= kills as u64, "only {all} were acknowledged");
    assert!(!asked.is_empty(), "nobody asked for a new link");
    figure("gateways killed", kills);
    figure("links", uses.len());
    figure("uses acknowledged", all);
    figure("requests for a new link acknowledged", asked.len());
    figure("other changes acknowledged", changes.acknowledged);
    figure("uses lost or spent twice, changes lost or half done", 0);
}

/// Clicks the current link in new browsers until the gateway ends. Asks for a new link when it is
/// used up, and goes on to the next.
fn visit(gateway: &str, current: &Mutex<usize>, visits: &Mutex<Visits>) {
    for _ in 0..MOST_CLICKS {
        let number = *current.lock().unwrap();
        let (id, link) = link_of(number);
        match click(gateway, &link, "", "") {
            Some(303) => visits.lock().unwrap().clicks.push(id),
            Some(410) => {
                let asker = format!("X-Forwarded-For: 192.0.2.{}\r\n", number % 250);
                match click(gateway, &link, "ask=new-link", &asker) {
                    Some(200) => {
                        visits.lock().unwrap().asked.insert(person(number));
                    }
                    None => break,
                    other => panic!("asked for a new link: {other:?}"),
                }
                let mut current = current.lock().unwrap();
                *current = (*current).max(number + 1);
            }
            None => break,
            other => panic!("{other:?}"),
        }
    }
}
