use crate::site::Site;

#[test]
fn every_response_has_the_security_headers() {
    let site = Site::new();
    let code = site.new_user("ada");
    let link = format!("/?externalAuthCode={code}");
    let long = "x".repeat(20_000);
    let html = [("accept", "text/html")];
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for (method, path, headers, body, status) in [
        ("GET", "/", &[][..], "", 401),
        ("GET", link.as_str(), &[], "", 303),
        ("HEAD", &link, &[], "", 200),
        ("GET", "/?externalAuthCode=x", &[], "", 403),
        ("GET", "/nowhere", &[], "", 404),
        ("POST", "/", &[], "", 405),
        ("PUT", &link, &[], "", 405),
        ("DELETE", "/auth/verify", &[], "", 401),
        ("GET", "/auth/verify", &[], "", 401),
        ("HEAD", "/auth/verify", &[], "", 401),
        ("GET", "/auth/verify?redirect=1", &html, "", 302),
        ("GET", "/auth/sign-in", &[], "", 200),
        ("GET", "/auth/sign-in?rd=a&rd=b", &[], "", 400),
        ("POST", &link, &[], "", 403),
        ("GET", "/auth/widget/open", &[], "", 405),
        ("POST", "/auth/widget/open", &[], "", 415),
        ("POST", "/auth/widget/open", &form, "x=1", 422),
        ("POST", "/auth/widget/open", &form, &long, 413),
        ("POST", "/auth/sign-out", &[], "", 200),
        ("GET", "/auth/style.css", &[], "", 200),
        ("GET", "/healthz", &[], "", 200),
    ] {
        let answer = site.ask(method, path, headers, body);
        let what = format!("{method} {}", path.split('?').next().unwrap());
        assert_eq!(answer.status.as_u16(), status, "{what}");
        for (name, value) in [
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("x-robots-tag", "noindex, nofollow"),
            ("strict-transport-security", "max-age=31536000"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{what}: {name}");
        }
        let csp = answer.header("content-security-policy").unwrap();
        for part in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        ] {
            assert!(csp.contains(part), "{what}: {csp}");
        }
        assert!(!answer.body.contains(&code), "{what}");
    }
}

#[test]
fn a_response_over_http_does_not_require_https() {
    let site = Site::with("acme", |settings| {
        settings.url = latchkey_core::link::BaseUrl::parse("http://localhost:8787/").unwrap();
    });
    let code = site.new_user("ada");
    let answer = site.get(&format!("/?externalAuthCode={code}"), &[]);
    assert!(answer.header("strict-transport-security").is_none());
    let cookie = answer.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with("latchkey_session_") && !cookie.contains("Secure"),
        "{cookie}"
    );
}

#[test]
fn hsts_is_not_set_for_this_computer() {
    for url in ["https://localhost:8787/", "https://127.0.0.1:8787/"] {
        let site = Site::with("acme", |settings| {
            settings.url = latchkey_core::link::BaseUrl::parse(url).unwrap();
        });
        let answer = site.get("/", &[]);
        assert!(answer.header("strict-transport-security").is_none());
    }
}
