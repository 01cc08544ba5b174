//! Proof: power cuts are simulated from the system calls of a program. `strace` records its writes
//! to the log of the directory and its calls of `fdatasync`. A write after the last sync may be on
//! the disk as a whole, in part, as zeros, or not at all.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use latchkey_core::protocol::claims::Registered;
use latchkey_core::protocol::uses::Uses;

use super::random::Random;
use super::system_calls::{Call, Kind, recorded, traced};
use super::{done, link, link_with, links, open, person, serve, status_of, users};
use crate::run::hosted_here;
use crate::serve::Serving;
use crate::soak::{figure, share};

/// Number of concurrent visitors of the gateway.
const VISITORS: usize = 8;
/// Number of changes that are acknowledged.
pub(super) const CHANGES: usize = 160;
/// Number of uses of each link.
const USES: u64 = 2;

/// Redeems links one after another by the command line. Returns its calls.
fn redeem(folder: &Path, links: impl Iterator<Item = String>) -> Vec<Call> {
    let record = folder.join("record");
    let links: Vec<String> = links.map(|link| link + "\n").collect();
    fs::write(folder.join("links"), links.concat()).unwrap();
    let status = traced(&record)
        .args(["--json", "redeem", "-", "--instance", "here"])
        .arg("--secret-file")
        .arg(folder.join("secret"))
        .env("LATCHKEY_KEYCHAIN", "off")
        .env("LATCHKEY_DATA_DIR", folder)
        .stdin(fs::File::open(folder.join("links")).unwrap())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    recorded(&record)
}

/// Uses links up, one after another. Returns the calls.
fn use_up(folder: &Path) -> Vec<Call> {
    let links = (0..CHANGES).map(|number| {
        let person = number / usize::try_from(USES).unwrap();
        let registered = Registered {
            id: Some(format!("link-{person}")),
            uses: Uses::limited(USES).unwrap(),
            ..Registered::default()
        };
        link_with(person, registered)
    });
    redeem(folder, links)
}

/// Sends requests to a gateway, several at a time. Returns its calls.
pub(super) fn ask(folder: &Path, send: impl Fn(&str, usize) + Sync) -> Vec<Call> {
    let record = folder.join("record");
    let mut program = serve(traced(&record), folder);
    let serving = Serving::start(program.stderr(Stdio::null()));
    let (address, send) = (&serving.address, &send);
    thread::scope(|scope| {
        for visitor in 0..VISITORS {
            scope.spawn(move || {
                for number in (visitor..CHANGES).step_by(VISITORS) {
                    send(address, number);
                }
            });
        }
    });
    serving.end();
    recorded(&record)
}

/// Opens links at a gateway. Returns its calls.
fn visit(folder: &Path) -> Vec<Call> {
    ask(folder, |address, number| {
        let who = format!("X-Person: {}\r\n", person(number));
        assert_eq!(open(address, &link(number), &who), Some(303));
    })
}

/// Makes links by the API of a gateway, which enters them in the ledger. Returns its calls.
fn give_out(folder: &Path) -> Vec<Call> {
    let key = fs::read_to_string(folder.join("api-key")).unwrap();
    ask(folder, |address, number| {
        let body = format!(r#"{{"payload":{{"user":{{"id":"{}"}}}}}}"#, person(number));
        let request = format!(
            "POST /api/v1/links HTTP/1.1\r\nHost: localhost\r\nX-API-KEY: {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let answer = Serving::ask(address, &request).unwrap();
        assert_eq!(status_of(&answer), Some(200), "{answer}");
    })
}

/// Returns how often each person has signed in for the first time: once, or not at all.
fn first_sign_ins(folder: &Path, when: &str) -> BTreeMap<String, u64> {
    let users = users(folder, when).into_iter();
    users.map(|user| (user, 1)).collect()
}

/// Returns the number of links of each person that are in the ledger.
fn links_given_out(folder: &Path, _when: &str) -> BTreeMap<String, u64> {
    let mut given_out = BTreeMap::new();
    for link in links(folder).values() {
        let user = link["user"].as_str().unwrap().to_owned();
        *given_out.entry(user).or_default() += 1;
    }
    given_out
}

/// Returns the number of uses that each person has spent.
fn uses_spent(folder: &Path, when: &str) -> BTreeMap<String, u64> {
    let links = links(folder);
    let spent = links.values().map(|link| {
        let used = link["used"].as_u64().unwrap();
        assert!(used <= USES, "{when}: a use is spent twice: {link}");
        (link["user"].as_str().unwrap().to_owned(), used)
    });
    spent.collect()
}

/// Returns the person whom a request or a response names.
fn named_in(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("user-")?;
    let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(format!("user-{number}"))
}

/// Returns the people whose change was acknowledged, each with the index of the call in which the
/// response began.
fn answers_in(calls: &[Call]) -> Vec<(usize, String)> {
    let (mut asked, mut answers) = (HashMap::new(), Vec::new());
    let mut in_order: Vec<&Call> = calls.iter().collect();
    in_order.sort_by_key(|call| call.began);
    for call in in_order {
        match &call.kind {
            Kind::Input { file, text }
                if ["GET ", "POST ", "PUT "]
                    .iter()
                    .any(|method| text.starts_with(method)) =>
            {
                asked.insert(file, named_in(text).unwrap());
            }
            Kind::Output { file, text }
                if text.starts_with("HTTP/1.1 303") || text.starts_with("HTTP/1.1 20") =>
            {
                answers.push((call.began, asked[file].clone()));
            }
            Kind::Output { file, text } if file == "1" => {
                answers.extend(named_in(text).map(|person| (call.began, person)));
            }
            _ => {}
        }
    }
    answers
}

/// Returns the log after a power cut before the call with index `cut`.
fn log_after(
    before: &[u8],
    calls: &[Call],
    cut: usize,
    mut random: impl FnMut(usize) -> usize,
) -> Vec<u8> {
    let syncs = calls
        .iter()
        .filter(|call| matches!(call.kind, Kind::Sync) && call.ended < cut);
    let synced = syncs.map(|call| call.began).max().unwrap_or(0);
    let mut log = before.to_vec();
    let way = random(4);
    let mut writes: Vec<&Call> = calls.iter().filter(|call| call.began < cut).collect();
    writes.sort_by_key(|call| call.ended);
    for call in writes {
        let Kind::Write { at, bytes } = &call.kind else {
            continue;
        };
        let mut bytes = bytes.clone();
        if call.ended >= synced {
            match way {
                0 => continue,
                _ if random(2) == 0 => continue,
                // Disks write whole sectors.
                1 => bytes.truncate(random(bytes.len() + 1) / 512 * 512),
                2 => bytes.fill(0),
                _ => {}
            }
        }
        let end = at + bytes.len();
        log.resize(log.len().max(end), 0);
        log[*at..end].copy_from_slice(&bytes);
    }
    log
}

/// Simulates power cuts at random moments of `work`. `kept` returns the number of changes for each
/// person that are in the directory, and must find all that were acknowledged.
pub(super) fn cut_power(
    folder: &Path,
    work: impl Fn(&Path) -> Vec<Call>,
    kept: impl Fn(&Path, &str) -> BTreeMap<String, u64>,
) {
    let traces = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .status();
    if !traces.unwrap().success() {
        println!("not tested: the operating system does not let strace trace");
        return;
    }
    let cuts = share(300);
    let made = done(folder, &["api-key", "make", "Other", "--instance", "here"]);
    fs::write(folder.join("api-key"), made["key"].as_str().unwrap()).unwrap();
    let directory = folder.join("instances/here/directory");
    let log = directory.join("sled/db");
    assert!(kept(folder, "at first").is_empty());
    let before = copied_files(&directory);
    let log_before = fs::read(&log).unwrap();
    let calls = work(folder);
    let answers = answers_in(&calls);
    assert_eq!(answers.len(), CHANGES);
    let syncs = calls.iter().filter(|call| matches!(call.kind, Kind::Sync));
    let syncs = syncs.count();
    let (first, end) = (answers[0].0, answers[CHANGES - 1].0);
    let mut random = Random::new();
    let mut unacknowledged = 0;
    for _ in 0..cuts {
        let cut = first + random.below(end - first);
        let after = log_after(&log_before, &calls, cut, |limit| random.below(limit));
        restore(&directory, &before);
        fs::write(&log, after).unwrap();
        let kept = kept(folder, &format!("cut at {cut}"));
        let mut acknowledged = BTreeMap::<&str, u64>::new();
        for (_, person) in answers.iter().filter(|(began, _)| *began < cut) {
            *acknowledged.entry(person).or_default() += 1;
        }
        for (person, count) in &acknowledged {
            let kept = kept.get(*person).copied().unwrap_or_default();
            assert!(kept >= *count, "the cut at {cut} lost a change of {person}");
        }
        unacknowledged += kept.values().sum::<u64>() - acknowledged.values().sum::<u64>();
    }
    figure("power cuts", cuts);
    figure("acknowledged changes", CHANGES);
    figure("syncs of the log", syncs);
    figure("acknowledged changes lost", 0);
    figure(
        "changes that were kept and not yet acknowledged",
        unacknowledged,
    );
}

/// Simulates power cuts of work in a new directory.
fn cut_power_anew(
    work: impl Fn(&Path) -> Vec<Call>,
    kept: impl Fn(&Path, &str) -> BTreeMap<String, u64>,
) {
    let folder = hosted_here("http://localhost:8787");
    cut_power(folder.path(), work, kept);
}

#[test]
fn nothing_that_a_gateway_acknowledged_is_lost_by_a_power_cut() {
    cut_power_anew(visit, first_sign_ins);
}

#[test]
fn nothing_that_the_command_line_acknowledged_is_lost_by_a_power_cut() {
    cut_power_anew(
        |folder| redeem(folder, (0..CHANGES).map(link)),
        first_sign_ins,
    );
}

#[test]
fn no_link_that_a_gateway_gave_out_is_lost_by_a_power_cut() {
    cut_power_anew(give_out, links_given_out);
}

#[test]
fn no_use_that_was_acknowledged_is_lost_or_spent_twice_by_a_power_cut() {
    cut_power_anew(use_up, uses_spent);
}

/// Returns the files of a directory without the log, with their relative paths.
fn copied_files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = [directory.to_owned(), directory.join("sled")].map(|folder| {
        fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path())
    });
    let files = files.into_iter().flatten().filter(|path| path.is_file());
    files
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

/// Writes the files back, and removes all others.
fn restore(directory: &Path, files: &[(PathBuf, Vec<u8>)]) {
    fs::remove_dir_all(directory).unwrap();
    fs::create_dir_all(directory.join("sled/blobs")).unwrap();
    for (path, bytes) in files {
        fs::write(path, bytes).unwrap();
    }
}
