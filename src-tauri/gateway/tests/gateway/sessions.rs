use latchkey_core::directory::Directory as _;
use latchkey_core::lifetime::Lifetime;
use latchkey_core::secret::{Secret, SigningKey};
use latchkey_core::user_id::UserId;

use crate::site::{Site, by};

fn status(site: &Site, cookie: &str) -> u16 {
    site.get_as("/auth/verify", cookie).status.as_u16()
}

fn ada() -> UserId {
    UserId::parse("ada", "id").unwrap()
}

// Each question of a `Site` is put to a gateway that was just started, so sessions survive that.

#[test]
fn a_session_ends_with_the_next_request_after_its_user_is_suspended_removed_or_signed_out() {
    let site = Site::new();
    let directory = &site.directory;
    let first = site.sign_in("ada");
    assert_eq!(status(&site, &first), 200);
    directory.suspend(&ada(), &by()).unwrap();
    assert_eq!(status(&site, &first), 401);
    directory.reactivate(&ada(), &by()).unwrap();
    assert_eq!(
        status(&site, &first),
        401,
        "a session that has ended stays so"
    );
    let second = site.sign_in("ada");
    assert_eq!(status(&site, &second), 200);
    directory.sign_out(&ada(), &by()).unwrap();
    assert_eq!(status(&site, &second), 401);
    let third = site.sign_in("ada");
    directory.remove(&ada(), &by()).unwrap();
    assert_eq!(status(&site, &third), 401);
}

#[test]
fn a_session_ends_with_external_authentication_and_with_the_key() {
    let mut site = Site::new();
    let cookie = site.sign_in("ada");
    site.settings.policy.external_auth = false;
    assert_eq!(status(&site, &cookie), 401);
    site.settings.policy.external_auth = true;
    assert_eq!(status(&site, &cookie), 200);
    let secret = Secret::new("ffffffffffffffffffffffffffffffff".into());
    site.key = SigningKey::from_text(&secret).unwrap();
    assert_eq!(status(&site, &cookie), 401);
}

#[test]
fn a_session_ends_in_time() {
    let mut site = Site::new();
    site.settings.visiting.session = Lifetime::Secs(1);
    let cookie = site.sign_in("ada");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(status(&site, &cookie), 401);
}

#[test]
fn a_cookie_that_was_changed_or_is_of_another_instance_signs_nobody_in() {
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
        &value[44..],
        &format!("{value}A"),
    ] {
        assert_eq!(status(&site, &format!("{name}={value}")), 401, "{value}");
    }
    // The same key, users and sign-in of another instance.
    let mut other = Site::new();
    other.instance = "other";
    other.sign_in("ada");
    assert_eq!(status(&other, &cookie), 401);
    // A cookie that remembers an address is none that signs in.
    let page = site.get("/auth/sign-in?rd=/somewhere", &[]);
    let remembered = page.cookies().remove(0);
    let value = remembered.split_once('=').unwrap().1;
    assert_eq!(status(&site, &format!("{name}={value}")), 401);
}

#[test]
fn a_cookie_that_somebody_else_has_set_is_not_taken_over() {
    let site = Site::new();
    let planted = site.sign_in("mallory");
    let code = site.new_user("ada");
    let form = [("code", code.as_str()), ("to", "/")];
    let answer = site.post("/auth/continue", &form, &[("cookie", &planted)]);
    let own = answer.session().unwrap();
    assert_ne!(own, planted);
    let verified = site.get_as("/auth/verify", &own);
    assert_eq!(verified.header("remote-user"), Some("ada"));
    // The planted one is still mallory's and nobody else's.
    let verified = site.get_as("/auth/verify", &planted);
    assert_eq!(verified.header("remote-user"), Some("mallory"));
}

#[test]
fn signing_out_takes_the_cookie_away() {
    let site = Site::new();
    let cookie = site.sign_in("ada");
    let answer = site.post("/auth/sign-out", &[], &[("cookie", &cookie)]);
    assert_eq!(answer.status.as_u16(), 200);
    assert!(answer.body.contains("You are signed out"));
    let cleared = answer.header("set-cookie").unwrap();
    assert!(
        cleared.starts_with("__Host-latchkey_session=;"),
        "{cleared}"
    );
    assert!(cleared.contains("Max-Age=0"), "{cleared}");
}
