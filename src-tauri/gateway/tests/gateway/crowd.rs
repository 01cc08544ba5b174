//! Tests with many connections that are idle or very slow.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::serving::Running;
use crate::site::Site;

const IDLE: usize = 300;
const SLOW: usize = 50;
/// Time in which idle connections must be closed. The header timeout is 10 seconds.
const LET_GO: Duration = Duration::from_secs(20);

fn idle(running: &Running) -> Vec<TcpStream> {
    (0..IDLE).map(|_| running.connect()).collect()
}

/// Returns whether the other side has closed a connection, without waiting.
fn has_ended(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let mut answer = [0; 1024];
    match stream.read(&mut answer) {
        Ok(0) => true,
        Ok(length) => {
            let answer = String::from_utf8_lossy(&answer[..length]);
            assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
            false
        }
        Err(cause) => cause.kind() != ErrorKind::WouldBlock,
    }
}

#[test]
fn idle_and_slow_connections_keep_no_visitor_out_and_are_closed() {
    let site = Site::new();
    let running = Running::new(&site);
    let link = format!("/?externalAuthCode={}", site.new_user("ada"));
    let begun = Instant::now();
    let mut idle = idle(&running);
    let mut slow: Vec<TcpStream> = (0..SLOW).map(|_| running.connect()).collect();
    for stream in &mut slow {
        let head = b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ";
        stream.write_all(head).unwrap();
    }
    while !(slow.is_empty() && idle.is_empty()) {
        assert!(
            begun.elapsed() < LET_GO,
            "{} slow and {} idle ones are still there",
            slow.len(),
            idle.len()
        );
        let visit = Instant::now();
        assert!(running.get(&link).starts_with("HTTP/1.1 303"));
        assert!(visit.elapsed() < Duration::from_secs(20));
        slow.retain_mut(|stream| !has_ended(stream));
        idle.retain_mut(|stream| !has_ended(stream));
        for stream in &mut slow {
            // A failed write means that the connection was closed, which the next turn finds.
            let _ = stream.write_all(b"a");
        }
        thread::sleep(Duration::from_millis(500));
    }
    assert!(
        begun.elapsed() > Duration::from_secs(5),
        "a visitor on a slow line has had no time"
    );
    running.end();
}

#[test]
fn idle_connections_do_not_delay_the_shutdown_and_are_all_closed() {
    let site = Site::new();
    let running = Running::new(&site);
    let mut crowd = idle(&running);
    let mut kept = running.connect();
    kept.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    let mut answer = [0; 1024];
    assert!(kept.read(&mut answer).unwrap() > 0);
    crowd.push(kept);
    let begun = Instant::now();
    running.end();
    assert!(begun.elapsed() < Duration::from_secs(30));
    for stream in &mut crowd {
        let mut rest = Vec::new();
        if let Err(cause) = stream.read_to_end(&mut rest) {
            assert_eq!(cause.kind(), ErrorKind::ConnectionReset, "{cause}");
        }
    }
}
