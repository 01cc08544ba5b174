//! A visitor of the gateway, over the wire.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// Returns the answer to a visitor.
pub(crate) fn get(url: &str, path: &str) -> String {
    get_with(url, path, "")
}

/// Returns the answer to a visitor who sends one more header, with its line end.
pub(crate) fn get_with(url: &str, path: &str, header: &str) -> String {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: Mozilla/5.0\r\n{header}Connection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Returns the answer to the button of the page that a link shows, with the cookies that the page set.
pub(crate) fn press_continue(url: &str, link: &str) -> String {
    let page = get(url, link);
    let cookies = page.lines().filter_map(|line| {
        let (name, value) = line.split_once(": ")?;
        let is_cookie = name.eq_ignore_ascii_case("set-cookie");
        is_cookie.then(|| value.split(';').next().unwrap_or_default())
    });
    let cookies = cookies.collect::<Vec<_>>().join("; ");
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST {link} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\n\
         User-Agent: Mozilla/5.0\r\nCookie: {cookies}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
