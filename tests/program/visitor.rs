//! A visitor of the gateway, over the network.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// Requests a page. Returns the response.
pub(crate) fn get(url: &str, path: &str) -> String {
    get_with(url, path, "")
}

/// Requests a page with a further header line. Returns the response.
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

/// Presses the button of a link's confirm page. Sends the cookies of that page, and returns the
/// response.
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
