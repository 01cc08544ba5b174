//! `wrk`, which sends the next request as soon as it has a response.

use std::path::Path;
use std::process::Command;

/// Result of a load.
pub(crate) struct Load {
    pub(crate) per_second: f64,
    pub(crate) answered: usize,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

/// Sends requests over 32 connections for three seconds. `script` chooses the requests if they
/// differ.
pub(crate) fn load(url: &str, cookie: Option<&str>, script: Option<&Path>) -> Load {
    let mut wrk = Command::new("wrk");
    wrk.args([
        "--threads=1",
        "--connections=32",
        "--duration=3s",
        "--latency",
        // Without this header a link would ask for confirmation.
        "--header",
        "User-Agent: Mozilla/5.0",
    ]);
    if let Some(cookie) = cookie {
        wrk.arg("--header").arg(format!("Cookie: {cookie}"));
    }
    if let Some(script) = script {
        wrk.arg("--script").arg(script);
    }
    let output = wrk.arg(url).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let value = |name: &str| {
        let line = text
            .lines()
            .find(|line| line.trim_start().starts_with(name));
        let line = line.unwrap_or_else(|| panic!("{name}: {text}"));
        line.split_whitespace().nth(1).unwrap().to_owned()
    };
    assert!(!text.contains("Non-2xx or 3xx"), "{text}");
    let (answered, _) = text.split_once(" requests in ").unwrap();
    Load {
        answered: answered.split_whitespace().last().unwrap().parse().unwrap(),
        per_second: value("Requests/sec:").parse().unwrap(),
        p50_ms: milliseconds(&value("50%")),
        p99_ms: milliseconds(&value("99%")),
    }
}

fn milliseconds(text: &str) -> f64 {
    let (number, factor) = [("us", 1e-3), ("ms", 1.0), ("s", 1e3)]
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))
        .unwrap();
    number.parse::<f64>().unwrap() * factor
}
