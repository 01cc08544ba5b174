//! Guesses of short links: whom they lock out, and which requests are no guesses.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::response::Response;
use tokio::runtime::{Builder, Runtime};
use tower::{Service, ServiceExt as _};

use crate::short_links::ada;
use crate::site::{NAVIGATES, Site};

/// Number of guesses after which an address is locked out.
const GUESSES: usize = 10;

const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
const FOREIGN: (&str, &str) = ("referer", "http://evil.example/page");

/// A gateway that runs on, and clients at several addresses.
struct Clients<R> {
    router: R,
    runtime: Runtime,
}

fn clients(
    site: &Site,
) -> Clients<impl Service<Request<Body>, Response = Response, Error = Infallible> + Clone> {
    let runtime = Builder::new_current_thread().enable_all().build();
    Clients {
        router: site.router(),
        runtime: runtime.unwrap(),
    }
}

impl<R> Clients<R>
where
    R: Service<Request<Body>, Response = Response, Error = Infallible> + Clone,
{
    fn open(&self, client: u8, path: &str, headers: &[(&str, &str)]) -> Response {
        let address = SocketAddr::from(([192, 0, 2, client], 50_000));
        let mut request = Request::get(path)
            .header("host", "chat.acme.example")
            .header("user-agent", "Mozilla/5.0")
            .extension(ConnectInfo(address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        let answered = self.router.clone().oneshot(request);
        self.runtime.block_on(answered).unwrap()
    }

    fn status(&self, client: u8, path: &str, headers: &[(&str, &str)]) -> u16 {
        self.open(client, path, headers).status().as_u16()
    }

    /// Opens short links that do not exist. Returns the status of the last response.
    fn guess(&self, client: u8, guesses: usize, headers: &[(&str, &str)]) -> u16 {
        let paths = (0..guesses).map(|number| format!("/auth/l/{number}"));
        let statuses = paths.map(|path| self.status(client, &path, headers));
        statuses.last().unwrap()
    }
}

#[test]
fn ten_unknown_short_links_lock_an_address_out_of_short_links_and_no_other_address() {
    let site = Site::new();
    let (short, code) = (ada(&site, "a"), site.new_user("bob"));
    let (guesser, other) = (1, 2);
    // The last one is a program that sends few headers.
    for headers in [
        &[HTML][..],
        &[NAVIGATES, ("sec-fetch-dest", "document")],
        &[],
    ] {
        let clients = clients(&site);
        assert_eq!(clients.status(guesser, &short, headers), 303);
        assert_eq!(clients.guess(guesser, GUESSES, headers), 403);
        for path in [short.as_str(), "/auth/l/10"] {
            let refused = clients.open(guesser, path, headers);
            assert_eq!(refused.status().as_u16(), 429, "{path} {headers:?}");
            let wait = refused.headers()["retry-after"].to_str().unwrap();
            assert!((1..=60).contains(&wait.parse::<u64>().unwrap()), "{wait}");
        }
        assert_eq!(clients.status(other, &short, headers), 303);
        // Long links cannot be guessed, because they are signed.
        let long = format!("/?externalAuthCode={code}");
        assert_eq!(clients.status(guesser, &long, headers), 303);
    }
}

#[test]
fn a_page_of_another_site_locks_no_visitor_out() {
    let image = [
        ("sec-fetch-mode", "no-cors"),
        ("sec-fetch-dest", "image"),
        ("sec-fetch-site", "cross-site"),
    ];
    let frame = [
        NAVIGATES,
        ("sec-fetch-dest", "iframe"),
        ("sec-fetch-site", "same-site"),
    ];
    for headers in [
        &[HTML, ("sec-purpose", "prefetch")][..],
        &[HTML, ("sec-purpose", "prefetch;prerender")],
        &[HTML, ("purpose", "prefetch")],
        &image,
        &frame,
        // Over plain HTTP, browsers send no Fetch Metadata.
        &[HTML, FOREIGN],
        &[("accept", "image/avif,image/webp,*/*;q=0.8")],
        &[("accept", "image/avif,image/webp,*/*;q=0.8"), FOREIGN],
    ] {
        let site = Site::new();
        let short = ada(&site, "a");
        let clients = clients(&site);
        let last = clients.guess(1, 3 * GUESSES, headers);
        assert!([403, 429].contains(&last), "{headers:?}: {last}");
        for own in [&[HTML][..], &[NAVIGATES, ("sec-fetch-dest", "document")]] {
            assert_eq!(clients.status(1, &short, own), 303, "{headers:?}");
        }
    }
}

#[test]
fn a_request_in_advance_or_in_a_frame_learns_nothing_about_a_short_link() {
    let site = Site::new();
    let short = ada(&site, "a");
    for headers in [
        &[("sec-purpose", "prefetch")][..],
        &[("purpose", "prefetch")],
        &[
            NAVIGATES,
            ("sec-fetch-dest", "iframe"),
            ("sec-fetch-site", "same-origin"),
        ],
    ] {
        let known = site.get(&short, headers);
        let unknown = site.get("/auth/l/aaaaaaaaaaaaaaaaaaaaaaaaaa", headers);
        assert_eq!(known.status.as_u16(), 403, "{headers:?}");
        let page = |body: &str| body.split("Reference").next().map(str::to_owned);
        assert_eq!(page(&known.body), page(&unknown.body), "{headers:?}");
    }
    assert!(!site.has_user("ada"));
    assert_eq!(site.get(&short, &[]).status.as_u16(), 303);
}

#[test]
fn a_guesser_who_pretends_to_be_led_by_another_page_is_locked_out_as_well() {
    let site = Site::new();
    let short = ada(&site, "a");
    let clients = clients(&site);
    let led = [HTML, FOREIGN];
    assert_eq!(clients.guess(1, GUESSES, &led), 403);
    assert_eq!(clients.guess(1, 1, &led), 429);
    assert_eq!(clients.status(1, &short, &led), 429);
    // A person who comes from another page, from another address.
    assert_eq!(clients.status(2, &short, &led), 303);
}
