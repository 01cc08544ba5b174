//! Bench of a visit while many connections are idle or slow. The crowd runs in a process of its
//! own, because each connection is an open file on both sides. A connection that is closed is
//! opened again at once.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream as Visitor;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::links::{self, USERS};
use crate::server::Server;

const IDLE: usize = 10_000;
const SLOW: usize = 500;
/// Number of other open files of a process.
const OTHER_FILES: usize = 200;
/// Interval at which a slow connection sends a byte of a header.
const BYTE_EVERY: Duration = Duration::from_secs(3);
/// Time for which a visitor opens links. Connections of the crowd are closed and opened again
/// during that time.
const VISITING: Duration = Duration::from_secs(15);
/// Time after which the crowd ends by itself.
const AT_MOST: Duration = Duration::from_secs(90);

pub(crate) fn measure() {
    let files = most_files();
    if files < IDLE + SLOW + OTHER_FILES {
        println!(
            "\nThe gateway in a crowd: not measured, a process may have {files} open files here"
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // The gateway starts with a limit of open files as low as a service's.
    let mut gateway = with_files("-S -n 1024");
    gateway.args(["child-gateway", folder.path().to_str().unwrap()]);
    let gateway = Server::start(&mut gateway, 2);
    println!(
        "\nThe gateway in a crowd of {IDLE} who say nothing and {SLOW} who send a byte each {} s",
        BYTE_EVERY.as_secs()
    );
    let address = &gateway.said[0];
    print("a visitor alone", &visits(address), &gateway);

    let mut crowd = with_files("-n \"$(ulimit -H -n)\"");
    let mut crowd = crowd
        .args(["child-crowd", address])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(crowd.stdout.take().unwrap()).lines();
    assert_eq!(said.next().unwrap().unwrap(), "all are there");
    print("a visitor in the crowd", &visits(address), &gateway);
    // The crowd ends when its standard input is closed.
    drop(crowd.stdin.take());
    for line in said {
        println!("  {}", line.unwrap());
    }
    crowd.wait().unwrap();
    print("a visitor after it has gone", &visits(address), &gateway);
}

/// Returns a command for this program with another limit of open files.
fn with_files(limit: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit {limit} && exec \"$0\" \"$@\"")]);
    command.arg(std::env::current_exe().unwrap());
    command
}

fn most_files() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let hard = line.unwrap().split_whitespace().nth(4).unwrap();
    hard.parse().unwrap_or(usize::MAX)
}

/// Returns the duration of each visit in milliseconds, from connecting to the end of the response.
fn visits(address: &str) -> Vec<f64> {
    let begun = Instant::now();
    let mut times = Vec::new();
    while begun.elapsed() < VISITING {
        let path = links::existing(times.len() % USERS);
        let start = Instant::now();
        let mut visitor = Visitor::connect(address).unwrap();
        write!(
            visitor,
            "GET {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: Mozilla/5.0\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        visitor.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
        times.push(start.elapsed().as_secs_f64() * 1e3);
        std::thread::sleep(Duration::from_millis(5));
    }
    times.sort_by(f64::total_cmp);
    times
}

fn print(name: &str, sorted: &[f64], gateway: &Server) {
    let at = |percent: usize| sorted[(sorted.len() - 1) * percent / 100];
    println!(
        "  {name:<32}{:>6} visits   p50 {:>7.2} ms   p99 {:>8.2} ms   worst {:>8.2} ms   {:>6.1} MB",
        sorted.len(),
        at(50),
        at(99),
        at(100),
        gateway.resident_mb()
    );
}

/// Measurements of the crowd.
#[derive(Default)]
struct Seen {
    connected: AtomicUsize,
    /// Seconds until slow and idle connections were closed.
    let_go: [Mutex<Vec<f64>>; 2],
}

/// Runs the crowd until standard input is closed.
pub(crate) fn come(address: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let seen = Arc::new(Seen::default());
        for number in 0..IDLE + SLOW {
            tokio::spawn(stay(address.to_owned(), number < SLOW, Arc::clone(&seen)));
        }
        while seen.connected.load(Ordering::Relaxed) < IDLE + SLOW {
            sleep(Duration::from_millis(10)).await;
        }
        println!("all are there");
        let mut end = [0];
        let _ = timeout(AT_MOST, tokio::io::stdin().read(&mut end)).await;
        for (name, times) in ["slow", "idle"].iter().zip(&seen.let_go) {
            let mut times = times.lock().unwrap().clone();
            times.sort_by(f64::total_cmp);
            match (times.first(), times.last()) {
                (Some(first), Some(last)) => println!(
                    "{name} ones were let go {} times, after {first:.1} to {last:.1} s",
                    times.len()
                ),
                _ => println!("{name} ones were never let go"),
            }
        }
    });
    // Exits without waiting for the open connections.
    std::process::exit(0);
}

async fn stay(address: String, is_slow: bool, seen: Arc<Seen>) {
    loop {
        let Ok(mut stream) = TcpStream::connect(&address).await else {
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        seen.connected.fetch_add(1, Ordering::Relaxed);
        let since = Instant::now();
        if is_slow {
            let _ = stream
                .write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
                .await;
        }
        loop {
            let mut answer = [0; 512];
            match timeout(BYTE_EVERY, stream.read(&mut answer)).await {
                Err(_) if is_slow => {
                    let _ = stream.write_all(b"a").await;
                }
                Err(_) | Ok(Ok(1..)) => {}
                Ok(_) => break,
            }
        }
        seen.connected.fetch_sub(1, Ordering::Relaxed);
        let time = since.elapsed().as_secs_f64();
        seen.let_go[usize::from(!is_slow)]
            .lock()
            .unwrap()
            .push(time);
    }
}
