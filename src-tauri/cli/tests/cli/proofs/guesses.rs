//! Proof: many guesses of short links open nothing and are stopped, while honest visitors get in.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use latchkey_core::link::short_code::ShortCode;
use serde_json::Value;

use super::{open, serve, users};
use crate::run::{hosted_here, in_folder};
use crate::serve::Serving;
use crate::soak::{figure, share};

/// Number of addresses that guess. Each has one connection at a time.
const ADDRESSES: usize = 8;
/// Number of guesses after which an address is locked out.
const ALLOWED: usize = 10;

#[test]
fn guesses_of_short_links_open_nothing_and_are_stopped() {
    let guesses = share(10_000);
    let folder = hosted_here("http://localhost:8787");
    let folder = folder.path();
    let mut command = vec!["link", "--instance", "here", "--user-id", "ada", "--short"];
    let secret = folder.join("secret");
    command.extend(["--secret-file", secret.to_str().unwrap()]);
    let made = in_folder(folder, &command);
    assert_eq!(made.code, 0, "{}", made.err);
    let right = made
        .out
        .trim()
        .strip_prefix("HTTP://LOCALHOST:8787")
        .unwrap();
    let serving = Serving::start(&mut serve(
        Command::new(env!("CARGO_BIN_EXE_latchkey")),
        folder,
    ));
    let address = &serving.address;

    let begun = Instant::now();
    let (next, judged, stopped) = (
        AtomicUsize::new(0),
        AtomicUsize::new(0),
        AtomicUsize::new(0),
    );
    thread::scope(|scope| {
        for host in 1..=ADDRESSES {
            let (next, judged, stopped) = (&next, &judged, &stopped);
            let headers = format!("X-Forwarded-For: 192.0.2.{host}\r\n");
            scope.spawn(move || {
                while next.fetch_add(1, Ordering::Relaxed) < guesses {
                    let guess = format!("/AUTH/L/{}", ShortCode::new().unwrap().expose());
                    let counter = match open(address, &guess, &headers) {
                        Some(403) => judged,
                        Some(429) => stopped,
                        other => panic!("{other:?}"),
                    };
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        // An honest visitor from another address gets in at the same time.
        assert_eq!(
            open(address, right, "X-Forwarded-For: 198.51.100.1\r\n"),
            Some(303)
        );
    });
    let (seconds, judged) = (begun.elapsed().as_secs(), judged.into_inner());
    let minutes = usize::try_from(seconds / 60 + 1).unwrap();
    assert!(
        judged <= ADDRESSES * ALLOWED * minutes,
        "{judged} were judged"
    );
    assert_eq!(judged + stopped.into_inner(), guesses);

    // A visitor with a right link behind the address of a guesser gets in after the lockout.
    let behind = "X-Forwarded-For: 192.0.2.1\r\n";
    let locked = Instant::now();
    assert_eq!(open(address, right, behind), Some(429));
    while open(address, right, behind) != Some(303) {
        assert!(
            locked.elapsed() < Duration::from_secs(130),
            "still locked out"
        );
        thread::sleep(Duration::from_millis(500));
    }
    serving.end();
    assert_eq!(users(folder, "after the guesses").len(), 1);

    let list = ["--json", "activity", "list", "--instance", "here"];
    let listed = in_folder(
        folder,
        &[&list[..], &["--kind", "refusal", "--limit", "1000"]].concat(),
    );
    let listed = listed.json();
    let entries = listed["entries"].as_array().unwrap();
    let times = |entry: &Value| entry["repeats"]["count"].as_u64().unwrap_or(1);
    let recorded: u64 = entries.iter().map(times).sum();
    assert_eq!(recorded, judged as u64, "each judged guess is counted");
    assert!(
        entries.iter().all(|entry| entry["code"] == "unknown_link"),
        "{entries:?}"
    );
    figure("guesses of short links", guesses);
    figure("of them judged", judged);
    figure("of them that opened something", 0);
    figure("entries of the activity for them", entries.len());
}
