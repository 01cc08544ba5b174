use latchkey_core::session::return_address::WebOrigin;

use crate::site::{NAVIGATES, Site};

#[test]
fn a_proxy_gets_the_user_in_headers() {
    let site = Site::new();
    let code = site.code(
        r#"{"user":{"id":"ada","email":"Ada@Acme.example","name":"José\nÁlvarez","groups":["staff","a,b",7,"","x\ty"," z","röster"],"role":"admin"}}"#,
    );
    let cookie = site
        .get(&format!("/?externalAuthCode={code}"), &[])
        .session()
        .unwrap();
    let answer = site.get_as("/auth/verify", &cookie);
    assert_eq!(answer.status.as_u16(), 200);
    let text = |name: &str| {
        let value = answer.headers.get(name).unwrap_or_else(|| panic!("{name}"));
        String::from_utf8(value.as_bytes().to_vec()).unwrap()
    };
    for (name, value) in [
        ("remote-user", "ada"),
        ("remote-email", "Ada@Acme.example"),
        ("remote-name", "José Álvarez"),
        ("remote-groups", "staff,röster"),
        ("x-auth-request-user", "ada"),
        ("x-auth-request-email", "Ada@Acme.example"),
    ] {
        assert_eq!(text(name), value);
    }
    assert!(answer.body.is_empty());
    // The application beside the gateway has cookies, too.
    let answer = site.get_as("/auth/verify", &format!("theme=dark; {cookie}; x=\"y\""));
    assert_eq!(answer.status.as_u16(), 200);
}

#[test]
fn a_proxy_gets_401_for_a_visitor_who_is_not_signed_in() {
    let site = Site::new();
    for cookie in [
        "",
        "x",
        "__Host-latchkey_session_383aa495=",
        ";;;=;",
        "__Host-latchkey_session_383aa495=%%%",
    ] {
        let answer = site.get_as("/auth/verify", cookie);
        assert_eq!(answer.status.as_u16(), 401, "{cookie}");
        assert!(
            answer
                .headers
                .keys()
                .all(|name| !name.as_str().contains("remote"))
        );
    }
}

#[test]
fn a_browser_is_sent_to_the_sign_in_page_and_returns_to_the_page_it_asked_for() {
    let site = Site::with("acme", |settings| {
        let app = WebOrigin::parse("https://chat.acme.example:8443").unwrap();
        settings.visiting.return_to.push(app);
    });
    let asked_by_caddy = [
        NAVIGATES,
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "chat.acme.example:8443"),
        ("x-forwarded-uri", "/reports?year=2026"),
    ];
    let asked_by_nginx = [
        NAVIGATES,
        (
            "x-original-url",
            "https://chat.acme.example:8443/reports?year=2026",
        ),
    ];
    for headers in [&asked_by_caddy[..], &asked_by_nginx[..]] {
        let sent = site.get("/auth/verify?redirect", headers);
        assert_eq!(sent.status.as_u16(), 302);
        let page = sent.location();
        let rd = "rd=https%3A%2F%2Fchat.acme.example%3A8443%2Freports%3Fyear%3D2026";
        assert_eq!(page, format!("https://chat.acme.example/auth/sign-in?{rd}"));
        let path = page.strip_prefix("https://chat.acme.example").unwrap();
        let shown = site.get(path, &[NAVIGATES]);
        assert_eq!(shown.status.as_u16(), 200);
        let remembered = shown.cookies().remove(0);
        let code = site.new_user("ada");
        let answer = site.get_as(&format!("/?externalAuthCode={code}"), &remembered);
        assert_eq!(
            answer.location(),
            "https://chat.acme.example:8443/reports?year=2026"
        );
        // A visitor who has signed in elsewhere in the meantime is redirected at once.
        let on = site.get_as(path, &answer.session().unwrap());
        assert_eq!(on.status.as_u16(), 303);
        assert_eq!(
            on.location(),
            "https://chat.acme.example:8443/reports?year=2026"
        );
        let csp = shown.header("content-security-policy").unwrap();
        assert!(
            csp.contains("form-action 'self' https://chat.acme.example:8443;"),
            "{csp}"
        );
    }
}

/// The other host has no cookie of the gateway, so its proxy would send the visitor back in an
/// endless loop.
#[test]
fn a_signed_in_visitor_is_not_redirected_to_a_page_of_another_host() {
    let site = Site::with("acme", |settings| {
        let app = WebOrigin::parse("https://app.acme.example").unwrap();
        settings.visiting.return_to.push(app);
    });
    let path = "/auth/sign-in?rd=https%3A%2F%2Fapp.acme.example%2F%3Fq%3D%3Cb%3E%26";
    let shown = site.get(path, &[]);
    assert_eq!(shown.status.as_u16(), 200);
    let page = site.get_as(path, &site.sign_in("ada"));
    assert_eq!(page.status.as_u16(), 200);
    let text = page.body;
    for part in [
        "You are signed in here",
        "ada",
        "<a href=\"https://app.acme.example/?q=%3Cb%3E&amp;\">",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn nobody_is_redirected_to_a_page_that_is_not_allowed() {
    let site = Site::new();
    let forwarded = [
        NAVIGATES,
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.com"),
        ("x-forwarded-uri", "/"),
    ];
    let sent = site.get("/auth/verify?redirect", &forwarded);
    assert_eq!(sent.location(), "https://chat.acme.example/auth/sign-in");
    let cookie = site.sign_in("ada");
    for rd in [
        "https%3A%2F%2Fevil.com",
        "%2F%2Fevil.com",
        "https:evil.com",
        "%5C%5Cevil.com",
        "javascript:alert(1)",
    ] {
        let path = format!("/auth/sign-in?rd={rd}");
        assert!(site.get(&path, &[NAVIGATES]).cookies().is_empty(), "{rd}");
        assert_eq!(site.get_as(&path, &cookie).location(), "/", "{rd}");
    }
}

#[test]
fn a_request_by_a_script_gets_401_and_a_page_is_redirected_to_sign_in() {
    let site = Site::new();
    let html = ("accept", "text/html,*/*;q=0.8");
    for (fields, status) in [
        (&[("accept", "application/json")][..], 401),
        (&[("accept", "*/*")], 401),
        (&[], 401),
        (&[("sec-fetch-mode", "cors"), html], 401),
        (&[("sec-fetch-mode", "no-cors")], 401),
        (&[("sec-fetch-mode", "websocket")], 401),
        (&[("x-requested-with", "XMLHttpRequest"), html], 401),
        (&[html], 302),
        (&[NAVIGATES], 302),
    ] {
        let answer = site.get("/auth/verify?redirect", fields);
        assert_eq!(answer.status.as_u16(), status, "{fields:?}");
        let without = site.get("/auth/verify", fields);
        assert_eq!(without.status.as_u16(), 401, "{fields:?}");
    }
}

#[test]
fn a_proxy_may_ask_with_any_method_path_below_and_query() {
    let site = Site::new();
    let cookie = site.sign_in("ada");
    for method in [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND",
    ] {
        for path in [
            "/auth/verify",
            "/auth/verify/",
            "/auth/verify/reports/2026?year=2026",
            "/auth/verify?redirect",
            "/auth/verify?redirect&redirect=other&year=2026",
            "/auth/verify?redirect=a&redirect=b",
        ] {
            let own = [("cookie", cookie.as_str()), NAVIGATES];
            let answer = site.ask(method, path, &own, "");
            assert_eq!(answer.status.as_u16(), 200, "{method} {path}");
            assert_eq!(answer.header("remote-user"), Some("ada"), "{method} {path}");
            let nobody = site.ask(method, path, &[NAVIGATES], "");
            let status = if path.contains("redirect") { 302 } else { 401 };
            assert_eq!(nobody.status.as_u16(), status, "{method} {path}");
        }
    }
    let other = site.get_as("/auth/verifying", &cookie);
    assert_eq!(other.status.as_u16(), 404);
}

#[test]
fn all_six_headers_are_sent_even_if_they_are_empty() {
    let site = Site::new();
    let cookie = site
        .get(
            &format!(
                "/?externalAuthCode={}",
                site.code(r#"{"user":{"id":"ada"}}"#)
            ),
            &[],
        )
        .session()
        .unwrap();
    let answer = site.get_as("/auth/verify", &cookie);
    for (name, value) in [
        ("remote-user", "ada"),
        ("remote-email", ""),
        ("remote-name", "ada"),
        ("remote-groups", ""),
        ("x-auth-request-user", "ada"),
        ("x-auth-request-email", ""),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
}
