//! System calls of a program, as `strace` records them.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::run::until;

/// A system call of the program. Its lines in the record say when it began and when it ended.
pub(super) struct Call {
    pub(super) began: usize,
    pub(super) ended: usize,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    /// A write to the log.
    Write { at: usize, bytes: Vec<u8> },
    /// A sync of the log.
    Sync,
    /// Text that was read from a file or a connection.
    Input { file: String, text: String },
    /// Text that was written to a file or a connection.
    Output { file: String, text: String },
}

/// Returns the bytes of all strings of a call, which `strace` writes as `"\x61\x62"`.
fn bytes_of(call: &str) -> Vec<u8> {
    let texts = call.split('"').skip(1).step_by(2);
    let bytes = texts.flat_map(|text| text.split("\\x").skip(1));
    bytes
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect()
}

/// Parses a whole call as `strace` writes it. Returns `None` for a failed call.
fn kind_of(call: &str) -> Option<Kind> {
    let (name, arguments) = call.split_once('(')?;
    let (file, arguments) = arguments.split_once('>').unwrap_or((arguments, ""));
    let (number, path) = file.split_once('<').unwrap_or((file, ""));
    let is_log = String::from_utf8(bytes_of(&format!("\"{path}\"")))
        .is_ok_and(|path| path.ends_with("/sled/db"));
    let result: usize = call.rsplit_once(" = ")?.1.parse().ok()?;
    let file = number.to_owned();
    let text = || String::from_utf8_lossy(&bytes_of(arguments)).into_owned();
    match name {
        "pwrite64" if is_log => {
            let bytes = bytes_of(arguments);
            assert_eq!(result, bytes.len(), "it is written whole");
            let at = arguments.rsplit_once(')')?.0.rsplit(", ").next()?;
            let at = at.parse().unwrap();
            Some(Kind::Write { at, bytes })
        }
        "fdatasync" if is_log => Some(Kind::Sync),
        "recvfrom" | "read" => Some(Kind::Input { file, text: text() }),
        "write" | "writev" | "sendto" => Some(Kind::Output { file, text: text() }),
        _ => None,
    }
}

/// Parses the record. A call that was interrupted by one of another thread has two lines.
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

/// Returns an `strace` command that records the calls of a program to a file. The program's
/// arguments follow.
pub(super) fn traced(record: &Path) -> Command {
    let mut strace = Command::new("strace");
    strace
        // With this option the program, and not strace, is the child of the test.
        .arg("-D")
        .args(["-f", "-y", "-xx", "-s", "10000000"])
        .args([
            "-e",
            "trace=pwrite64,fdatasync,read,recvfrom,write,writev,sendto",
        ])
        .args(["-e", "signal=none", "-o"])
        .arg(record)
        .arg(env!("CARGO_BIN_EXE_latchkey"));
    strace
}

/// Returns the calls of a program that has ended.
pub(super) fn recorded(record: &Path) -> Vec<Call> {
    let ends = || {
        let text = fs::read_to_string(record).unwrap();
        text.ends_with("+++\n").then_some(text)
    };
    until("strace has recorded the end", || ends().is_some());
    calls_in(&ends().unwrap())
}
