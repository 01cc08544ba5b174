//! Proof: visitors who click at the same instant sign in exactly as often as a link allows.
//!
//! A gateway runs over the embedded engine only.

use std::io::{Read as _, Write as _};
use std::sync::Barrier;
use std::thread;

use jiff::Timestamp;
use latchkey_core::directory::Directory as _;
use latchkey_core::ledger::LinkStatus;
use latchkey_core::protocol::claims::Registered;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::protocol::uses::Uses;
use latchkey_core::session::SessionQuery;
use latchkey_store::Wait as _;

use crate::serving::Running;
use crate::site::Site;
use crate::soak::{figure, share};

const CLIENTS: usize = 32;

/// Clicks the button of a confirm page in several browsers at the same instant. Returns the
/// responses.
fn click_at_once(running: &Running, path: &str, browsers: &[String]) -> Vec<String> {
    let instant = &Barrier::new(browsers.len());
    thread::scope(|scope| {
        let clicks: Vec<_> = browsers
            .iter()
            .map(|cookie| {
                scope.spawn(move || {
                    let mut stream = running.connect();
                    let head = format!(
                        "POST {path} HTTP/1.1\r\nHost: chat.acme.example\r\n\
                         User-Agent: Mozilla/5.0\r\nCookie: {cookie}\r\n\
                         Content-Type: application/x-www-form-urlencoded\r\n\
                         Content-Length: 0\r\nConnection: close\r\n"
                    );
                    stream.write_all(head.as_bytes()).unwrap();
                    instant.wait();
                    stream.write_all(b"\r\n").unwrap();
                    let mut answer = String::new();
                    stream.read_to_string(&mut answer).unwrap();
                    answer
                })
            })
            .collect();
        clicks
            .into_iter()
            .map(|click| click.join().unwrap())
            .collect()
    })
}

#[test]
fn clicks_at_the_same_instant_sign_in_exactly_as_often_as_the_link_allows() {
    let mut site = Site::new();
    site.limits.links_per_second = None;
    let running = Running::new(&site);
    // A browser that clicks again within 30 seconds would spend no second use.
    let browsers: Vec<String> = (0..4 * CLIENTS).map(|_| site.shown()).collect();
    let rounds = share(200);
    let mut clicks = 0;
    for round in 0..rounds {
        for uses in [1, 3, 100] {
            let user = format!("user-{round}-{uses}");
            let registered = Registered {
                id: Some(format!("link-{round}-{uses}")),
                uses: Uses::limited(uses).unwrap(),
                ..Registered::default()
            };
            let code = site.code_with(&format!(r#"{{"user":{{"id":"{user}"}}}}"#), registered);
            let path = format!("/?externalAuthCode={code}");
            let bursts = if uses < CLIENTS as u64 { 1 } else { 4 };
            let (mut signed_in, mut refused) = (0, 0);
            for browsers in browsers.chunks(CLIENTS).take(bursts) {
                for answer in click_at_once(&running, &path, browsers) {
                    let has_session =
                        answer.contains("set-cookie: ") && answer.contains("latchkey_session");
                    match answer.split(' ').nth(1) {
                        Some("303") if has_session => signed_in += 1,
                        Some("410") if !has_session => refused += 1,
                        _ => panic!("round {round}, {uses} uses: {answer}"),
                    }
                }
            }
            clicks += signed_in + refused;
            assert_eq!(signed_in, uses, "round {round}: {refused} were refused");
            let user = UserId::parse(&user, "id").unwrap();
            let known = site.directory.known_user(&user).wait().unwrap();
            let query = SessionQuery {
                user: user.clone(),
                policy: site.settings.policy,
                rules: site.settings.session_rules(),
                after: None,
                limit: 1,
            };
            let sessions = site.directory.sessions_of(&query, Timestamp::now()).wait();
            let link = format!("link-{round}-{uses}");
            let link = site.directory.link(&link, Timestamp::now()).wait().unwrap();
            let (listed, _) = link.unwrap();
            assert_eq!(listed.link.used, uses, "round {round}");
            assert_eq!(listed.standing.status, LinkStatus::UsedUp);
            assert_eq!(known.sign_ins, uses, "round {round}");
            assert_eq!(sessions.unwrap().total, uses, "round {round}");
        }
    }
    running.end();
    figure("links with 1, 3 and 100 uses", 3 * rounds);
    figure("browsers that click at the same instant", CLIENTS);
    figure("clicks", clicks);
    figure("sign-ins over or under the number of uses", 0);
}
