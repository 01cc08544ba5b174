use latchkey_store::Wait as _;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cookie::{Cookie, CookieJar, Key};
use jiff::Timestamp;
use latchkey_core::activity::AuditContext;
use latchkey_core::directory::{Command, Directory as _, Redemption};
use latchkey_core::instance::Policy;
use latchkey_core::link::BaseUrl;
use latchkey_core::protocol::claims::Registered;
use latchkey_core::protocol::code::VerifiedCode;
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::{NewUser, Payload};
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::secret::{Secret, SigningKey};
use latchkey_core::session::{NewSession, SessionId, SessionScope};

use crate::site::{NAVIGATES, Site, by};

fn status(site: &Site, cookie: &str) -> u16 {
    site.get_as("/auth/verify", cookie).status.as_u16()
}

fn ada() -> UserId {
    UserId::parse("ada", "id").unwrap()
}

// Each request of a `Site` starts a new gateway, so these tests also show that sessions survive a
// restart.

#[test]
fn a_session_ends_with_the_next_request_after_its_user_is_suspended_removed_or_signed_out() {
    let site = Site::new();
    let directory = &site.directory;
    let first = site.sign_in("ada");
    assert_eq!(status(&site, &first), 200);
    directory.suspend(&ada(), &by()).wait().unwrap();
    assert_eq!(status(&site, &first), 401);
    directory.reactivate(&ada(), &by()).wait().unwrap();
    assert_eq!(
        status(&site, &first),
        401,
        "a session that has ended stays ended"
    );
    let second = site.sign_in("ada");
    assert_eq!(status(&site, &second), 200);
    directory.sign_out(&ada(), &by()).wait().unwrap();
    assert_eq!(status(&site, &second), 401);
    let third = site.sign_in("ada");
    directory.remove(&ada(), &by()).wait().unwrap();
    assert_eq!(status(&site, &third), 401);
}

#[test]
fn a_session_ends_when_external_authentication_is_switched_off_and_survives_a_new_key() {
    let mut site = Site::new();
    let cookie = site.sign_in("ada");
    site.settings.policy.external_auth = false;
    assert_eq!(status(&site, &cookie), 401);
    site.settings.policy.external_auth = true;
    assert_eq!(status(&site, &cookie), 200);
    let secret = Secret::new("ffffffffffffffffffffffffffffffff".into());
    site.key = SigningKey::from_text(&secret).unwrap();
    assert_eq!(status(&site, &cookie), 200);
}

#[test]
fn a_session_ends_when_its_lifetime_is_over() {
    let mut site = Site::new();
    site.settings.visiting.session = Lifetime::Secs(1);
    let cookie = site.sign_in("ada");
    let begun = Instant::now();
    while status(&site, &cookie) != 401 {
        assert!(begun.elapsed() < Duration::from_secs(20), "it goes on");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_changed_cookie_and_a_cookie_of_another_instance_sign_nobody_in() {
    let site = Site::new();
    let cookie = site.sign_in("ada");
    let (name, value) = cookie.split_once('=').unwrap();
    for at in 0..value.len() {
        let mut bytes = value.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert_eq!(status(&site, &format!("{name}={changed}")), 401, "at {at}");
    }
    for value in [
        "",
        "A",
        &value[..value.len() - 1],
        &value[1..],
        &format!("{value}A"),
    ] {
        assert_eq!(status(&site, &format!("{name}={value}")), 401, "{value}");
    }
    // Another instance has the same key, the same users and the same sign-in.
    let mut other = Site::new();
    other.instance = "other";
    other.sign_in("ada");
    assert_eq!(status(&other, &cookie), 401);
    // A cookie with a return address does not sign in.
    let page = site.get("/auth/sign-in?rd=/somewhere", &[NAVIGATES]);
    let remembered = page.cookies().remove(0);
    let value = remembered.split_once('=').unwrap().1;
    assert_eq!(status(&site, &format!("{name}={value}")), 401);
}

#[test]
fn a_planted_cookie_does_not_become_a_session() {
    let site = Site::new();
    let planted = site.sign_in("mallory");
    let code = site.new_user("ada");
    let link = format!("/?externalAuthCode={code}");
    let answer = site.confirm(&link, &[("cookie", &planted)]);
    let own = answer.session().unwrap();
    assert_ne!(own, planted);
    let verified = site.get_as("/auth/verify", &own);
    assert_eq!(verified.header("remote-user"), Some("ada"));
    // The new session replaces the planted cookie, which belongs to no session.
    assert_eq!(status(&site, &planted), 401);
}

/// Over plain HTTP another host of the same domain can put cookies in front of the gateway's own.
#[test]
fn a_cookie_of_the_same_name_in_front_signs_nobody_out() {
    let site = Site::with("acme", |settings| {
        settings.url = BaseUrl::parse("http://chat.acme.example/").unwrap();
    });
    let cookie = site.sign_in("ada");
    let (name, value) = cookie.split_once('=').unwrap();
    let forged = |count: usize| {
        // All of them are well-formed.
        let letters = "AEIMQUYcgk".chars().take(count);
        let forged = letters.map(|letter| format!("{name}={}", letter.to_string().repeat(43)));
        forged.collect::<Vec<_>>().join("; ")
    };
    for count in 1..=4 {
        let cookies = format!("{}; {cookie}", forged(count));
        assert_eq!(status(&site, &cookies), 200, "{count} in front");
    }
    let many = format!("{}; {cookie}", forged(9));
    assert_eq!(status(&site, &many), 401, "only a few cookies are read");
    // A new sign-in replaces the valid session, and signing out ends it.
    let cookies = format!("{name}={}; {cookie}", "A".repeat(43));
    let link = format!("/?externalAuthCode={}", site.new_user("bob"));
    let bob = site
        .confirm(&link, &[("cookie", &cookies)])
        .session()
        .unwrap();
    assert_eq!(status(&site, &format!("{name}={value}")), 401);
    let cookies = format!("{name}={}; {bob}", "A".repeat(43));
    let answer = site.post("/auth/sign-out", &[], &[("cookie", &cookies)]);
    assert_eq!(answer.status.as_u16(), 200);
    assert_eq!(status(&site, &bob), 401);
}

#[test]
fn signing_out_takes_the_cookie_away() {
    let site = Site::new();
    let cookie = site.sign_in("ada");
    let answer = site.post("/auth/sign-out", &[], &[("cookie", &cookie)]);
    assert_eq!(answer.status.as_u16(), 200);
    assert!(answer.body.contains("You are signed out"));
    let cleared = answer.header("set-cookie").unwrap();
    let name = cookie.split_once('=').unwrap().0;
    assert!(cleared.starts_with(&format!("{name}=;")), "{cleared}");
    assert!(cleared.contains("Max-Age=0"), "{cleared}");
}

#[test]
fn signing_out_ends_every_copy_of_the_cookie() {
    let site = Site::new();
    let (cookie, other) = (site.sign_in("ada"), site.sign_in("ada"));
    assert_eq!(status(&site, &cookie), 200);
    site.post("/auth/sign-out", &[], &[("cookie", &cookie)]);
    assert_eq!(status(&site, &cookie), 401, "a copy that somebody has kept");
    assert_eq!(
        status(&site, &other),
        200,
        "another browser stays signed in"
    );
}

#[test]
fn the_holder_of_the_signing_secret_forges_no_session() {
    let site = Site::new();
    let name = site.sign_in("ada").split_once('=').unwrap().0.to_owned();
    let ada = site.directory.known_user(&ada()).wait().unwrap();
    // Earlier versions signed sessions like this, with the secret alone.
    let key = Key::from(&*site.key.derived("latchkey session of acme"));
    let claims = postcard::to_allocvec(&("ada", ada.created_at, i64::MAX / 2)).unwrap();
    let value = URL_SAFE_NO_PAD.encode(claims);
    for name in [name, "__Host-latchkey_session".to_owned()] {
        let mut jar = CookieJar::new();
        jar.signed_mut(&key)
            .add(Cookie::new(name.clone(), value.clone()));
        let forged = jar.get(&name).unwrap().to_string();
        assert_eq!(status(&site, &forged), 401, "{forged}");
    }
}

#[test]
fn a_user_who_is_removed_and_added_again_in_the_same_second_is_another_user() {
    let site = Site::new();
    let cookie = site.sign_in("ada");
    site.directory.remove(&ada(), &by()).wait().unwrap();
    let again = NewUser {
        id: ada(),
        email: None,
        metadata: Metadata::default(),
    };
    site.directory.add(&again, &by()).wait().unwrap();
    assert_eq!(status(&site, &cookie), 401);
}

#[test]
fn a_neighbours_cookie_in_another_encoding_hides_no_session() {
    let site = Site::new();
    let cookie = site.sign_in("ada");
    // Latin-1, truncated UTF-8, and other bytes.
    for neighbour in [
        &b"name=J\xfcrgen"[..],
        b"x=\xc3",
        b"\xff=\xfe; =; ;;",
        b"==",
    ] {
        for parts in [
            [neighbour, cookie.as_bytes()],
            [cookie.as_bytes(), neighbour],
        ] {
            let request = Request::builder()
                .uri("/auth/verify")
                .header("cookie", parts.join(&b"; "[..]))
                .body(Body::empty());
            let answer = site.send(request.unwrap());
            assert_eq!(answer.status.as_u16(), 200, "{parts:?}");
            assert_eq!(answer.header("remote-user"), Some("ada"));
        }
    }
}

/// A browser shares cookies between all ports of a host (RFC 6265 §8.5).
#[test]
fn instances_on_one_host_do_not_sign_each_other_out() {
    for (one, other) in [
        ("http://localhost:8787/", "http://localhost:8788/"),
        ("https://acme.example/", "https://acme.example:8443/"),
        ("https://acme.example/chat/", "https://acme.example/wiki/"),
    ] {
        let at = |url: &str| {
            let url = BaseUrl::parse(url).unwrap();
            Site::with("acme", |settings| settings.url = url)
        };
        let (one, other) = (at(one), at(other));
        let (ada, bob) = (one.sign_in("ada"), other.sign_in("bob"));
        let name = |cookie: &str| cookie.split_once('=').unwrap().0.to_owned();
        assert_ne!(name(&ada), name(&bob), "the second would replace the first");
        let both = format!("{ada}; {bob}");
        let user = |site: &Site| {
            let answer = site.get_as("/auth/verify", &both);
            answer.header("remote-user").map(str::to_owned)
        };
        assert_eq!(user(&one).as_deref(), Some("ada"));
        assert_eq!(user(&other).as_deref(), Some("bob"));
        other.post("/auth/sign-out", &[], &[("cookie", &both)]);
        assert_eq!(user(&one).as_deref(), Some("ada"));
        assert_eq!(user(&other), None);
    }
}

#[test]
fn the_record_of_a_session_says_which_browser_has_it_and_when_it_was_used_last() {
    let site = Site::new();
    let code = site.new_user("ada");
    let answer = site.get(
        &format!("/?externalAuthCode={code}"),
        &[("user-agent", "Mozilla/5.0 (a phone)")],
    );
    let cookie = answer.session().unwrap();
    let value = cookie.split_once('=').unwrap().1;
    let key = SessionId::parse(value.as_bytes()).unwrap().key();
    let session = site.directory.session(&key).wait().unwrap().unwrap();
    assert_eq!(session.browser.as_deref(), Some("Mozilla/5.0 (a phone)"));
    assert!(!format!("{key:?} {session:?}").contains(value));
    assert_eq!(session.last_seen, session.created_at);
    // The session seems to have begun an hour ago, so the next use is written in the background.
    let by = AuditContext {
        at: Timestamp::now() - jiff::SignedDuration::from_hours(1),
        ..by()
    };
    let old = SessionId::new(by.at).unwrap();
    let new = NewSession {
        key: old.key(),
        place: SessionScope::Page,
        browser: None,
        browser_key: None,
        replaces: None,
    };
    let members = serde_json::from_str(r#"{"id":"ada"}"#).unwrap();
    let verified = VerifiedCode {
        payload: Payload::from_claims(&members).unwrap(),
        judged_at: Timestamp::now().as_second(),
        key_id: None,
        link: "1".to_owned(),
        is_made_here: false,
        registered: Registered::default(),
        members,
    };
    let redemption = Redemption {
        code: Ok(verified),
        policy: Policy::default(),
        session: Some(new),
    };
    let command = Command::Redeem(Arc::new(redemption));
    site.directory.execute(command, &by).wait().unwrap();
    let name = cookie.split_once('=').unwrap().0;
    let cookie = format!("{name}={}", *old.expose());
    assert_eq!(status(&site, &cookie), 200);
    let seen = || {
        site.directory
            .session(&old.key())
            .wait()
            .unwrap()
            .unwrap()
            .last_seen
    };
    for _ in 0..6000 {
        if seen() >= session.created_at {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("the last use is not written: {}", seen());
}
