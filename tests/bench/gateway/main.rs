//! The gateway under load, on this machine's loopback. `wrk` asks; the baseline is an axum handler that
//! answers `ok`. Each server runs in a process of its own.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "a benchmark that fails says where by panicking, and prints"
)]

mod servers;
mod wrk;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use wrk::Load;

/// How many times each server is asked; in turns, so that a disturbance meets all of them alike.
const TURNS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|text| !text.starts_with("--"))
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["child-bare"] => servers::bare(),
        ["child-gateway", folder] => servers::gateway(Path::new(folder)),
        [] => measure(),
        tables if tables.contains(&"gateway") => measure(),
        _ => {}
    }
}

/// A server in a process of its own, and what it has said of itself.
struct Server {
    child: Child,
    said: Vec<String>,
}

impl Server {
    fn start(arguments: &[&str], lines: usize) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let said = out.lines().take(lines).map(Result::unwrap).collect();
        Self { child, said }
    }

    fn resident_mb(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap();
        let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib * 1024.0 / 1e6
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let bare = Server::start(&["child-bare"], 1);
    let gateway = Server::start(&["child-gateway", folder.path().to_str().unwrap()], 3);
    let [address, cookie, link] = &gateway.said[..] else {
        panic!("the gateway did not start");
    };
    let bare = format!("http://{}/", bare.said[0]);
    let verify = format!("http://{address}/auth/verify");
    let visit = format!("http://{address}{link}");
    let mut loads = [(); 3].map(|()| Vec::new());
    for _ in 0..TURNS {
        loads[0].push(wrk::load(&bare, None, None));
        loads[1].push(wrk::load(&verify, Some(cookie), None));
        loads[2].push(wrk::load(&visit, None, None));
    }
    let new: Vec<Load> = vec![wrk::load(
        &format!("http://{address}/"),
        None,
        Some(&folder.path().join("new.lua")),
    )];
    println!(
        "\nThe gateway with {} users; baseline: an axum handler that answers ok",
        servers::USERS
    );
    let [bare, verify, visit] = loads;
    let baseline = row("a bare handler", &bare, None, "");
    row("/auth/verify", &verify, Some(baseline), "0.7");
    row("visits of users who are there", &visit, Some(baseline), "");
    row("visits that create users", &new, Some(baseline), "");
    println!("  resident, MB{:>28.1}   target 80", gateway.resident_mb());
}

fn row(name: &str, loads: &[Load], baseline: Option<f64>, target: &str) -> f64 {
    let middle = |of: fn(&Load) -> f64| {
        let mut values: Vec<f64> = loads.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let rate = middle(|load| load.per_second);
    let ratio = baseline.map_or(1.0, |baseline| rate / baseline);
    println!(
        "  {name:<32}{rate:>8.0} /s   p50 {:>7.2} ms   p99 {:>7.2} ms   {ratio:>6.3} of the baseline   {target}",
        middle(|load| load.p50_ms),
        middle(|load| load.p99_ms),
    );
    rate
}
