//! Tests of the widget in a real browser, in a page of another site whose policy allows only the
//! widget.

use fantoccini::Locator;
use fantoccini::key::Key;
use latchkey_core::instance::SignInStep;
use latchkey_core::protocol::claims::Registered;
use latchkey_core::protocol::uses::Uses;
use latchkey_core::session::return_address::WebOrigin;
use serde_json::{Value, json};

use crate::scene::{BUBBLE, FRAME, Scene, run};

/// Script of a page that restyles its own elements, and with them the widget's.
const HOSTILE: &str = "const sheet = new CSSStyleSheet();
    sheet.replaceSync(`body, body * { all: unset !important; display: none !important;
        opacity: 0 !important; transform: scale(0) !important; pointer-events: none !important; }
        body { display: block !important; opacity: 1 !important; transform: none !important; }`);
    document.adoptedStyleSheets = [sheet]; return true";

/// Uses the widget in every way, as a visitor who may sign in.
async fn is_used(scene: &Scene) {
    let (ada, bob) = (
        scene.served.site.new_user("ada"),
        scene.served.site.new_user("bob"),
    );
    is_used_by_hand(scene, &ada).await;
    is_used_by_script(scene, &ada, &bob).await;
    refuses_a_code(scene).await;

    let log = scene.log().await;
    let complaints = log
        .iter()
        .filter(|entry| !entry.contains("403 (Forbidden)"));
    assert_eq!(complaints.count(), 0, "{log:#?}");
    // The cookie does not count on the gateway's own pages.
    scene.client().goto(&scene.served.gateway).await.unwrap();
    let body = scene.client().find(Locator::Css("body")).await.unwrap();
    let text = body.text().await.unwrap();
    assert!(text.contains("You are not signed in"), "{text}");
}

/// Opens the frame by hand, reads it, and closes it by Escape.
async fn is_used_by_hand(scene: &Scene, ada: &str) {
    let tag = scene.served.tag(ada);
    scene.open(&format!("{tag}{tag}")).await;
    let bubble = scene.bubble().await;
    scene.script(HOSTILE).await;
    let widgets = "return document.querySelectorAll('latchkey-widget').length";
    assert_eq!(
        scene.script(widgets).await,
        json!(1),
        "a tag twice is one widget"
    );
    let (_, _, width, height) = bubble.rectangle().await.unwrap();
    assert!(width >= 44.0 && height >= 44.0, "{width} x {height}");
    assert_eq!(
        bubble.attr("aria-expanded").await.unwrap().as_deref(),
        Some("false")
    );
    assert_eq!(
        bubble.attr("aria-label").await.unwrap().as_deref(),
        Some("Open Acme <Chat>")
    );
    bubble.click().await.unwrap();
    assert_eq!(
        bubble.attr("aria-expanded").await.unwrap().as_deref(),
        Some("true")
    );
    let focused = format!("return {FRAME} === {FRAME}.getRootNode().activeElement");
    assert_eq!(scene.script(&focused).await, json!(true));
    assert_eq!(
        scene.script(&format!("return {FRAME}.title")).await,
        json!("Acme <Chat>")
    );
    scene.enter().await;
    let text = scene.says("You are signed in").await;
    assert!(text.contains("ada Person"), "{text}");
    scene
        .until(
            "the focus",
            "return document.activeElement.id === 'content' && document.hasFocus()",
        )
        .await;
    assert_eq!(
        scene
            .script("return [location.search, location.hash, document.cookie]")
            .await,
        json!(["", "", ""])
    );
    let content = scene.client().find(Locator::Css("#content")).await.unwrap();
    content
        .send_keys(&char::from(Key::Escape).to_string())
        .await
        .unwrap();
    scene.leave().await;
    scene
        .until(
            "the frame to close",
            &format!("return {FRAME}.checkVisibility() === false"),
        )
        .await;
    let returned = format!("return {BUBBLE} === {BUBBLE}.getRootNode().activeElement");
    scene.until("the focus to be back", &returned).await;
}

/// Signs out and in by script, and asks about another user.
async fn is_used_by_script(scene: &Scene, ada: &str, bob: &str) {
    assert_eq!(scene.call("logout()").await, json!({ "user": null }));
    scene.script("Latchkey.open(); return true").await;
    scene
        .until(
            "the frame to open",
            &format!("return {FRAME}.checkVisibility()"),
        )
        .await;
    scene.enter().await;
    scene.says("You are not signed in").await;
    scene.leave().await;
    scene.script("Latchkey.close(); return true").await;
    let signed_in = scene.call(&format!("login('{bob}')")).await;
    assert_eq!(
        signed_in,
        json!({ "user": { "id": "bob", "name": "bob Person" } })
    );

    // The frame asks about another user.
    scene.begin(&format!("login('{ada}')")).await;
    scene
        .until("the question", &format!("return {FRAME}.checkVisibility()"))
        .await;
    scene.enter().await;
    let text = scene.says("Continue as ada Person").await;
    assert!(text.contains("You are signed in as bob Person"), "{text}");
    scene.picture("widget-asks").await;
    scene.tap("#continue").await;
    scene.says("as ada Person").await;
    scene.leave().await;
    assert_eq!(scene.outcome().await["user"]["id"], "ada");
    scene.begin(&format!("login('{bob}')")).await;
    scene.enter().await;
    scene.says("Continue as bob Person").await;
    scene.tap("#decline").await;
    scene.leave().await;
    assert_eq!(scene.outcome().await["code"], "declined");

    // The browser keeps the cookie from page to page.
    scene.open(&scene.served.tag("")).await;
    scene.bubble().await.click().await.unwrap();
    scene.enter().await;
    scene.says("as ada Person").await;
    scene.leave().await;
}

async fn refuses_a_code(scene: &Scene) {
    let refused = scene.call("login('x')").await;
    assert_eq!(refused["code"], "refused");
    let sentence = refused["message"].as_str().unwrap();
    assert!(sentence.contains("This link does not work"), "{sentence}");
    let reference = refused["reference"].as_str().unwrap();
    scene.enter().await;
    let text = scene.says(sentence).await;
    assert!(text.contains(reference), "{text}");
    scene.picture("widget-refused").await;
    scene.tap("#close").await;
    scene.leave().await;
    scene.bubble().await.click().await.unwrap();
    scene.enter().await;
    scene.says("as ada Person").await;
    scene.leave().await;
}

#[test]
fn a_page_of_another_site_with_a_strict_policy_and_hostile_styles_signs_somebody_in() {
    run(async {
        let scene = Scene::new(&[], json!({})).await;
        is_used(&scene).await;
        scene.end().await;
    });
}

#[test]
fn the_widget_works_where_third_party_cookies_are_blocked() {
    run(async {
        let blocked = json!({ "prefs": { "profile": {
            "cookie_controls_mode": 1,
            "block_third_party_cookies": true,
        } } });
        let scene = Scene::new(&["--test-third-party-cookie-phaseout"], blocked).await;
        // Proves that cookies are blocked: the frame cannot keep one that is not partitioned.
        scene.open(&scene.served.tag("")).await;
        scene.bubble().await;
        scene.enter().await;
        let kept = "document.cookie = 'plain=1; Secure; SameSite=None';
            document.cookie = 'own=1; Secure; SameSite=None; Partitioned';
            const kept = document.cookie;
            document.cookie = 'own=; Secure; SameSite=None; Partitioned; Max-Age=0';
            return kept";
        assert_eq!(scene.script(kept).await, json!("own=1"));
        scene.leave().await;
        is_used(&scene).await;
        scene.end().await;
    });
}

#[test]
fn a_page_that_puts_another_body_in_place_gets_the_frame_again() {
    run(async {
        let scene = Scene::new(&[], json!({})).await;
        let code = scene.served.site.new_user("ada");
        scene.open(&scene.served.tag(&code)).await;
        scene.bubble().await.click().await.unwrap();
        for other in ["ada", "bob"] {
            let replaced = "document.body.replaceWith(document.createElement('body')); return true";
            scene.script(replaced).await;
            let code = scene.served.site.new_user(other);
            // The frame opens by itself to ask about Bob.
            scene.begin(&format!("login('{code}')")).await;
            scene.bubble().await;
            scene
                .until(
                    "the frame",
                    &format!("return {FRAME}.contentWindow !== null"),
                )
                .await;
            if other == "bob" {
                let open = format!("return {FRAME}.checkVisibility()");
                scene.until("the question", &open).await;
                scene.enter().await;
                scene.says("Continue as bob Person").await;
                scene.tap("#continue").await;
                scene.leave().await;
            }
            assert_eq!(scene.outcome().await["user"]["id"], other);
        }
        scene.end().await;
    });
}

#[test]
fn an_origin_that_is_not_allowed_gets_no_frame_and_is_told_why() {
    run(async {
        let scene = Scene::with(
            |settings| {
                settings.visiting.embed_in =
                    vec![WebOrigin::parse("https://www.acme.example").unwrap()];
            },
            "localhost",
            &[],
            json!({}),
        )
        .await;
        let code = scene.served.site.new_user("ada");
        scene.open(&scene.served.tag(&code)).await;
        let refused = scene.call(&format!("login('{code}')")).await;
        assert_eq!(refused["code"], "not_embedded");
        let message = refused["message"].as_str().unwrap();
        assert!(message.contains(&scene.host.origin()), "{message}");
        assert!(!scene.served.site.has_user("ada"));
        assert_eq!(
            scene.script(&format!("return {BUBBLE} ?? null")).await,
            Value::Null
        );
        let log = scene.log().await.join("\n");
        assert!(
            log.contains("frame-ancestors") && log.contains("Latchkey: "),
            "{log}"
        );
        assert!(!log.contains(&code));
        scene.end().await;
    });
}

#[test]
fn a_single_use_code_waits_behind_the_bubble_for_a_click() {
    run(async {
        let scene = Scene::with(|_| {}, "localhost", &[], json!({})).await;
        let once = Registered {
            id: Some("only-once".into()),
            uses: Uses::ONCE,
            ..Registered::default()
        };
        let code = scene
            .served
            .site
            .code_with(r#"{"user":{"id":"ada","name":"Ada"}}"#, once);
        scene.open(&scene.served.tag(&code)).await;
        let label = format!(
            "return {BUBBLE}?.ariaLabel === 'Open Acme <Chat>, which has something to say'"
        );
        scene.until("the mark", &label).await;
        scene.picture("widget-marked").await;
        assert_eq!(
            scene
                .script(&format!("return {FRAME}.checkVisibility()"))
                .await,
            json!(false)
        );
        assert!(!scene.served.site.has_user("ada"));
        scene.bubble().await.click().await.unwrap();
        scene.enter().await;
        scene.says("Continue as Ada").await;
        scene.tap("#continue").await;
        scene.says("You are signed in").await;
        assert!(scene.served.site.has_user("ada"));
        scene.end().await;
    });
}

#[test]
fn a_frame_without_cookies_says_so_and_uses_no_code_up() {
    run(async {
        // For the browser, the page is neither HTTPS nor on this computer.
        let names = "--host-resolver-rules=MAP gateway.test 127.0.0.1";
        let scene = Scene::with(
            |settings| settings.visiting.step = SignInStep::Automatic,
            "gateway.test",
            &[names],
            json!({}),
        )
        .await;
        let code = scene.served.site.new_user("ada");
        scene.open(&scene.served.tag("")).await;
        scene.bubble().await;
        let refused = scene.call(&format!("login('{code}')")).await;
        assert_eq!(refused["code"], "no_cookies", "{refused}");
        assert!(!scene.served.site.has_user("ada"));
        scene.script("Latchkey.open(); return true").await;
        scene.enter().await;
        scene.says("keeps no cookies of Acme <Chat>").await;
        scene.picture("widget-no-cookies").await;
        scene.end().await;
    });
}

#[test]
fn the_frame_accepts_messages_only_from_its_parent_page_and_only_of_allowed_origins() {
    run(async {
        let scene = Scene::new(&[], json!({})).await;
        scene.open(&scene.served.tag("")).await;
        scene.bubble().await;
        scene.enter().await;
        let said = |source: &str, origin: &str, patience: u32| {
            format!(
                "const done = arguments[arguments.length - 1];
                 const {{ port1, port2 }} = new MessageChannel();
                 port1.onmessage = () => done('answered');
                 setTimeout(() => done('silent'), {patience});
                 dispatchEvent(new MessageEvent('message', {{ source: {source}, origin: '{origin}',
                    data: {{ latchkey: 'hello' }}, ports: [port2] }}));"
            )
        };
        let allowed = scene.host.origin();
        for (source, origin, answer) in [
            ("window", allowed.as_str(), "silent"),
            ("window", &scene.served.gateway, "silent"),
            ("parent", "https://evil.example", "silent"),
            ("parent", &scene.served.gateway, "silent"),
            ("parent", "null", "silent"),
            ("parent", &allowed, "answered"),
        ] {
            let client = scene.client();
            let patience = if answer == "answered" { 20_000 } else { 700 };
            let answered = client
                .execute_async(&said(source, origin, patience), Vec::new())
                .await;
            assert_eq!(answered.unwrap(), json!(answer), "{source} {origin}");
        }
        scene.end().await;
    });
}

/// Expects that the keyboard can, or cannot, reach the page around an open frame.
async fn reaches_the_page(scene: &Scene, can: bool) {
    let reached = "document.getElementById('other').focus();
        return document.activeElement.id === 'other'";
    assert_eq!(scene.script(reached).await, json!(can));
}

#[test]
fn an_open_frame_is_modal_while_the_window_is_small() {
    run(async {
        let scene = Scene::new(&["--window-size=1000,760"], json!({})).await;
        scene
            .open(&scene.served.tag(&scene.served.site.new_user("ada")))
            .await;
        scene.bubble().await.click().await.unwrap();
        scene.enter().await;
        scene.says("You are signed in").await;
        scene.leave().await;
        for (height, is_small) in [(380, true), (760, false), (380, true)] {
            scene.client().set_window_size(1000, height).await.unwrap();
            let settled = format!(
                "return matchMedia('(max-height: 400px)').matches === {is_small}
                    && {FRAME}.parentElement.matches(':modal') === {is_small}"
            );
            scene.until("the frame to fit", &settled).await;
            reaches_the_page(&scene, !is_small).await;
            scene.enter().await;
            // The frame was not loaded again.
            scene.says("as ada Person").await;
            scene.leave().await;
        }
        scene.script("Latchkey.close(); return true").await;
        let closed =
            format!("return {BUBBLE}.ariaExpanded === 'false' && {BUBBLE}.checkVisibility()");
        scene.until("the frame to close", &closed).await;
        reaches_the_page(&scene, true).await;
        scene.end().await;
    });
}

#[test]
fn the_widget_is_painted_in_each_state() {
    run(async {
        let phone = json!({ "mobileEmulation": { "deviceMetrics": { "width": 390, "height": 844, "pixelRatio": 2.0 } } });
        for (name, scheme, options) in [
            ("light", "1", json!({})),
            ("dark", "0", json!({})),
            ("phone", "1", phone),
        ] {
            let scheme = format!("--blink-settings=preferredColorScheme={scheme}");
            let scene = Scene::new(&[&scheme, "--window-size=1000,760"], options).await;
            scene
                .open(&scene.served.tag(&scene.served.site.new_user("ada")))
                .await;
            let bubble = scene.bubble().await;
            scene.picture(&format!("widget-closed-{name}")).await;
            bubble.click().await.unwrap();
            scene.enter().await;
            scene.says("You are signed in").await;
            let fills = "return innerWidth >= 390 && innerHeight >= 700";
            assert_eq!(scene.script(fills).await, json!(name == "phone"));
            scene.picture(&format!("widget-open-{name}")).await;
            scene.leave().await;
            reaches_the_page(&scene, name != "phone").await;
            scene.enter().await;
            scene.tap("#close").await;
            scene.leave().await;
            let closed =
                format!("return {FRAME}.checkVisibility() === false && {BUBBLE}.checkVisibility()");
            scene.until("the frame to close", &closed).await;
            scene.end().await;
        }
    });
}
