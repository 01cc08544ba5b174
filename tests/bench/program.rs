//! Bench of the whole program: time to start, size and memory.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::driver::Studio;
use crate::environment::Environment;
use crate::runtime::run;
use crate::table::{heading, median};

const STARTS: usize = 9;
const STUDIO: &str = env!("CARGO_BIN_EXE_latchkey-studio");
const EMPTY: &str = env!("CARGO_BIN_EXE_empty-window");

pub(crate) fn measure_start() {
    let (mut studio, mut empty) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        empty.push(start(EMPTY, "ready"));
        studio.push(start(STUDIO, "door-sample"));
    }
    let (studio, empty) = (median(&mut studio), median(&mut empty));
    heading(
        "Start: from the program's start to the first interactive picture; baseline: an empty Tauri window (target 1.5)",
    );
    println!(
        "  Studio                             {studio:>12.0} ms   {:>8.3} of the baseline",
        studio / empty
    );
    println!("  empty window                       {empty:>12.0} ms");
}

/// Returns the milliseconds from the start of the process until the first picture with content is
/// painted and `button` is there.
fn start(program: &str, button: &str) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let (script, stamp) = (folder.path().join("start.sh"), folder.path().join("stamp"));
    let text = format!(
        "#!/bin/sh\ndate +%s%N > {}\nexec {program} \"$@\"\n",
        stamp.display()
    );
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
    let environment = Environment::without_keychain();
    let painted = run(async {
        let studio = Studio::start_program(script.to_str().unwrap(), &environment).await;
        studio.find(button).await;
        let painted = studio
            .script("return performance.timeOrigin + performance.getEntriesByName('first-contentful-paint')[0].startTime")
            .await;
        studio.quit().await;
        painted
    });
    let begun: f64 = std::fs::read_to_string(stamp)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    painted.as_f64().unwrap() - begun / 1e6
}

pub(crate) fn measure_size() {
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let size = |path: &str| std::fs::metadata(Path::new(path)).unwrap().len();
    heading(
        "Size: the release binary (target under 25 MB), and resident memory on the first screen",
    );
    println!(
        "  latchkey-studio                    {:>12.1} MiB   {:>8.3} of an empty Tauri program",
        mib(size(STUDIO)),
        size(STUDIO) as f64 / size(EMPTY) as f64
    );
    let memory = |program: &str, button: &str| {
        let environment = Environment::without_keychain();
        run(async {
            let studio = Studio::start_program(program, &environment).await;
            studio.find(button).await;
            let resident = studio.resident_kib();
            studio.quit().await;
            resident
        })
    };
    let empty = memory(EMPTY, "ready");
    let studio = memory(STUDIO, "door-sample");
    for (name, kib) in &studio {
        let beside = empty.iter().find(|(other, _)| {
            other == name || (name.starts_with("latchkey") && other.starts_with("empty"))
        });
        let ratio = beside.map_or(String::new(), |(_, other)| {
            format!("{:>8.3} of the empty window's", *kib as f64 / *other as f64)
        });
        println!("  {name:<34} {:>12.1} MiB   {ratio}", mib(kib * 1024));
    }
}
