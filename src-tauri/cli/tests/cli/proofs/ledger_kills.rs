//! Proof: programs are killed at random moments while they change links, sessions and signing keys.
//! Afterwards all changes that they acknowledged are there, none is half done, and no use of a link
//! was spent twice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use latchkey_core::protocol::claims::Registered;
use latchkey_core::protocol::uses::Uses;
use serde_json::Value;

use super::random::Random;
use super::{answer, link_with, open, person, serve, status_of};
use crate::run::{hosted_here, in_folder, until};
use crate::serve::{PASSPHRASE, Serving};
use crate::soak::{figure, share};

/// Number of sessions of each user.
const SESSIONS: u64 = 2;
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

/// Runs a command that succeeds. Returns its answer in JSON.
pub(super) fn done(folder: &Path, arguments: &[&str]) -> Value {
    let ran = in_folder(folder, &[&["--json"], arguments].concat());
    assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
    ran.json()
}

/// Returns all links by their ID.
pub(super) fn links(folder: &Path) -> BTreeMap<String, Value> {
    let list = ["links", "list", "--instance", "here", "--limit", "1000000"];
    let listed = done(folder, &list);
    let links = listed["links"].as_array().unwrap().iter();
    let links = links.map(|link| (link["id"].as_str().unwrap().to_owned(), link.clone()));
    links.collect()
}

fn sessions(folder: &Path, user: &str) -> u64 {
    let list = ["sessions", "list", "--instance", "here", "--user", user];
    done(folder, &list)["total"].as_u64().unwrap()
}

fn require_sound_activity(folder: &Path) {
    done(folder, &["activity", "verify", "--instance", "here"]);
}

/// Command lines that are killed, and the changes that they acknowledged.
struct Killer<'a> {
    folder: &'a Path,
    secret: String,
    random: Random,
    /// Time that a command takes if nothing kills it.
    usual: BTreeMap<&'static str, Duration>,
    given_out: BTreeSet<String>,
    revoked: BTreeSet<String>,
    signed_out: BTreeSet<String>,
    /// Changes that were made, and whether they were acknowledged.
    acknowledged: usize,
    unacknowledged: usize,
}

impl Killer<'_> {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
        command
            .arg("--json")
            .args(arguments)
            .env_clear()
            .env("LATCHKEY_KEYCHAIN", "off")
            .env("LATCHKEY_DATA_DIR", self.folder)
            .env("LATCHKEY_PASSPHRASE", PASSPHRASE)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        command
    }

    /// Runs a command and kills it at a random moment. Returns its answer, if it is whole. The
    /// first command of each kind is not killed, and tells how long it takes.
    fn kill(&mut self, kind: &'static str, arguments: &[&str]) -> Option<Value> {
        let begun = Instant::now();
        let mut child = self.command(arguments).spawn().unwrap();
        if let Some(usual) = self.usual.get(kind) {
            // Most of the changes are written near the end.
            let part = 30 + self.random.below(80);
            let moment = *usual * u32::try_from(part).unwrap() / 100;
            thread::sleep(moment.saturating_sub(begun.elapsed()));
            child.kill().unwrap();
        }
        let output = child.wait_with_output().unwrap();
        self.usual.entry(kind).or_insert_with(|| begun.elapsed());
        serde_json::from_slice(&output.stdout).ok()
    }

    /// Notes whether a change was made, and requires it if it was acknowledged.
    fn note(&mut self, what: &str, answer: Option<&Value>, is_made: bool) {
        assert!(answer.is_none() || is_made, "{what} is lost: {answer:?}");
        self.acknowledged += usize::from(answer.is_some());
        self.unacknowledged += usize::from(answer.is_none() && is_made);
    }

    fn give_out(&mut self, user: &str) {
        let limit = USES.to_string();
        let secret = self.secret.clone();
        let answer = self.kill(
            "link",
            &[
                "link",
                "--instance",
                "here",
                "--user-id",
                user,
                "--uses",
                &limit,
                "--secret-file",
                &secret,
            ],
        );
        let links = links(self.folder);
        let made = links.values().find(|link| link["user"] == user);
        self.note("a link", answer.as_ref(), made.is_some());
        if let Some(answer) = answer {
            let id = answer["id"].as_str().unwrap().to_owned();
            assert_eq!(made.unwrap()["id"], id.as_str());
            self.given_out.insert(id);
        }
    }

    fn revoke(&mut self) {
        let open = self.given_out.difference(&self.revoked).next();
        let id = open.cloned().unwrap();
        let answer = self.kill("revoke", &["links", "revoke", "--instance", "here", &id]);
        let is_revoked = links(self.folder)[&id]["status"] == "revoked";
        self.note("a revocation", answer.as_ref(), is_revoked);
        if is_revoked {
            self.revoked.insert(id);
        }
    }

    fn sign_out(&mut self, user: &str) {
        let end = [
            "sessions",
            "end",
            "--instance",
            "here",
            "--user",
            user,
            "--all",
        ];
        let answer = self.kill("sign out", &end);
        let left = sessions(self.folder, user);
        assert!([0, SESSIONS].contains(&left), "{left} sessions are left");
        self.note("the end of sessions", answer.as_ref(), left == 0);
        if left == 0 {
            self.signed_out.insert(user.to_owned());
        }
    }

    fn keys(&self) -> Vec<Value> {
        let keys = done(self.folder, &["keys", "list", "--instance", "rotated"]);
        keys["signing_keys"].as_array().unwrap().clone()
    }

    fn rotate(&mut self) {
        let before = self.keys();
        let rotate = ["keys", "rotate", "--instance", "rotated"];
        let answer = self.kill("rotate", &rotate);
        let after = self.keys();
        self.note("a rotation", answer.as_ref(), after.len() > before.len());
        let ids = |keys: &[Value]| keys.iter().map(|key| key["id"].clone()).collect::<Vec<_>>();
        // The former keys are there, after a new one or without it.
        assert!(ids(&after).ends_with(&ids(&before)), "{after:?}");
        assert_eq!(after[0]["state"], "active");
        // The active key can sign.
        let link = ["link", "--instance", "rotated", "--id", "1"];
        done(self.folder, &link);
        let retiring = after.iter().skip(1).map(|key| key["id"].as_str().unwrap());
        for key in retiring {
            done(
                self.folder,
                &["keys", "retire", key, "--instance", "rotated"],
            );
        }
    }

    /// Requires all changes that were acknowledged, also the first ones.
    fn require_all(&self) {
        let links = links(self.folder);
        for id in &self.given_out {
            let expected = if self.revoked.contains(id) {
                "revoked"
            } else {
                "not_used"
            };
            assert_eq!(links[id]["status"], expected, "{id}");
        }
        for user in &self.signed_out {
            assert_eq!(sessions(self.folder, user), 0, "{user}");
        }
        require_sound_activity(self.folder);
    }
}

/// Signs each person in by a gateway, which is killed afterwards.
fn begin_sessions(folder: &Path, people: usize) {
    let program = Command::new(env!("CARGO_BIN_EXE_latchkey"));
    let serving = Serving::start(serve(program, folder).stderr(Stdio::null()));
    for number in 0..people {
        let link = link_with(number, Registered::default());
        for _ in 0..SESSIONS {
            assert_eq!(open(&serving.address, &link, ""), Some(303));
        }
    }
    // Dropping it kills the gateway.
    drop(serving);
    for number in 0..people {
        assert_eq!(sessions(folder, &person(number)), SESSIONS);
    }
}

#[test]
fn no_change_that_the_command_line_acknowledged_is_lost_or_half_done_when_it_is_killed() {
    let kills = share(300);
    let folder = hosted_here("http://localhost:8787");
    let folder = folder.path();
    begin_sessions(folder, kills / 4 + 1);
    let rotated = ["instance", "add", "Rotated", "--url", "https://a.b"];
    done(folder, &rotated);
    let mut killer = Killer {
        folder,
        secret: folder.join("secret").to_str().unwrap().to_owned(),
        random: Random::new(),
        usual: BTreeMap::new(),
        given_out: BTreeSet::new(),
        revoked: BTreeSet::new(),
        signed_out: BTreeSet::new(),
        acknowledged: 0,
        unacknowledged: 0,
    };
    for number in 0..kills {
        match number % 4 {
            1 if killer.given_out.len() > killer.revoked.len() => killer.revoke(),
            0 | 1 => killer.give_out(&format!("given-{number}")),
            2 => killer.sign_out(&person(number / 4)),
            _ => killer.rotate(),
        }
    }
    killer.require_all();
    assert!(killer.acknowledged > 0 && killer.acknowledged < kills);
    figure("command lines killed", kills);
    figure("changes acknowledged", killer.acknowledged);
    figure("changes made and not acknowledged", killer.unacknowledged);
    figure("changes lost or half done", 0);
}

/// Opens a link and clicks the button in a new browser. Returns the status of the last response.
fn click(address: &str, link: &str) -> Option<u16> {
    let page = answer(address, "GET", link, "")?;
    let cookies = page.lines().filter_map(|line| {
        let cookie = line.strip_prefix("set-cookie: ")?;
        cookie.split(';').next()
    });
    let cookies = cookies.collect::<Vec<_>>().join("; ");
    let headers = format!(
        "Cookie: {cookies}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 0\r\n"
    );
    status_of(&answer(address, "POST", link, &headers)?)
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

#[test]
fn no_use_of_a_link_that_a_gateway_acknowledged_is_lost_or_spent_twice_when_it_is_killed() {
    let kills = share(300);
    let folder = hosted_here("http://localhost:8787");
    let folder = folder.path();
    let mut random = Random::new();
    // All visitors use the same link until it is used up.
    let current = Mutex::new(0);
    let (mut uses, mut revoked) = (BTreeMap::<String, u64>::new(), BTreeSet::new());
    for kill in 0..kills {
        let before = random.below(MOST_USES + 1);
        let moment = Duration::from_micros(random.below(LONGEST_MICROS) as u64);
        let program = Command::new(env!("CARGO_BIN_EXE_latchkey"));
        let mut serving = Serving::start(serve(program, folder).stderr(Stdio::null()));
        let process = serving.child.id().to_string();
        let clicks = Mutex::new(Vec::new());
        let withdrawn = Mutex::new(None);
        thread::scope(|scope| {
            for _ in 0..VISITORS {
                scope.spawn(|| {
                    for _ in 0..MOST_CLICKS {
                        let number = *current.lock().unwrap();
                        let (id, link) = link_of(number);
                        match click(&serving.address, &link) {
                            Some(303) => clicks.lock().unwrap().push(id),
                            // Used up or revoked.
                            Some(403 | 410) => {
                                let mut current = current.lock().unwrap();
                                *current = (*current).max(number + 1);
                            }
                            None => break,
                            other => panic!("{other:?}"),
                        }
                    }
                });
            }
            scope.spawn(|| {
                let (id, _) = link_of(*current.lock().unwrap());
                let revoke = ["--json", "links", "revoke", "--instance", "here", &id];
                // It fails if the gateway is killed before.
                let ran = in_folder(folder, &revoke);
                *withdrawn.lock().unwrap() = (ran.code == 0).then_some(id);
            });
            until("people use the links", || {
                clicks.lock().unwrap().len() >= before
            });
            thread::sleep(moment);
            let killed = Command::new("kill").args(["-KILL", &process]).status();
            assert!(killed.unwrap().success());
        });
        serving.child.wait().unwrap();
        for id in clicks.into_inner().unwrap() {
            *uses.entry(id).or_default() += 1;
        }
        revoked.extend(withdrawn.into_inner().unwrap());
        let links = links(folder);
        for (id, acknowledged) in &uses {
            let spent = links[id]["used"].as_u64().unwrap();
            assert!(*acknowledged <= spent, "kill {kill}: a use of {id} is lost");
            assert!(spent <= USES, "kill {kill}: a use of {id} is spent twice");
        }
        for id in &revoked {
            assert_eq!(links[id]["status"], "revoked", "kill {kill}: {id}");
        }
    }
    require_sound_activity(folder);
    let all: u64 = uses.values().sum();
    assert!(all >= kills as u64, "only {all} were acknowledged");
    figure("gateways killed", kills);
    figure("links", uses.len());
    figure("uses acknowledged", all);
    figure("revocations acknowledged", revoked.len());
    figure("uses lost or spent twice, revocations lost", 0);
}
