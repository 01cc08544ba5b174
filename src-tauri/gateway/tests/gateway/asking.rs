//! Asking for a new link.

use std::num::NonZeroU32;
use std::thread;

use jiff::Timestamp;
use latchkey_core::activity::ActivityQuery;
use latchkey_core::directory::Directory as _;
use latchkey_core::ledger::{
    Asking, LinkPerson, MAX_REQUESTS, NewLinkRequest, RequestReason, Revocation, RevocationScope,
    TakenLink,
};
use latchkey_core::link::short_code::ShortCode;
use latchkey_core::protocol::claims::{Claims, Registered};
use latchkey_core::protocol::code::read_askable;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::protocol::uses::Uses;
use latchkey_store::Wait as _;
use serde_json::json;

use crate::serving::{Running, until_held_up};
use crate::site::{Answer, Site, by, revoke_link};

const HOUR: i64 = 3600;
const BUTTON: &str = "Ask for a new link</button>";
const ADA: &str = r#"{"user":{"id":"ada","name":"Ada Okafor"}}"#;

/// Change of a site after which nobody is offered a new link.
type Stop = Box<dyn Fn(&Site)>;

fn now() -> i64 {
    Timestamp::now().as_second()
}

fn ada() -> UserId {
    UserId::parse("ada", "id").unwrap()
}

fn link_of(code: &str) -> String {
    format!("/a?externalAuthCode={code}")
}

/// Returns a link that expired an hour ago.
fn expired(site: &Site) -> String {
    let registered = Registered {
        id: Some("old".into()),
        expires_at: Some(now() - HOUR),
        ..Registered::default()
    };
    link_of(&site.code_with(ADA, registered))
}

/// Returns a link that has been used up.
fn used_up(site: &Site) -> String {
    let registered = Registered {
        id: Some("once".into()),
        uses: Uses::ONCE,
        ..Registered::default()
    };
    let link = link_of(&site.code_with(ADA, registered));
    assert_eq!(site.confirm(&link, &[]).status.as_u16(), 303);
    link
}

/// Returns a link that a newer one has replaced.
fn superseded(site: &Site) -> String {
    let made = |id: &str| {
        let members = format!(r#"{{"user":{{"id":"ada"}},"jti":"{id}","iat":{}}}"#, now());
        Claims::from_signed(&serde_json::from_str(&members).unwrap()).unwrap()
    };
    let old = made("replaced");
    for (claims, supersedes) in [(old.clone(), false), (made("newer"), true)] {
        let taken = TakenLink {
            supersedes,
            ..TakenLink::new(claims, None)
        };
        site.directory.take_link(taken, &by()).wait().unwrap();
    }
    link_of(&site.code_with(r#"{"user":{"id":"ada"}}"#, old.registered))
}

fn offers(answer: &Answer) -> bool {
    answer.body.contains(BUTTON)
}

fn ask(site: &Site, link: &str, cookies: &str) -> Answer {
    site.post(link, &[("ask", "new-link")], &[("cookie", cookies)])
}

fn requests(site: &Site) -> Vec<NewLinkRequest> {
    site.directory
        .link_requests(Timestamp::now())
        .wait()
        .unwrap()
}

fn asked_entries(site: &Site) -> usize {
    let everything = ActivityQuery::default();
    let page = site.directory.activity(&everything, None, 1000);
    let entries = page.wait().unwrap().entries.into_iter();
    entries
        .filter(|entry| entry.event.data.code() == "link_asked")
        .count()
}

#[test]
fn the_page_of_an_expired_a_used_up_and_a_superseded_link_offers_a_new_one() {
    for (make, reason) in [
        (expired as fn(&Site) -> String, RequestReason::Expired),
        (used_up, RequestReason::UsedUp),
        (superseded, RequestReason::Superseded),
    ] {
        let site = Site::new();
        let link = make(&site);
        let page = site.get(&link, &[]);
        assert!(page.status.is_client_error());
        assert!(offers(&page), "{reason:?}: {}", page.body);
        let cookies = page.cookies().join("; ");
        assert!(!cookies.is_empty() && page.session().is_none());
        for person in [">ada<", "Ada Okafor", "Okafor"] {
            assert!(!page.body.contains(person), "the page names nobody");
        }
        let answer = ask(&site, &link, &cookies);
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
        assert!(answer.body.contains("You have asked for a new link"));
        let open = requests(&site);
        let [request] = &open[..] else {
            panic!("one request, not {open:?}");
        };
        assert_eq!(request.reason, reason);
        assert_eq!(request.person, LinkPerson::User(ada()));
        assert_eq!(request.browser.as_deref(), Some("Mozilla/5.0 (a browser)"));
        assert_eq!(asked_entries(&site), 1);
    }
}

#[test]
fn asking_again_changes_nothing_and_shows_the_same_page() {
    let site = Site::new();
    let link = expired(&site);
    let cookies = site.get(&link, &[]).cookies().join("; ");
    let first = ask(&site, &link, &cookies);
    let before = requests(&site);
    let again = ask(&site, &link, &cookies);
    assert_eq!((again.status, again.body), (first.status, first.body));
    assert!(offers(&site.get(&link, &[])));
    assert_eq!(requests(&site), before);
    assert_eq!(asked_entries(&site), 1);
}

#[test]
fn a_short_link_that_has_expired_offers_a_new_link_and_an_unknown_one_does_not() {
    let site = Site::new();
    let members = json!({ "user": { "id": "ada" }, "jti": "old", "iat": now() - 2 * HOUR, "exp": now() - HOUR });
    let code = ShortCode::new().unwrap();
    let taken = TakenLink {
        short: Some(code.hash()),
        ..TakenLink::new(
            Claims::from_signed(members.as_object().unwrap()).unwrap(),
            None,
        )
    };
    site.directory.take_link(taken, &by()).wait().unwrap();
    let url = code.url(&site.settings.url).to_ascii_lowercase();
    let path = &url[url.find("/auth/l/").unwrap()..];
    let page = site.get(path, &[]);
    assert!(offers(&page), "{}", page.body);
    let cookies = page.cookies().join("; ");
    assert_eq!(ask(&site, path, &cookies).status.as_u16(), 200);
    let open = requests(&site);
    assert_eq!((open.len(), open[0].link.as_str()), (1, "old"));
    let unknown = "/auth/l/aaaaaaaaaaaaaaaaaaaaaaaaaa";
    assert!(!offers(&site.get(unknown, &[])));
    assert_eq!(ask(&site, unknown, &cookies).status.as_u16(), 403);
    assert_eq!(requests(&site), open);
}

#[test]
fn other_refusals_offer_nothing_and_nothing_can_be_asked_for() {
    let revoke = |scope: RevocationScope| {
        move |site: &Site| {
            let revocation = Revocation {
                scope: scope.clone(),
                ends_sessions: false,
                allows_unknown: true,
            };
            site.directory
                .revoke_links(revocation, &by())
                .wait()
                .unwrap();
        }
    };
    let stops: [(&str, Stop); 4] = [
        (
            "suspended",
            Box::new(|site| drop(site.directory.suspend(&ada(), &by()).wait().unwrap())),
        ),
        (
            "removed",
            Box::new(|site| site.directory.remove(&ada(), &by()).wait().unwrap()),
        ),
        (
            "revoked with all of the person",
            Box::new(revoke(RevocationScope::Person(ada()))),
        ),
        (
            "revoked, each",
            Box::new(|site| {
                for id in ["old", "once", "replaced"] {
                    revoke_link(&*site.directory, id);
                }
            }),
        ),
    ];
    for (what, stop) in stops {
        for make in [expired as fn(&Site) -> String, used_up, superseded] {
            let site = Site::new();
            site.sign_in("ada");
            let link = make(&site);
            stop(&site);
            refuses(&site, &link, what);
        }
    }
}

#[test]
fn a_code_that_is_wrong_by_itself_offers_nothing() {
    let site = Site::new();
    let signed = expired(&site);
    let (message, _) = signed.rsplit_once('.').unwrap();
    let claims = |registered: Registered| link_of(&site.code_with(ADA, registered));
    let early = claims(Registered {
        not_before: Some(now() + HOUR),
        ..Registered::default()
    });
    let foreign = claims(Registered {
        audience: Some("https://other.example".into()),
        expires_at: Some(now() - HOUR),
        ..Registered::default()
    });
    let long_ago = claims(Registered {
        expires_at: Some(now() - 31 * 24 * HOUR),
        ..Registered::default()
    });
    for (what, link) in [
        ("forged", format!("{message}.{}", "A".repeat(43))),
        ("cut", message.to_owned()),
        ("early", early),
        ("foreign", foreign),
        ("expired long ago", long_ago),
    ] {
        refuses(&site, &link, what);
    }
}

#[track_caller]
fn refuses(site: &Site, link: &str, what: &str) {
    let page = site.get(link, &[]);
    assert!(page.status.is_client_error(), "{what}: {}", page.status);
    assert!(!offers(&page), "{what}: {}", page.body);
    assert!(page.cookies().is_empty(), "{what}");
    let answer = ask(site, link, &site.shown());
    assert_eq!(answer.status.as_u16(), 403, "{what}: {}", answer.body);
    assert_eq!(requests(site), [], "{what}");
}

#[test]
fn a_link_that_works_is_not_asked_for_and_not_used() {
    let site = Site::new();
    let registered = Registered {
        id: Some("once".into()),
        uses: Uses::ONCE,
        ..Registered::default()
    };
    let link = link_of(&site.code_with(ADA, registered));
    assert_eq!(ask(&site, &link, &site.shown()).status.as_u16(), 403);
    assert_eq!(requests(&site), []);
    assert_eq!(site.confirm(&link, &[]).status.as_u16(), 303);
}

#[test]
fn previews_programs_and_pages_of_other_sites_ask_for_nothing() {
    let site = Site::new();
    let link = expired(&site);
    for method in ["GET", "HEAD"] {
        site.ask(method, &format!("{link}&ask=new-link"), &[], "");
    }
    let blocked = site.post(&link, &[("ask", "new-link")], &[]);
    assert_eq!(blocked.status.as_u16(), 403);
    assert!(
        blocked.body.contains("keeps no cookies"),
        "{}",
        blocked.body
    );
    let cookies = site.get(&link, &[]).cookies().join("; ");
    for says in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
    ] {
        let headers = [("cookie", cookies.as_str()), says];
        let answer = site.post(&link, &[("ask", "new-link")], &headers);
        assert_eq!(answer.status.as_u16(), 403, "{says:?}");
    }
    assert_eq!(requests(&site), []);
    let json = site.get(&link, &[("accept", "application/json")]);
    assert_eq!(json.status.as_u16(), 410);
    assert!(!json.body.contains(BUTTON), "{}", json.body);
}

#[test]
fn clients_that_ask_at_the_same_instant_make_one_request() {
    let site = Site::new();
    let link = expired(&site);
    let cookies = site.get(&link, &[]).cookies().join("; ");
    thread::scope(|scope| {
        let asking: Vec<_> = (0..32)
            .map(|_| scope.spawn(|| ask(&site, &link, &cookies).status.as_u16()))
            .collect();
        for asked in asking {
            assert_eq!(asked.join().unwrap(), 200);
        }
    });
    assert_eq!(requests(&site).len(), 1);
    assert_eq!(asked_entries(&site), 1);
}

#[test]
fn a_flood_of_requests_is_limited() {
    let mut site = Site::new();
    site.limits.links_per_second = NonZeroU32::new(1);
    let running = Running::new(&site);
    let link = expired(&site);
    let (answers, held_up) = until_held_up(|_| running.get(&link));
    assert!(answers.len() >= 4, "a burst is allowed");
    assert!(answers.iter().all(|answer| answer.contains(BUTTON)));
    assert!(!held_up.contains(BUTTON));
    running.end();
}

#[test]
fn when_too_many_have_asked_the_page_says_so_and_the_oldest_requests_stay() {
    let site = Site::new();
    let asking = |user: &str| {
        let registered = Registered {
            expires_at: Some(now() - HOUR),
            ..Registered::default()
        };
        let payload = format!(r#"{{"user":{{"id":"{user}"}}}}"#);
        site.code_with(&payload, registered)
    };
    for number in 0..MAX_REQUESTS {
        let code = asking(&format!("user-{number}"));
        let rules = site.settings.code_rules();
        let code = read_askable(&code, &[&site.key], rules, Timestamp::now()).unwrap();
        let asking = Asking {
            code,
            policy: site.settings.policy,
            browser: None,
        };
        site.directory.ask_for_link(asking, &by()).wait().unwrap();
    }
    let late = link_of(&asking("late"));
    let answer = ask(&site, &late, &site.shown());
    assert_eq!(answer.status.as_u16(), 503);
    assert!(answer.body.contains("Too many people"), "{}", answer.body);
    let open = requests(&site);
    assert_eq!(open.len(), MAX_REQUESTS);
    assert_eq!(open.last().unwrap().subject(), "user-0");
    let first = link_of(&asking("user-0"));
    assert_eq!(ask(&site, &first, &site.shown()).status.as_u16(), 200);
}
