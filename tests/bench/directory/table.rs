//! Tables of figures of Latchkey beside `SQLite`. Each part of a measurement runs in a process of its
//! own, so that the measured memory is that of this part only.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::writers::median;

const REPEATS: usize = 9;

/// Part of a measurement. It gets the name of the engine and the folder.
type Measure = fn(&str, &Path);

/// A table of figures.
pub(crate) struct Table {
    pub(crate) title: &'static str,
    /// Measured figures, each with its target.
    pub(crate) figures: &'static [(&'static str, &'static str)],
    /// Parts of the measurement in their order, each with its name.
    pub(crate) parts: &'static [(&'static str, Measure)],
}

impl Table {
    pub(crate) fn measure(&self) {
        println!("\n{}; baseline: SQLite, WAL, synchronous=FULL", self.title);
        println!(
            "  {:<41}{:>12}{:>12}{:>10}{:>10}",
            "", "Latchkey", "SQLite", "ratio", "target"
        );
        let [latchkey, sqlite] = ["latchkey", "sqlite"].map(|engine| {
            let folder = tempfile::tempdir().unwrap();
            let mut figures = Vec::new();
            for (number, (part, _)) in self.parts.iter().enumerate() {
                figures.extend(child(part, engine, folder.path()));
                if number == 0 {
                    let mb = disk(folder.path()) as f64 / 1e6;
                    figures.push(("disk, MB".to_owned(), mb));
                }
            }
            figures
        });
        for (name, _) in latchkey.iter().chain(&sqlite) {
            let is_known = self.figures.iter().any(|(figure, _)| figure == name);
            assert!(is_known, "{name}");
        }
        for (name, target) in self.figures {
            let of = |figures: &[(String, f64)]| {
                let found = figures.iter().find(|(figure, _)| figure == name);
                found.map(|(_, value)| *value)
            };
            let (latchkey, sqlite) = (of(&latchkey), of(&sqlite));
            let ratio = latchkey
                .zip(sqlite)
                .map(|(latchkey, sqlite)| latchkey / sqlite);
            // `SQLite` has no figure for operations that only Latchkey has.
            let text = |value: Option<f64>, digits| {
                value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
            };
            println!(
                "  {name:<41}{:>12}{:>12}{:>10}{target:>10}",
                text(latchkey, 2),
                text(sqlite, 2),
                text(ratio, 3)
            );
        }
    }
}

/// Runs a part of this program in a process of its own. Returns the figures that it prints.
fn child(part: &str, engine: &str, folder: &Path) -> Vec<(String, f64)> {
    let ran = Command::new(std::env::current_exe().unwrap())
        .args(["child", part, engine, folder.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let text = String::from_utf8(ran.stdout).unwrap();
    let figures = text.lines().filter_map(|line| line.split_once('\t'));
    figures
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

/// Prints a figure of a part.
pub(crate) fn print(name: &str, value: f64) {
    println!("{name}\t{value}");
}

/// Returns the time that a piece of work takes, in milliseconds.
pub(crate) fn ms(work: &mut dyn FnMut()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_secs_f64() * 1e3
}

/// Returns the median time of several runs, in milliseconds.
pub(crate) fn median_ms(work: &mut dyn FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..REPEATS).map(|_| ms(work)).collect();
    median(&mut times)
}

fn disk(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                disk(&entry.path())
            } else {
                entry.metadata().unwrap().len()
            }
        })
        .sum()
}

/// Returns the resident memory, in megabytes.
pub(crate) fn resident_mb() -> f64 {
    memory_mb("VmRSS:")
}

/// Returns the maximum of the resident memory so far, in megabytes.
pub(crate) fn peak_mb() -> f64 {
    memory_mb("VmHWM:")
}

fn memory_mb(name: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024.0 / 1e6
}
