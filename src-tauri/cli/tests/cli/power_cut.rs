//! A power cut, by what the program asks of the operating system: `strace` records its writes to the
//! directory's log and its `fdatasync`. A write that no later sync has followed may be on the disk, or
//! not, or in part, or as zeros.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::run::{hosted_here, in_folder};

/// Number of people who sign in for the first time.
const PEOPLE: usize = 60;
/// Number of moments at which the power is cut.
const CUTS: usize = 30;

/// A call that the program made. Its place in the record says when it began and when it ended.
struct Call {
    began: usize,
    ended: usize,
    kind: Kind,
}

enum Kind {
    Write { at: usize, bytes: Vec<u8> },
    Sync,
    Answer(String),
}

/// The bytes in `"\x61\x62"`, which ends at the quotation mark.
fn bytes_of(text: &str) -> Vec<u8> {
    let text = text.split('"').nth(1).unwrap();
    let bytes = text.split("\\x").skip(1);
    bytes
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect()
}

/// Reads a whole call as `strace` writes it: a write or a sync of the log, or an answer to the caller.
fn kind_of(call: &str) -> Option<Kind> {
    let (name, arguments) = call.split_once('(')?;
    let (file, arguments) = arguments.split_once('>').unwrap_or((arguments, ""));
    let (number, path) = file.split_once('<').unwrap_or((file, ""));
    let is_log = String::from_utf8(bytes_of(&format!("\"{path}\"")))
        .is_ok_and(|path| path.ends_with("/sled/db"));
    let result = call.rsplit_once(" = ")?.1;
    match name {
        "pwrite64" if is_log => {
            let bytes = bytes_of(arguments);
            assert_eq!(result, bytes.len().to_string(), "it is written whole");
            let at = arguments.rsplit_once(')')?.0.rsplit(", ").next()?;
            Some(Kind::Write {
                at: at.parse().unwrap(),
                bytes,
            })
        }
        "fdatasync" if is_log => (result == "0").then_some(Kind::Sync),
        "write" if number == "1" => Some(Kind::Answer(
            String::from_utf8(bytes_of(arguments)).unwrap(),
        )),
        _ => None,
    }
}

/// Reads the record. A call that another thread's interrupted stands in two lines.
fn calls_in(record: &str) -> Vec<Call> {
    let (mut calls, mut unfinished) = (Vec::new(), HashMap::new());
    for (place, line) in record.lines().enumerate() {
        let (thread, call) = line.trim_start().split_once(' ').unwrap();
        let call = call.trim_start();
        let (began, call) = if let Some(beginning) = call.strip_suffix(" <unfinished ...>") {
            unfinished.insert(thread, (place, beginning));
            continue;
        } else if let Some((_, end)) = call.split_once(" resumed>") {
            let (began, beginning) = unfinished.remove(thread).unwrap();
            (began, format!("{beginning}{end}"))
        } else {
            (place, call.to_owned())
        };
        calls.extend(kind_of(&call).map(|kind| Call {
            began,
            ended: place,
            kind,
        }));
    }
    calls
}

/// Redeems links for new people, and records the calls.
fn redeem(folder: &Path) -> Vec<Call> {
    let record = folder.join("record");
    let links: Vec<String> = (0..PEOPLE)
        .map(|number| {
            let id = format!("user-{number}");
            let ran = in_folder(folder, &["link", "--instance", "here", "--user-id", &id]);
            assert_eq!(ran.code, 0, "{}", ran.err);
            ran.out
        })
        .collect();
    fs::write(folder.join("links"), links.concat()).unwrap();
    let status = Command::new("strace")
        .args(["-f", "-y", "-xx", "-s", "10000000"])
        .args([
            "-e",
            "trace=pwrite64,write,fdatasync",
            "-e",
            "signal=none",
            "-o",
        ])
        .arg(&record)
        .arg(env!("CARGO_BIN_EXE_latchkey"))
        .args([
            "--json",
            "redeem",
            "-",
            "--instance",
            "here",
            "--secret-file",
        ])
        .arg(folder.join("secret"))
        .env("LATCHKEY_KEYCHAIN", "off")
        .env("LATCHKEY_DATA_DIR", folder)
        .stdin(fs::File::open(folder.join("links")).unwrap())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    calls_in(&fs::read_to_string(record).unwrap())
}

/// The log after a power cut before the call at `cut` of the record.
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
                // The disk writes sectors.
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

#[test]
fn nothing_that_was_acknowledged_is_lost_by_a_power_cut() {
    let traces = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .status();
    if !traces.unwrap().success() {
        println!("not tested: the operating system does not let strace trace");
        return;
    }
    let folder = hosted_here("https://a.b");
    let directory = folder.path().join("instances/here/directory");
    let log = directory.join("sled/db");
    let list = [
        "--json",
        "users",
        "list",
        "--instance",
        "here",
        "--limit",
        "1000",
    ];
    assert_eq!(in_folder(folder.path(), &list).code, 0);
    let before = copied_files(&directory);
    let log_before = fs::read(&log).unwrap();
    let calls = redeem(folder.path());
    let answers: Vec<(usize, &String)> = calls
        .iter()
        .filter_map(|call| match &call.kind {
            Kind::Answer(text) => Some((call.began, text)),
            _ => None,
        })
        .collect();
    assert_eq!(answers.len(), PEOPLE);
    let end = answers.last().unwrap().0;
    let mut state = 7_usize;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for _ in 0..CUTS {
        let cut = answers[0].0 + random(end - answers[0].0);
        let after = log_after(&log_before, &calls, cut, &mut random);
        restore(&directory, &before);
        fs::write(&log, after).unwrap();
        let listed = in_folder(folder.path(), &list);
        assert_eq!(listed.code, 0, "cut at {cut}: {}", listed.err);
        let listed = listed.json();
        let users = listed["users"].as_array().unwrap().iter();
        let users: BTreeSet<&str> = users.map(|user| user["id"].as_str().unwrap()).collect();
        for (_, answer) in answers.iter().filter(|(began, _)| *began < cut) {
            let answer: Value = serde_json::from_str(answer).unwrap();
            let user = answer["user"].as_str().unwrap();
            assert!(users.contains(user), "cut at {cut}: {user} is lost");
        }
    }
}

/// The files of a directory, but the log, with their paths in it.
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

/// Puts the files back, and removes all others.
fn restore(directory: &Path, files: &[(PathBuf, Vec<u8>)]) {
    fs::remove_dir_all(directory).unwrap();
    fs::create_dir_all(directory.join("sled/blobs")).unwrap();
    for (path, bytes) in files {
        fs::write(path, bytes).unwrap();
    }
}
