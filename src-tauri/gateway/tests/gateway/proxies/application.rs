//! An application that returns the headers it has received.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

/// Key of a WebSocket handshake, and the value that the server must return for it (RFC 6455 §1.3).
pub(super) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPTED: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Starts an application that responds with the head of the request, in lower case. It accepts a
/// WebSocket handshake, sends the head as the first bytes, and then echoes what it receives.
pub(super) fn application() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            thread::spawn(move || answer(stream));
        }
    });
    address
}

fn answer(mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).unwrap_or_default() > 2 {
        head.push_str(String::from_utf8_lossy(&line).trim_end());
        head.push('\n');
        line.clear();
    }
    let head = head.to_lowercase();
    if head.contains("upgrade: websocket\n") && head.contains("connection: upgrade\n") {
        let _ = write!(
            stream,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {ACCEPTED}\r\n\r\n{head}"
        );
        let mut sent = [0; 64];
        while let Ok(length @ 1..) = reader.read(&mut sent) {
            let _ = stream.write_all(&sent[..length]);
        }
        return;
    }
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{head}",
        head.len()
    );
}
