//! Running other programs, and counting the tests in their output.

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// Returns the root folder of the project.
pub(crate) fn root() -> PathBuf {
    // Read at run time, because the path at compile time is wrong after the folder was moved.
    let here = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    here.ancestors().nth(2).unwrap_or(&here).to_owned()
}

/// Returns Cargo's target folder.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Returns a command that runs in the root folder of the project.
pub(crate) fn program(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root());
    command
}

/// Returns a command of this Cargo.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    program(&cargo, arguments)
}

/// Returns a command that installs packages from `PyPI` into a folder, checked by their hashes.
pub(crate) fn pip_install(folder: &Path, requirements: &Path) -> Command {
    let mut pip = program("python3", &["-m", "pip", "install", "--quiet"]);
    pip.args(["--disable-pip-version-check", "--root-user-action=ignore"]);
    pip.args(["--require-hashes", "--no-deps", "--only-binary=:all:"]);
    pip.arg("--target")
        .arg(folder)
        .arg("--requirement")
        .arg(requirements);
    pip
}

/// Returns whether a program can be started and succeeds. Hides its output.
pub(crate) fn succeeds(name: &str, arguments: &[&str]) -> bool {
    program(name, arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs a program and shows its output. Fails if the program does.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = command
        .status()
        .with_context(|| format!("`{shown}` could not be started"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// Runs a program and returns its output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = shown(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("`{shown}` could not be started"))?;
    if !output.status.success() {
        bail!("`{shown}` failed ({})", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Numbers of passed and failed tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// Parses the closing line of `cargo test` or vitest. Other lines count nothing.
    fn of_line(line: &str) -> Self {
        let line = without_colours(line);
        let line = line.trim();
        if line.starts_with("test result:") || line.starts_with("Tests ") {
            Self {
                passed: number_before(line, "passed"),
                failed: number_before(line, "failed"),
            }
        } else {
            Self::default()
        }
    }
}

/// Removes escape sequences from a line, because some runners print colours even to a pipe.
fn without_colours(line: &str) -> String {
    let mut pieces = line.split("\u{1b}[");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let text = piece.split_once('m').map_or("", |(_, text)| text);
        plain.push_str(text);
    }
    plain
}

fn number_before(line: &str, word: &str) -> u64 {
    let words: Vec<&str> = line
        .split([' ', ';', ',', '|'])
        .filter(|word| !word.is_empty())
        .collect();
    words
        .iter()
        .position(|found| *found == word)
        .and_then(|at| words.get(at.checked_sub(1)?)?.parse().ok())
        .unwrap_or(0)
}

/// Runs a test runner, shows its output, and counts its tests.
pub(crate) fn run_counting(command: &mut Command) -> Result<Counts> {
    let shown = shown(command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("`{shown}` could not be started"))?;
    let mut counts = Counts::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line?;
            counts.add(Counts::of_line(&line));
            let mut out = std::io::stdout().lock();
            writeln!(out, "{line}")?;
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(counts)
}

fn shown(command: &Command) -> String {
    let mut shown = Path::new(command.get_program())
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    for argument in command.get_args() {
        shown.push(' ');
        shown.push_str(&argument.to_string_lossy());
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_lines_of_both_runners_are_counted() {
        let counts = |passed, failed| Counts { passed, failed };
        let cargo = "test result: ok. 41 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(Counts::of_line(cargo), counts(41, 2));
        assert_eq!(
            Counts::of_line("      Tests  37 passed (37)"),
            counts(37, 0)
        );
        assert_eq!(
            Counts::of_line("      Tests  1 failed | 36 passed (37)"),
            counts(36, 1)
        );
        assert_eq!(
            Counts::of_line(
                "\u{1b}[2m      Tests \u{1b}[22m \u{1b}[1m\u{1b}[32m44 passed\u{1b}[39m (44)"
            ),
            counts(44, 0)
        );
        assert_eq!(Counts::of_line("test name ... ok"), counts(0, 0));
    }
}
