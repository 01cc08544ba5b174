//! The command `cargo xtask test`: all checks, those first that usually fail soonest.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::process::{Counts, cargo, run, run_counting};
use crate::system::{self, Purpose};
use crate::window::Display;
use crate::{generate, interop, licences, ui};

struct Step {
    name: &'static str,
    about: &'static str,
    check: fn() -> Result<Counts>,
}

const STEPS: [Step; 11] = [
    Step {
        name: "system",
        about: "system packages",
        check: || quiet(system::install(Purpose::Tests, true)),
    },
    Step {
        name: "format",
        about: "rustfmt",
        check: || quiet(run(&mut cargo(&["fmt", "--all", "--check"]))),
    },
    Step {
        name: "ui",
        about: "the UI's packages, formatting, lints and types",
        check: check_ui,
    },
    Step {
        name: "ui-tests",
        about: "the UI's unit tests",
        check: || run_counting(&mut ui::npm(&["run", "--silent", "test"])),
    },
    Step {
        name: "ui-build",
        about: "the UI's build",
        check: || quiet(ui::build()),
    },
    Step {
        name: "clippy",
        about: "the lints",
        check: clippy,
    },
    Step {
        name: "licences",
        about: "licences, banned crates, sources",
        check: || quiet(licences::check()),
    },
    Step {
        name: "generated",
        about: "the generated types are up to date",
        check: || quiet(generate::generate(true)),
    },
    Step {
        name: "interop",
        about: "packages of others, for the tests",
        check: || quiet(interop::install()),
    },
    Step {
        name: "tests",
        about: "all Rust tests without a window",
        check: tests,
    },
    Step {
        name: "window",
        about: "the real window",
        check: window,
    },
];

/// Runs the selected steps. Stops at the first failure.
pub(crate) fn test(only: &[String], skip: &[String], list: bool) -> Result<()> {
    for name in only.iter().chain(skip) {
        if !STEPS.iter().any(|step| step.name == name) {
            bail!("there is no step '{name}'; `cargo xtask test --list` names them");
        }
    }
    let mut counts = Counts::default();
    let mut times: Vec<(&str, Duration)> = Vec::new();
    for step in &STEPS {
        let is_named = |names: &[String]| names.iter().any(|name| name == step.name);
        if list {
            println!("{:<10} {}", step.name, step.about);
            continue;
        }
        if is_named(skip) || !(only.is_empty() || is_named(only)) {
            continue;
        }
        println!("\n=== {}: {}", step.name, step.about);
        let start = Instant::now();
        let counted = (step.check)().with_context(|| {
            format!(
                "the step '{0}' failed; repeat it by `cargo xtask test --only {0}`",
                step.name
            )
        })?;
        counts.add(counted);
        times.push((step.name, start.elapsed()));
    }
    if list {
        return Ok(());
    }
    println!();
    for (name, time) in times {
        println!("{name:<10} {:>6.1} s", time.as_secs_f64());
    }
    println!("{} passed, {} failed", counts.passed, counts.failed);
    Ok(())
}

fn quiet(done: Result<()>) -> Result<Counts> {
    done.map(|()| Counts::default())
}

fn check_ui() -> Result<Counts> {
    ui::install()?;
    for script in ["format:check", "lint", "check"] {
        run(&mut ui::npm(&["run", "--silent", script]))?;
    }
    Ok(Counts::default())
}

fn clippy() -> Result<Counts> {
    // `--all-targets` would skip targets that `cargo test` does not run by default: the window
    // tests and the bench.
    let apart = [
        "--package=latchkey-desktop",
        "--features=bench",
        "--test=window",
        "--bench=ratios",
        "--bin=empty-window",
    ];
    let directory = [
        "--package=latchkey-store",
        "--features=bench",
        "--bench=directory",
    ];
    let gateway = [
        "--package=latchkey-gateway",
        "--features=bench",
        "--bench=gateway",
    ];
    for targets in [
        &["--workspace", "--all-targets"] as &[&str],
        &apart,
        &directory,
        &gateway,
    ] {
        let mut clippy = cargo(&["clippy", "--locked", "--quiet"]);
        clippy.args(targets).args(["--", "--deny", "warnings"]);
        run(&mut clippy)?;
    }
    Ok(Counts::default())
}

fn tests() -> Result<Counts> {
    let guard = Guard::new();
    run_counting(
        guard
            .over(&mut cargo(&["test", "--workspace", "--locked", "--quiet"]))
            .env("LATCHKEY_INTEROP", interop::folder())
            // With this address, no test can find a keychain.
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent"),
    )
}

/// Makes every test fail that uses what may belong to the developer. It takes the default ports of
/// Latchkey, and sets a data folder that cannot exist.
struct Guard {
    _taken: Vec<TcpListener>,
}

impl Guard {
    /// Ports of the gateway, the counters and the application in the guides.
    const PORTS: [u16; 3] = [8787, 9187, 3000];

    fn new() -> Self {
        // An error is ignored, because then another program has the port, which is just as good.
        let taken = Self::PORTS.map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok());
        Self {
            _taken: taken.into_iter().flatten().collect(),
        }
    }

    #[expect(
        clippy::unused_self,
        reason = "the ports are held while the value lives"
    )]
    fn over<'a>(&self, tests: &'a mut Command) -> &'a mut Command {
        // Not even root can make a folder there.
        tests.env("LATCHKEY_DATA_DIR", "/proc/no-data-folder")
    }
}

fn window() -> Result<Counts> {
    let (display, guard) = (Display::start()?, Guard::new());
    run_counting(
        guard
            .over(&mut cargo(&[
                "test",
                "--locked",
                "--package",
                "latchkey-desktop",
                "--test",
                "window",
                "--",
                "--test-threads=1",
            ]))
            .env("LATCHKEY_INTEROP", interop::folder())
            .env("DISPLAY", display.name()),
    )
}
