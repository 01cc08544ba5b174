//! Tests of login links and of the URLs of instances.

use super::*;

fn link(base: &str) -> String {
    let code = ExternalAuthCode::from_text("h.c.s".into());
    LoginLink::new(
        &BaseUrl::parse(base).expect(base),
        &Parameter::default(),
        &code,
    )
    .url()
}

#[test]
fn path_query_and_fragment_stay_unchanged_and_an_older_code_is_replaced() {
    for (base, expected) in [
        (
            "https://chat.yourcompany.com",
            "https://chat.yourcompany.com/?externalAuthCode=h.c.s",
        ),
        (
            "https://a.b:8443/x/y?flag&q=a%20b+c#/top",
            "https://a.b:8443/x/y?flag&q=a%20b+c&externalAuthCode=h.c.s#/top",
        ),
        (
            "https://a.b/?externalAuthCode=old&z=1",
            "https://a.b/?z=1&externalAuthCode=h.c.s",
        ),
        (
            "https://a.b/?external%41uthCode=old",
            "https://a.b/?externalAuthCode=h.c.s",
        ),
        ("https://a.b/?", "https://a.b/?externalAuthCode=h.c.s"),
        ("https://a.b/#", "https://a.b/?externalAuthCode=h.c.s#"),
        (
            " HTTPS://EXAMPLE.com ",
            "https://example.com/?externalAuthCode=h.c.s",
        ),
        (
            "http://[::1]:8787/",
            "http://[::1]:8787/?externalAuthCode=h.c.s",
        ),
    ] {
        assert_eq!(link(base), expected);
    }
}

#[test]
fn an_unusable_url_is_refused_with_what_to_do() {
    for (text, said) in [
        ("", "empty"),
        ("chat.yourcompany.com", "https://chat.yourcompany.com"),
        ("localhost:8787", "https://localhost:8787"),
        ("javascript:alert(1)", "javascript:"),
        ("file:///etc/passwd", "file:"),
        ("https://", "no host"),
        ("https://a.b:99999", "port"),
        ("https://a<b", "characters"),
        ("https://1.2.3.4.5", "IP address"),
        ("https://[::1", "IP address"),
        ("https://ada:pw@a.b/", "password"),
        ("https://a b/", "white space"),
    ] {
        let refused = BaseUrl::parse(text).expect_err(text);
        assert_eq!(refused.field.as_deref(), Some("url"));
        assert!(
            refused.message.contains(said),
            "{text}: {}",
            refused.message
        );
    }
}

#[test]
fn a_typing_error_in_the_host_is_refused_with_what_was_meant() {
    for (typed, said) in [
        ("https//acme.example", "Did you mean https://acme.example ?"),
        (
            "http//chat/app?x=1#top",
            "Did you mean http://chat/app?x=1#top ?",
        ),
        (
            "https://https://acme.example",
            "Did you mean https://acme.example ?",
        ),
        ("HTTPS", "Write it as https://"),
        ("https://http:8080/", "Write it as https://"),
        (
            "https://acme..example",
            "Did you mean https://acme.example ?",
        ),
        (
            "http://.acme.example:8080/app",
            "Did you mean http://acme.example:8080/app ?",
        ),
        ("acme.example../", "Did you mean https://acme.example ?"),
    ] {
        let refused = BaseUrl::typed(typed).expect_err(typed);
        assert_eq!(refused.code, ErrorCode::InvalidUrl);
        assert_eq!(refused.field.as_deref(), Some("url"));
        let message = refused.message;
        assert!(message.contains(said), "{typed}: {message}");
    }
    for typed in [
        "https.example",
        "http.internal",
        "acme.example.",
        "chat",
        "[::1]",
    ] {
        assert!(BaseUrl::typed(typed).is_ok(), "{typed}");
    }
    // A stored URL of an earlier version is read.
    assert!(BaseUrl::parse("https://https//acme.example").is_ok());
}

#[test]
fn a_typed_address_without_a_scheme_is_completed() {
    for (typed, expected) in [
        ("chat.yourcompany.com", "https://chat.yourcompany.com/"),
        (
            " chat.yourcompany.com/app?x=1#top ",
            "https://chat.yourcompany.com/app?x=1#top",
        ),
        ("//chat.yourcompany.com", "https://chat.yourcompany.com/"),
        (
            "chat.yourcompany.com:8443/a:b",
            "https://chat.yourcompany.com:8443/a:b",
        ),
        ("bücher.example", "https://xn--bcher-kva.example/"),
        ("192.168.1.20:8787", "https://192.168.1.20:8787/"),
        ("localhost:8787", "http://localhost:8787/"),
        ("LOCALHOST", "http://localhost/"),
        ("app.localhost:3000/x", "http://app.localhost:3000/x"),
        ("127.0.0.1:8787", "http://127.0.0.1:8787/"),
        ("[::1]:8787", "http://[::1]:8787/"),
        // A typed scheme stays.
        (
            "http://chat.yourcompany.com",
            "http://chat.yourcompany.com/",
        ),
        ("https://localhost:8787", "https://localhost:8787/"),
    ] {
        let url = BaseUrl::typed(typed).expect(typed);
        assert_eq!(url.as_str(), expected, "{typed}");
    }
}

#[test]
fn a_text_that_is_not_an_address_is_not_completed() {
    for text in [
        "",
        "/",
        "//",
        "/app",
        "mailto:ada@b.co",
        "javascript:alert(1)",
        "ada:pw@b.co",
        "your company",
        "https://",
        "ftp://b.co",
        "?x",
    ] {
        assert!(BaseUrl::typed(text).is_err(), "{text}");
    }
}

#[test]
fn a_file_beside_the_page_is_found_from_any_page() {
    for (base, expected) in [
        ("https://a.b", "https://a.b/widget.js"),
        ("https://a.b/app", "https://a.b/app/widget.js"),
        ("https://a.b/app/?x=1#y", "https://a.b/app/widget.js"),
        ("https://a.b/app/index.html", "https://a.b/app/widget.js"),
    ] {
        assert_eq!(
            BaseUrl::parse(base).unwrap().sibling("widget.js").as_str(),
            expected
        );
    }
}

#[test]
fn http_is_exposed_except_on_this_computer() {
    let exposed = |text| BaseUrl::parse(text).unwrap().is_exposed();
    assert!(exposed("http://chat.yourcompany.com"));
    assert!(!exposed("https://chat.yourcompany.com"));
    assert!(!exposed("http://localhost:8787"));
    assert!(!exposed("http://127.0.0.1:8787"));
    assert!(!exposed("http://[::1]:8787"));
}
