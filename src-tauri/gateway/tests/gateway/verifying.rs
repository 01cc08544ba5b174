use latchkey_core::return_address::WebOrigin;

use crate::site::Site;

#[test]
fn a_proxy_is_told_who_it_is() {
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
    // Cookies of the application beside it.
    let answer = site.get_as("/auth/verify", &format!("theme=dark; {cookie}; x=\"y\""));
    assert_eq!(answer.status.as_u16(), 200);
}

#[test]
fn whoever_is_not_signed_in_is_nobody() {
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
fn a_browser_is_sent_to_sign_in_and_comes_back_to_where_it_was_going() {
    let site = Site::with("acme", |settings| {
        let app = WebOrigin::parse("https://chat.acme.example:8443").unwrap();
        settings.visiting.return_to.push(app);
    });
    let asked_by_caddy = [
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "chat.acme.example:8443"),
        ("x-forwarded-uri", "/reports?year=2026"),
    ];
    let asked_by_nginx = [(
        "x-original-url",
        "https://chat.acme.example:8443/reports?year=2026",
    )];
    for headers in [&asked_by_caddy[..], &asked_by_nginx[..]] {
        let sent = site.get("/auth/verify?redirect", headers);
        assert_eq!(sent.status.as_u16(), 302);
        let page = sent.location();
        let rd = "rd=https%3A%2F%2Fchat.acme.example%3A8443%2Freports%3Fyear%3D2026";
        assert_eq!(page, format!("https://chat.acme.example/auth/sign-in?{rd}"));
        let path = page.strip_prefix("https://chat.acme.example").unwrap();
        let shown = site.get(path, &[]);
        assert_eq!(shown.status.as_u16(), 200);
        let remembered = shown.cookies().remove(0);
        let code = site.new_user("ada");
        let answer = site.get_as(&format!("/?externalAuthCode={code}"), &remembered);
        assert_eq!(
            answer.location(),
            "https://chat.acme.example:8443/reports?year=2026"
        );
        // Whoever is signed in by now goes on at once.
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

/// It has no cookie of the gateway's, so its proxy would send them back for ever.
#[test]
fn whoever_is_signed_in_is_sent_to_no_page_of_another_host() {
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
fn nobody_is_sent_to_a_page_that_is_not_allowed() {
    let site = Site::new();
    let forwarded = [
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
        assert!(site.get(&path, &[]).cookies().is_empty(), "{rd}");
        assert_eq!(site.get_as(&path, &cookie).location(), "/", "{rd}");
    }
}
