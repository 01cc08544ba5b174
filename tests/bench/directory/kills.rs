//! A process that redeems and acknowledges is killed at random moments. What it has acknowledged is
//! there afterwards, and each seat that is counted has its user.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use latchkey_core::directory::{Directory as _, PageStart, Sort, UserQuery};
use latchkey_core::verdict::Status;

use crate::crowd;
use crate::engine::Engine as _;
use crate::latchkey::Latchkey;

const KILLS: u32 = 300;
/// From nothing to well after the directory is open and changes are under way.
const LONGEST_MICROS: u64 = 60_000;
/// So many users come, sign in again, are suspended, reactivated and removed.
const PEOPLE: usize = 2_000;

/// Redeems without end, four writers at a time, and says so on standard output after each. The end
/// comes from outside, and at the latest after ten seconds.
pub(crate) fn redeem_for_ever(folder: &Path) {
    let latchkey = Latchkey::open(folder);
    let until = Instant::now() + Duration::from_secs(10);
    let start = usize::try_from(latchkey.directory().count().unwrap()).unwrap();
    thread::scope(|scope| {
        for writer in 0..4 {
            let latchkey = &latchkey;
            scope.spawn(move || {
                for number in (start + writer..).step_by(4) {
                    let code = crowd::code(number % PEOPLE);
                    latchkey.redeem(&code);
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "{}", crowd::person(number % PEOPLE).id).unwrap();
                    out.flush().unwrap();
                    if Instant::now() > until {
                        return;
                    }
                }
            });
        }
    });
}

pub(crate) fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged: HashSet<String> = HashSet::new();
    let mut random = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    println!("\nKills: seed {random}");
    let (mut answers, mut before_the_first) = (0_u64, 0_u32);
    let begun = Instant::now();
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child-redeem", folder.path().to_str().unwrap()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let out = child.stdout.take().unwrap();
        let reader = thread::spawn(move || {
            // The last line may be cut by the kill: without its end it was not acknowledged.
            let mut lines = Vec::new();
            let mut out = BufReader::new(out);
            let mut line = String::new();
            while out.read_line(&mut line).unwrap() > 0 {
                if line.ends_with('\n') {
                    lines.push(line.trim_end().to_owned());
                }
                line.clear();
            }
            lines
        });
        thread::sleep(Duration::from_micros((random >> 33) % LONGEST_MICROS));
        child.kill().unwrap();
        child.wait().unwrap();
        let lines = reader.join().unwrap();
        answers += lines.len() as u64;
        before_the_first += u32::from(lines.is_empty());
        acknowledged.extend(lines);

        let latchkey = Latchkey::open(folder.path());
        let directory = latchkey.directory();
        for id in &acknowledged {
            let id = latchkey_core::protocol::user_id::UserId::parse(id, "id").unwrap();
            assert!(
                directory.user(&id).unwrap().is_some(),
                "kill {kill}: {id} is lost"
            );
        }
        let active = UserQuery {
            status: Some(Status::Active),
            ..UserQuery::default()
        };
        let rows = directory.users(&active, Sort::default(), &PageStart::First, 1);
        assert_eq!(
            directory.seats().unwrap().used,
            rows.unwrap().total,
            "kill {kill}"
        );
    }
    println!(
        "  {KILLS} kills in {:.0} s, {before_the_first} of them before the first answer; {answers} changes acknowledged, {} users, 0 lost; it opened every time",
        begun.elapsed().as_secs_f64(),
        acknowledged.len()
    );
}
