//! Proof: many refused codes from several addresses, while people sign in.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{link, open, serve, users};
use crate::run::{hosted_here, in_folder};
use crate::serve::Serving;
use crate::soak::{figure, share};

/// Number of addresses that send refused codes. Each has one connection at a time.
const ADDRESSES: usize = 8;
/// Number of people who sign in during the flood.
const PEOPLE: usize = 30;

/// Returns the path and query of a link with a forged code of about 4 KiB.
fn forged(number: usize) -> String {
    let header = json!({ "alg": "HS256", "x": "junk".repeat(700) }).to_string();
    let claims = json!({ "id": format!("x{number}") }).to_string();
    let [header, claims] =
        [header, claims].map(|part| crate::terminal::base64_url(part.as_bytes()));
    format!("/?externalAuthCode={header}.{claims}.{number:043}")
}

/// Returns the disk space that a folder uses, in bytes.
fn disk_bytes(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;

    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            let metadata = entry.metadata().unwrap();
            if metadata.is_dir() {
                disk_bytes(&entry.path())
            } else {
                metadata.blocks() * 512
            }
        })
        .sum()
}

/// Returns the resident memory of a process, in bytes.
fn resident_bytes(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.unwrap().split_whitespace().next().unwrap();
    kib.parse::<u64>().unwrap() * 1024
}

#[expect(clippy::cast_precision_loss, reason = "it is printed with one decimal")]
fn mb(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[test]
fn a_flood_of_refusals_keeps_nobody_out_and_fills_neither_disk_nor_memory_nor_log() {
    let refusals = share(100_000);
    let folder = hosted_here("http://localhost:8787");
    let folder = folder.path();
    let log = folder.join("gateway.log");
    let program = Command::new(env!("CARGO_BIN_EXE_latchkey"));
    let mut program = serve(program, folder);
    let serving = Serving::start(program.stderr(File::create(&log).unwrap()));
    let (address, process) = (&serving.address, serving.child.id());
    let directory = folder.join("instances/here/directory");
    assert_eq!(open(address, &link(0), ""), Some(303));
    let before = (disk_bytes(&directory), resident_bytes(process));

    let (begun, next) = (Instant::now(), AtomicUsize::new(0));
    let slowest = thread::scope(|scope| {
        let next = &next;
        for host in 1..=ADDRESSES {
            let headers = format!("X-Forwarded-For: 192.0.2.{host}\r\n");
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= refusals {
                        break;
                    }
                    assert_eq!(open(address, &forged(number), &headers), Some(403));
                }
            });
        }
        let mut slowest = Duration::ZERO;
        for number in 0..PEOPLE {
            let due = refusals * number / PEOPLE;
            while next.load(Ordering::Relaxed) < due {
                thread::sleep(Duration::from_millis(1));
            }
            let visit = Instant::now();
            assert_eq!(open(address, &link(number), ""), Some(303));
            slowest = slowest.max(visit.elapsed());
        }
        slowest
    });
    let flooded = begun.elapsed();
    let after = (disk_bytes(&directory), resident_bytes(process));
    serving.end();
    assert_eq!(users(folder, "after the flood").len(), PEOPLE);

    let kind = ["--kind", "refusal", "--limit", "100000"];
    let list = ["--json", "activity", "list", "--instance", "here"];
    let listed = in_folder(folder, &[&list[..], &kind].concat()).json();
    let entries = listed["entries"].as_array().unwrap();
    let times = |entry: &Value| entry["repeats"]["count"].as_u64().unwrap_or(1);
    let recorded: u64 = entries.iter().map(times).sum();
    assert_eq!(recorded, refusals as u64, "each refusal is counted");
    let log_lines = fs::read_to_string(log).unwrap().lines().count();
    let minutes = usize::try_from(flooded.as_secs() / 60 + 2).unwrap();
    let (disk, memory) = (
        after.0.saturating_sub(before.0),
        after.1.saturating_sub(before.1),
    );
    figure("codes refused", refusals);
    figure("seconds of the flood", flooded.as_secs());
    figure("entries of the activity for them", entries.len());
    figure("lines of the log", log_lines);
    figure("directory grew by", mb(disk));
    figure("memory grew by", mb(memory));
    figure("people who signed in meanwhile", PEOPLE);
    figure("slowest of them, ms", slowest.as_millis());
    assert!(
        entries.len() <= 2 * ADDRESSES * minutes,
        "{}",
        entries.len()
    );
    assert!(
        log_lines <= (21 * ADDRESSES + 10) * minutes + PEOPLE,
        "{log_lines}"
    );
    assert!(disk < 4_000_000, "the directory grew by {}", mb(disk));
    assert!(memory < 64_000_000, "the memory grew by {}", mb(memory));
}
