//! Tests of the page to which a sign-in leads.

use std::time::Duration;

use fantoccini::Locator;
use latchkey_core::instance::SignInStep;
use serde_json::json;

use crate::scene::{Scene, run};
use crate::site::{NAVIGATES, Site};

const HTML: (&str, &str) = ("accept", "text/html");

/// Sends a browser that asked for `page` to the sign-in page. Returns the cookies that the browser
/// then sends.
fn sent_to_sign_in(site: &Site, page: &str, fields: &[(&str, &str)]) -> Option<String> {
    let mut asked = vec![("x-original-url", page)];
    asked.extend_from_slice(fields);
    let sent = site.get("/auth/verify?redirect", &asked);
    if sent.status.as_u16() != 302 {
        return None;
    }
    let path = sent.location().strip_prefix("https://chat.acme.example");
    let cookies = site.get(path.unwrap(), fields).cookies();
    (!cookies.is_empty()).then(|| cookies.join("; "))
}

fn lands(site: &Site, link: &str, cookies: &str) -> String {
    let code = site.new_user("ada");
    let separator = if link.contains('?') { '&' } else { '?' };
    let link = format!("{link}{separator}externalAuthCode={code}");
    site.get_as(&link, cookies).location().to_owned()
}

#[test]
fn a_request_by_a_script_is_not_remembered_and_a_page_of_a_tab_is() {
    let site = Site::new();
    let poll = "https://chat.acme.example/api/poll";
    for fields in [
        &[("accept", "application/json")][..],
        &[("sec-fetch-mode", "cors"), HTML],
        &[("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")],
        &[NAVIGATES, ("sec-fetch-dest", "iframe")],
        &[NAVIGATES, ("x-original-method", "POST")],
        &[NAVIGATES, ("x-forwarded-method", "PUT")],
    ] {
        assert_eq!(sent_to_sign_in(&site, poll, fields), None, "{fields:?}");
        // A proxy may send every request to the sign-in page.
        let is_form = fields.iter().any(|(name, _)| name.ends_with("-method"));
        let page = site.get("/auth/sign-in?rd=/api/poll", fields);
        assert_eq!(page.cookies().is_empty(), !is_form, "{fields:?}");
    }
    for fields in [
        &[HTML][..],
        &[NAVIGATES, ("sec-fetch-dest", "document")],
        &[NAVIGATES, ("x-original-method", "GET")],
    ] {
        let page = "https://chat.acme.example/reports?year=2026";
        let cookies = sent_to_sign_in(&site, page, fields).unwrap();
        assert_eq!(lands(&site, "/", &cookies), page, "{fields:?}");
    }
}

#[test]
fn the_page_of_a_link_wins_over_the_remembered_page() {
    let site = Site::new();
    let page = "https://chat.acme.example/reports";
    let cookies = sent_to_sign_in(&site, page, &[HTML]).unwrap();
    for (link, lands_at) in [
        ("/", page),
        ("/app", "/app"),
        ("/app?a=b", "/app?a=b"),
        ("/?page=12", "/?page=12"),
    ] {
        assert_eq!(lands(&site, link, &cookies), lands_at, "{link}");
    }
    // The sign-in has deleted the remembered page.
    let code = site.new_user("ada");
    let answer = site.get_as(&format!("/app?externalAuthCode={code}"), &cookies);
    let forgotten = answer.headers.get_all("set-cookie").iter();
    let forgotten = forgotten.filter(|cookie| {
        let cookie = cookie.to_str().unwrap();
        cookie.contains("latchkey_return") && cookie.contains("Max-Age=0")
    });
    assert_eq!(forgotten.count(), 1);
}

#[test]
fn an_address_of_4_kib_is_remembered_and_each_cookie_fits_in_a_browser() {
    let site = Site::new();
    let origin = "https://chat.acme.example";
    for length in [100, 2_048, 2_800, 2_850, 4_096] {
        let page = format!("{origin}/reports?{}", "x;y,%2C".repeat(600));
        let page = &page[..length];
        let shown = {
            let asked = [("x-original-url", page), HTML];
            let sent = site.get("/auth/verify?redirect", &asked);
            let path = sent.location().strip_prefix(origin).unwrap().to_owned();
            site.get(&path, &[HTML])
        };
        for cookie in shown.cookies() {
            // RFC 6265bis §5.6: browsers ignore a longer cookie.
            assert!(cookie.len() <= 4_096, "{length}: {}", cookie.len());
        }
        let mut cookies = shown.cookies();
        assert_eq!(lands(&site, "/", &cookies.join("; ")), page);
        // A second cookie that is left over from an earlier address does no harm.
        if cookies.len() == 1 {
            let (name, _) = cookies[0].split_once('=').unwrap();
            let second = name.replace("latchkey_return_", "latchkey_return_2_");
            cookies.push(format!("{second}=left"));
            assert_eq!(lands(&site, "/", &cookies.join("; ")), page);
        } else {
            cookies.pop();
            assert_eq!(lands(&site, "/", &cookies.join("; ")), "/");
        }
    }
    let long = format!("{origin}/{}", "x".repeat(4_096));
    assert_eq!(sent_to_sign_in(&site, &long, &[HTML]), None);
}

#[test]
fn a_backslash_in_a_query_is_encoded_and_kept() {
    let site = Site::new();
    assert_eq!(
        lands(&site, r"/files?path=C:\ada\notes", ""),
        "/files?path=C:%5Cada%5Cnotes"
    );
    let page = r"https://chat.acme.example/files?path=C:\ada";
    let cookies = sent_to_sign_in(&site, page, &[HTML]).unwrap();
    assert_eq!(
        lands(&site, "/", &cookies),
        "https://chat.acme.example/files?path=C:%5Cada"
    );
}

#[test]
fn the_fragment_of_a_link_survives_the_confirm_page() {
    run(async {
        for step in [SignInStep::Automatic, SignInStep::Confirm] {
            let change = |settings: &mut latchkey_core::instance::Settings| {
                settings.visiting.step = step;
            };
            let scene = Scene::with(change, "localhost", &[], json!({})).await;
            let code = scene.served.site.new_user("ada");
            let link = format!("{}/app?externalAuthCode={code}#/chat", scene.served.gateway);
            scene.client().goto(&link).await.unwrap();
            if step == SignInStep::Confirm {
                scene.tap("button.primary").await;
            }
            let wanted = format!("{}/app#/chat", scene.served.gateway);
            let mut address = String::new();
            for _ in 0..1200 {
                address = scene.client().current_url().await.unwrap().to_string();
                if address == wanted {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            assert_eq!(address, wanted, "{step:?}");
            assert!(scene.served.site.has_user("ada"));
            let home = format!("{}/", scene.served.gateway);
            scene.client().goto(&home).await.unwrap();
            let body = scene.client().find(Locator::Css("body")).await.unwrap();
            let text = body.text().await.unwrap();
            assert!(text.contains("You are signed in"), "{text}");
            scene.end().await;
        }
    });
}

#[test]
fn a_link_inside_another_page_signs_nobody_in() {
    let site = Site::new();
    let link = format!("/?externalAuthCode={}", site.new_user("ada"));
    let cross = ("sec-fetch-site", "cross-site");
    let same = ("sec-fetch-site", "same-origin");
    for fields in [
        [("sec-fetch-dest", "image"), cross],
        [("sec-fetch-dest", "script"), cross],
        [("sec-fetch-dest", "style"), same],
        [("sec-fetch-dest", "empty"), same],
        [("sec-fetch-dest", "iframe"), cross],
        [("sec-fetch-dest", "frame"), cross],
        [("sec-fetch-dest", "embed"), cross],
        [("sec-fetch-dest", "object"), same],
    ] {
        for answer in [site.get(&link, &fields), site.confirm(&link, &fields)] {
            assert_eq!(answer.status.as_u16(), 403, "{fields:?}");
            assert!(answer.session().is_none(), "{fields:?}");
            assert!(answer.body.contains("tab of its own"), "{}", answer.body);
        }
    }
    assert!(!site.has_user("ada"));
    for fields in [
        [
            ("sec-fetch-dest", "iframe"),
            ("sec-fetch-site", "same-site"),
        ],
        [("sec-fetch-dest", "document"), cross],
    ] {
        assert!(site.get(&link, &fields).session().is_some(), "{fields:?}");
    }
}

#[test]
fn a_damaged_link_signs_in() {
    let site = Site::new();
    for (number, after) in [
        ".",
        ")",
        ").",
        "%20",
        "%3E",
        "%22",
        "'",
        "%E2%80%8B",
        "%EF%BB%BF",
        "%2520",
        ",",
        "]",
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("ada{number}");
        let link = format!("/app?externalAuthCode={}{after}", site.new_user(&id));
        let answer = site.get(&link, &[]);
        assert_eq!(answer.status.as_u16(), 303, "{after}: {}", answer.body);
        assert_eq!(answer.location(), "/app", "{after}");
        assert!(site.has_user(&id), "{after}");
    }
}
