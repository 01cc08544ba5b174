//! A web server of another site, with widget tags in its pages.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Script that collects console errors, for browsers whose driver cannot read them.
const LISTENER: &str = "window.errors = [];
    const { error } = console;
    console.error = (...said) => { window.errors.push(said.join(' ')); error(...said); };";

/// A page with tags in its head or its body.
#[derive(Clone, Default)]
pub(crate) struct Page<'a> {
    pub(crate) head: &'a str,
    pub(crate) body: &'a str,
    /// Further headers of the response, each with its line end.
    pub(crate) headers: &'a str,
    /// Directives to append to its content security policy.
    pub(crate) policy: &'a str,
}

/// A web server with one page.
pub(crate) struct Host {
    address: SocketAddr,
    name: &'static str,
    /// Headers and content of the page.
    answer: Arc<Mutex<(String, String)>>,
}

impl Host {
    /// Starts the server. Browsers reach it by `name`, which must resolve to this computer.
    pub(crate) fn new(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answer = Arc::new(Mutex::new((String::new(), String::new())));
        let shown = Arc::clone(&answer);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let shown = Arc::clone(&shown);
                // A thread for each connection, because a browser opens connections in advance.
                thread::spawn(move || serve(&stream.unwrap(), &shown));
            }
        });
        Self {
            address,
            name,
            answer,
        }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}:{}", self.name, self.address.port())
    }

    /// Sets the page. Its policy allows only what the widgets of these gateways need.
    pub(crate) fn shows(&self, gateways: &str, page: &Page<'_>) {
        let Page {
            head,
            body,
            headers,
            policy,
        } = page;
        let html = format!(
            "<!doctype html><html lang=en><head><meta name=viewport content='width=device-width'>\
             <title>A page</title><script src=/listener.js></script>{head}</head>\
             <body><h1>A page of another site</h1>\
             <button id=other>Its own button</button>{body}</body></html>"
        );
        let listener = format!("{}/listener.js", self.origin());
        let headers = format!(
            "Content-Security-Policy: default-src 'none'; script-src {listener} {gateways}; \
             frame-src {gateways}{policy}\r\n{headers}"
        );
        *self.answer.lock().unwrap() = (headers, html);
    }
}

fn serve(mut stream: &TcpStream, shown: &Mutex<(String, String)>) {
    let mut lines = BufReader::new(stream).lines();
    let Some(Ok(asked)) = lines.next() else {
        return;
    };
    while let Some(Ok(line)) = lines.next()
        && !line.is_empty()
    {}
    let (headers, page) = shown.lock().unwrap().clone();
    let is_listener = asked.starts_with("GET /listener.js ");
    let (kind, text) = if is_listener {
        ("text/javascript", LISTENER)
    } else {
        ("text/html", &*page)
    };
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}; charset=utf-8\r\n{headers}\
         Content-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    );
}
