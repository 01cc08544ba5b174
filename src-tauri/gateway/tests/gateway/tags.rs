//! Tests of widget tags in the engines of Chrome, Firefox and Safari: the place of the tag, its
//! attributes, and the gateway that gets its code.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use latchkey_core::activity::ActivityQuery;
use latchkey_core::directory::Directory as _;
use latchkey_core::instance::SignInStep;
use latchkey_store::Wait as _;
use serde_json::{Value, json};

use crate::browser::Engine::{self, Chromium, Firefox, WebKit};
use crate::host::Page;
use crate::scene::{BUBBLE, FRAME, Scene, Served, run};

const ENGINES: [Engine; 3] = [Chromium, Firefox, WebKit];

/// Runs a test in one browser after the other.
#[expect(
    clippy::needless_pass_by_value,
    clippy::print_stdout,
    reason = "a test is a closure, and a failure is found by the name of the browser before it"
)]
fn in_each(engines: &[Engine], test: impl AsyncFn(&Scene)) {
    for engine in engines {
        println!("{engine:?}");
        run(async {
            let scene = Scene::of(*engine).await;
            test(&scene).await;
            scene.end().await;
        });
    }
}

/// Returns a tag with other attributes than the usual ones.
fn tag_with(served: &Served, attributes: &str, code: &str) -> String {
    let tag = served.tag(code);
    tag.replace("<script defer", &format!("<script {attributes}"))
}

/// Waits until the tag's code was used. Returns who is signed in in the frame.
async fn signed_in(scene: &Scene) -> String {
    scene.bubble().await;
    scene.holds("You are signed in").await
}

async fn is_open(scene: &Scene) -> Value {
    scene
        .script(&format!("return {FRAME}.checkVisibility()"))
        .await
}

async fn is_marked(scene: &Scene) {
    let marked = format!("return {BUBBLE}?.ariaLabel?.endsWith('something to say') === true");
    scene.until("the mark", &marked).await;
}

/// Returns whether a gateway has received a code.
fn got_a_code(served: &Served) -> bool {
    let activity = served
        .site
        .directory
        .activity(&ActivityQuery::default(), None, 10)
        .wait();
    !activity.unwrap().entries.is_empty()
}

#[test]
fn a_code_goes_to_the_gateway_of_its_own_tag_and_a_second_gateways_tag_is_refused_on_the_console() {
    in_each(&ENGINES, async |scene| {
        let other = scene.another();
        let (ada, bob) = (
            scene.served.site.new_user("ada"),
            other.site.new_user("bob"),
        );
        for attributes in ["defer", "type=module"] {
            let tags = [
                tag_with(&scene.served, attributes, &ada),
                tag_with(&other, attributes, &bob),
            ];
            let page = Page {
                body: &tags.concat(),
                ..Page::default()
            };
            scene.open_page(&page, &[&other]).await;
            let text = signed_in(scene).await;
            assert!(text.contains("ada Person"), "{text}");
            let errors = scene.errors().await;
            let refused = format!("the tag of {}/ does nothing", other.gateway);
            assert!(errors.contains(&refused), "{errors}");
            assert!(errors.contains(&scene.served.gateway), "{errors}");
        }
        assert!(
            !scene.served.site.has_user("bob"),
            "the code of the second tag came to the first gateway"
        );
        assert!(!got_a_code(&other));
        other.end();
    });
}

/// Ways in which a page replaces its content.
const REPLACEMENTS: [&str; 4] = [
    "document.body.replaceWith(document.createElement('body'))",
    "document.body.replaceChildren()",
    "document.documentElement.replaceChildren(document.createElement('head'), document.createElement('body'))",
    "const root = document.createElement('html');
     root.append(document.createElement('head'), document.createElement('body'));
     document.documentElement.replaceWith(root)",
];

#[test]
fn the_bubble_is_there_after_the_page_has_replaced_its_content() {
    in_each(&ENGINES, async |scene| {
        let with_code = scene.served.tag(&scene.served.site.new_user("ada"));
        let without = scene.served.tag("");
        for (head, body) in [
            ("", with_code.as_str()),
            (with_code.as_str(), ""),
            ("", without.as_str()),
            (without.as_str(), ""),
        ] {
            let page = Page {
                head,
                body,
                ..Page::default()
            };
            scene.open_page(&page, &[]).await;
            signed_in(scene).await;
            for replaced in REPLACEMENTS {
                scene.script(&format!("{replaced}; return true")).await;
                signed_in(scene).await;
                // The bubble is the real one, and not a copy of its markup.
                scene.bubble().await.click().await.unwrap();
                assert_eq!(is_open(scene).await, json!(true), "{replaced}");
                scene.script("Latchkey.close(); return true").await;
            }
            assert_eq!(scene.errors().await, "");
        }
    });
}

#[test]
fn a_frame_that_is_open_stays_open_while_the_body_is_replaced() {
    in_each(&[Chromium, Firefox], async |scene| {
        scene.open(&scene.served.tag("")).await;
        scene.bubble().await.click().await.unwrap();
        scene.enter().await;
        scene.says("You are not signed in").await;
        scene.script("window.isTheSame = true; return true").await;
        scene.leave().await;
        scene
            .script(&format!("{}; return true", REPLACEMENTS[0]))
            .await;
        assert_eq!(is_open(scene).await, json!(true));
        scene.enter().await;
        assert_eq!(scene.script("return window.isTheSame").await, json!(true));
        scene.leave().await;
    });
}

#[test]
fn a_widget_that_the_page_removes_on_purpose_is_back_with_the_next_call() {
    in_each(&[Chromium], async |scene| {
        scene.open(&scene.served.tag("")).await;
        scene.bubble().await;
        scene
            .script("document.querySelector('latchkey-widget').remove(); return true")
            .await;
        // Replacing the body does not bring the widget back.
        scene
            .script(&format!("{}; return true", REPLACEMENTS[0]))
            .await;
        assert_eq!(
            scene.script(&format!("return {BUBBLE} ?? null")).await,
            Value::Null
        );
        assert_eq!(scene.call("logout()").await, json!({ "user": null }));
        scene.bubble().await;
    });
}

#[test]
fn a_tag_works_with_crossorigin_and_as_a_module() {
    in_each(&ENGINES, async |scene| {
        // A module of another address comes before the widget's own.
        let decoy = format!(
            "<script type=module data-external-auth-code=x src={}/widget.js></script>",
            scene.host.origin()
        );
        for (number, attributes) in [
            "defer crossorigin",
            "async crossorigin=anonymous",
            "type=module",
            "type=module async crossorigin",
        ]
        .into_iter()
        .enumerate()
        {
            for is_in_head in [true, false] {
                let id = format!("user-{number}-{is_in_head}");
                let code = scene.served.site.new_user(&id);
                let tags = format!("{decoy}{}", tag_with(&scene.served, attributes, &code));
                let (head, body) = if is_in_head {
                    (tags.as_str(), "")
                } else {
                    ("", tags.as_str())
                };
                let page = Page {
                    head,
                    body,
                    ..Page::default()
                };
                scene.open_page(&page, &[]).await;
                // The visitor is signed in as another user, so the widget asks.
                if number == 0 && is_in_head {
                    assert!(signed_in(scene).await.contains(&id), "{attributes}");
                } else {
                    is_marked(scene).await;
                    scene.bubble().await.click().await.unwrap();
                    scene.enter().await;
                    scene.says(&format!("Continue as {id}")).await;
                    scene.tap("#continue").await;
                    scene.says(&format!("as {id} Person.")).await;
                    scene.leave().await;
                }
                assert!(scene.served.site.has_user(&id), "{attributes}");
            }
        }
    });
}

#[test]
fn a_second_tag_of_the_same_gateway_marks_the_bubble_and_opens_nothing() {
    in_each(&ENGINES, async |scene| {
        let [ada, bob] = ["ada", "bob"].map(|id| scene.served.site.new_user(id));
        for attributes in ["defer", "type=module"] {
            let tags = [&ada, &bob].map(|code| tag_with(&scene.served, attributes, code));
            scene.open(&tags.concat()).await;
            is_marked(scene).await;
            assert_eq!(is_open(scene).await, json!(false));
            scene.holds("Continue as bob Person").await;
            assert!(!scene.served.site.has_user("bob"));
        }
    });
}

#[test]
fn a_page_with_an_embedder_policy_gets_the_frame() {
    in_each(&ENGINES, async |scene| {
        let ada = scene.served.site.new_user("ada");
        for policy in ["require-corp", "credentialless"] {
            for attributes in ["defer", "type=module"] {
                let page = Page {
                    body: &tag_with(&scene.served, attributes, &ada),
                    headers: &format!(
                        "Cross-Origin-Embedder-Policy: {policy}\r\n\
                         Cross-Origin-Opener-Policy: same-origin\r\n"
                    ),
                    ..Page::default()
                };
                scene.open_page(&page, &[]).await;
                if policy == "require-corp" {
                    assert_eq!(
                        scene.script("return crossOriginIsolated").await,
                        json!(true)
                    );
                }
                signed_in(scene).await;
            }
        }
    });
}

/// Puts a page with a tag into a sandboxed frame, and switches to that frame.
async fn enter_sandbox(scene: &Scene, sandbox: &str, tag: &str) {
    let frame = format!(
        "const frame = document.createElement('iframe');
         frame.sandbox = '{sandbox}';
         frame.srcdoc = `{}`;
         document.body.append(frame);
         return true",
        tag.replace("</", "<\\/")
    );
    scene.script(&frame).await;
    let frame = scene
        .client()
        .find(fantoccini::Locator::Css("iframe"))
        .await;
    frame.unwrap().enter_frame().await.unwrap();
    scene
        .until("the script", "return window.Latchkey !== undefined")
        .await;
}

#[test]
fn a_sandboxed_page_is_told_that_it_has_no_origin_and_one_with_an_origin_works() {
    in_each(&ENGINES, async |scene| {
        let ada = scene.served.site.new_user("ada");
        let tag = scene.served.tag(&ada);
        scene.open("").await;
        enter_sandbox(scene, "allow-scripts", &tag).await;
        let refused = scene.call(&format!("login('{ada}')")).await;
        assert_eq!(refused["code"], "not_embedded");
        let message = refused["message"].as_str().unwrap();
        assert!(
            message.contains("sandboxed frame without allow-same-origin"),
            "{message}"
        );
        scene.leave().await;
        // Sandboxes the page by a header.
        let page = Page {
            body: &tag,
            policy: "; sandbox allow-scripts",
            ..Page::default()
        };
        scene.open_page(&page, &[]).await;
        let refused = scene.call("logout()").await;
        assert!(
            refused["message"].as_str().unwrap().contains("sandboxed"),
            "{refused}"
        );
        assert!(!scene.served.site.has_user("ada"));

        scene.open("").await;
        enter_sandbox(scene, "allow-scripts allow-same-origin", &tag).await;
        signed_in(scene).await;
        scene.leave().await;
    });
}

#[test]
fn a_page_inside_a_page_that_is_not_allowed_reports_both_origins() {
    run(async {
        let scene = Scene::of(Chromium).await;
        let outer = crate::host::Host::new("localhost");
        let frame = format!("<iframe src={}></iframe>", scene.host.origin());
        outer.shows(
            &scene.host.origin(),
            &Page {
                body: &frame,
                ..Page::default()
            },
        );
        scene.open(&scene.served.tag("")).await;
        scene.client().goto(&outer.origin()).await.unwrap();
        let frame = scene
            .client()
            .find(fantoccini::Locator::Css("iframe"))
            .await;
        frame.unwrap().enter_frame().await.unwrap();
        scene
            .until("the script", "return window.Latchkey !== undefined")
            .await;
        let refused = scene.call("logout()").await;
        let message = refused["message"].as_str().unwrap();
        assert!(
            message.contains(&scene.host.origin()) && message.contains(&outer.origin()),
            "{message}"
        );
        scene.end().await;
    });
}

#[test]
fn a_module_that_is_imported_says_that_it_needs_a_tag() {
    in_each(&ENGINES, async |scene| {
        scene.open("").await;
        let import = format!(
            "const done = arguments[arguments.length - 1];
             import('{}/widget.js').then(() => done(window.errors), (error) => done([`${{error}}`]))",
            scene.served.gateway
        );
        let errors = scene
            .client()
            .execute_async(&import, Vec::new())
            .await
            .unwrap();
        assert!(
            errors
                .to_string()
                .contains("only as the src of a script tag"),
            "{errors}"
        );
        assert_eq!(
            scene.script("return window.Latchkey ?? null").await,
            Value::Null
        );
    });
}

#[test]
fn a_copy_of_the_script_that_comes_from_no_gateway_says_so() {
    in_each(&[Chromium], async |scene| {
        let script = STANDARD.encode(include_str!("../../src/widget/widget.js"));
        let page = Page {
            body: &format!("<script src='data:text/javascript;base64,{script}'></script>"),
            policy: "; script-src-elem * data:",
            ..Page::default()
        };
        scene.open_page(&page, &[]).await;
        let errors = scene.errors().await;
        assert!(errors.contains("from its gateway"), "{errors}");
    });
}

#[test]
fn an_element_that_is_named_current_script_does_not_choose_the_gateway() {
    in_each(&ENGINES, async |scene| {
        let other = scene.another();
        let decoy = format!("<img name=currentScript src={}/widget.js>", other.gateway);
        let tag = scene.served.tag("");
        let page = Page {
            body: &format!("{decoy}{tag}"),
            ..Page::default()
        };
        scene.open_page(&page, &[&other]).await;
        let ada = scene.served.site.new_user("ada");
        let signed_in = scene.call(&format!("login('{ada}')")).await;
        assert_eq!(signed_in["user"]["id"], "ada", "{signed_in}");
        assert!(scene.served.site.has_user("ada"));
        assert!(!got_a_code(&other));
        other.end();
    });
}

#[test]
fn a_tag_asks_behind_the_bubble_and_login_opens_the_frame_by_default() {
    run(async {
        let scene = Scene::with(
            |settings| settings.visiting.step = SignInStep::Confirm,
            "localhost",
            &[],
            json!({}),
        )
        .await;
        scene.open(&scene.served.tag("")).await;
        scene.bubble().await;
        let ada = scene.served.site.new_user("ada");
        scene
            .begin(&format!("login('{ada}', {{ open: false }})"))
            .await;
        is_marked(&scene).await;
        assert_eq!(is_open(&scene).await, json!(false));
        scene.begin(&format!("login('{ada}')")).await;
        let open = format!("return {FRAME}.checkVisibility()");
        scene.until("the question", &open).await;
        scene.end().await;
    });
}
