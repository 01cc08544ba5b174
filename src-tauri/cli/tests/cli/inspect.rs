use jiff::Timestamp;
use latchkey_core::protocol::claims::{Claims, Registered};
use latchkey_core::protocol::code::{Algorithm, sign};
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::payload::Payload;
use latchkey_core::secret::{Secret, SigningKey};
use serde_json::json;

use crate::run::{SECRET, hosted_here, in_folder, latchkey, with_secret};

fn code(arguments: &[&str]) -> String {
    let mut all = vec!["link", "--url", "https://a.b", "--email", "a@b.cd"];
    all.extend(arguments);
    let ran = with_secret(&all);
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.out.trim().to_owned()
}

#[test]
fn a_link_a_code_and_a_widget_tag_are_taken_apart_and_verified() {
    for (shape, form) in [("url", "url"), ("code", "bare"), ("widget", "widget_tag")] {
        let given = code(&["--as", shape]);
        let ran = with_secret(&["--json", "inspect", &given]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let shown = ran.json();
        assert_eq!(shown["form"], form);
        assert_eq!(shown["header"]["alg"], "HS256");
        assert_eq!(shown["claims"]["email"], "a@b.cd");
        assert_eq!(
            shown["verification"],
            json!({ "checked": true, "verified": true })
        );
        let words: Vec<&str> = shown["times"]
            .as_array()
            .unwrap()
            .iter()
            .map(|time| time["words"].as_str().unwrap())
            .collect();
        assert_eq!(words.last(), Some(&"in 7 days"));
    }
}

#[test]
fn a_path_without_a_file_and_a_folder_are_named() {
    let missing = latchkey(&["inspect", "adda.txt"], &[], b"");
    assert_eq!(missing.code, 1);
    assert!(missing.err.contains("no file adda.txt"), "{}", missing.err);
    let folder = latchkey(&["inspect", "/"], &[], b"");
    assert!(folder.err.contains("/ is a folder"), "{}", folder.err);
}

#[test]
fn a_picture_of_a_qr_code_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("qr.png");
    let path = file.to_str().unwrap();
    code(&["--qr", path]);
    let ran = with_secret(&["--json", "inspect", path]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.json()["form"], "qr");
    let piped = latchkey(
        &["--json", "inspect", "-"],
        &[],
        &std::fs::read(&file).unwrap(),
    );
    assert_eq!(piped.json()["verification"], json!({ "checked": false }));

    let blank = folder.path().join("blank.png");
    image::GrayImage::from_pixel(80, 80, image::Luma([255]))
        .save(&blank)
        .unwrap();
    let ran = with_secret(&["--json", "inspect", blank.to_str().unwrap()]);
    assert_eq!(ran.refusal().1, "invalid_picture");
    let ran = with_secret(&["--json", "inspect", "absent.png"]);
    assert_eq!(ran.refusal().1, "storage");
}

#[test]
fn a_webp_and_an_svg_of_a_qr_code_are_read_and_a_heic_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (png, svg, webp, heic) = (
        path("qr.png"),
        path("qr.svg"),
        path("qr.webp"),
        path("a.heic"),
    );
    code(&["--qr", &png]);
    code(&["--qr", &svg]);
    let picture = image::open(&png).unwrap().to_rgb8();
    picture.save(&webp).unwrap();
    for file in [&svg, &webp] {
        let ran = with_secret(&["--json", "inspect", file]);
        assert_eq!(ran.code, 0, "{file}: {}", ran.err);
        assert_eq!(ran.json()["form"], "qr");
    }
    std::fs::write(&heic, b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").unwrap();
    let ran = with_secret(&["--json", "inspect", &heic]);
    assert_eq!(ran.refusal().1, "invalid_picture");
    assert!(ran.err.contains("JPEG or a PNG"), "{}", ran.err);
}

#[test]
fn a_code_that_does_not_verify_exits_with_1_and_says_why() {
    let given = code(&["--as", "code"]);
    let other = latchkey(
        &["--json", "inspect", &given],
        &[("LATCHKEY_SECRET", "another")],
        b"",
    );
    assert_eq!(other.code, 1);
    assert_eq!(
        other.json()["verification"]["refused"]["code"],
        "bad_signature"
    );
    let algorithm = with_secret(&["--json", "inspect", &given, "--algorithm", "HS512"]);
    assert_eq!(
        algorithm.json()["verification"]["refused"]["code"],
        "unsupported_algorithm"
    );
    let text = latchkey(
        &["inspect", "-"],
        &[("LATCHKEY_SECRET", "another")],
        given.as_bytes(),
    );
    assert_eq!(text.code, 1);
    assert!(text.out.contains("refused (bad_signature)"), "{}", text.out);
    assert!(
        text.err.contains("warning: The secret has 7 bytes"),
        "{}",
        text.err
    );
    assert!(
        !text.out.contains(given.rsplit('.').next().unwrap()),
        "the signature is not repeated"
    );
    assert!(!text.err.contains(SECRET));
}

#[test]
fn a_text_without_a_code_is_refused() {
    let ran = with_secret(&["--json", "inspect", "hello there"]);
    assert_eq!(ran.refusal(), (1, "no_code".into(), Some("code".into())));
}

#[test]
fn a_dry_run_of_a_link_that_does_not_open_at_the_instance_says_so() {
    let folder = hosted_here("http://127.0.0.1:8902/chat");
    let made = ["link", "--instance", "Here", "--user-id", "ada"];
    let link = in_folder(folder.path(), &made).out.trim().to_owned();
    let inspect = |link: &str| {
        let arguments = ["inspect", "--dry-run", "--instance", "Here", link];
        let said = in_folder(folder.path(), &arguments).out;
        let json = in_folder(folder.path(), &[&["--json"], &arguments[..]].concat()).json();
        (said, json)
    };
    let (own, json) = inspect(&link);
    assert!(own.contains("\nOpened now\n"), "{own}");
    assert_eq!(json["hints"], json!([]));
    for (other, cause) in [
        (link.replace("externalAuthCode", "code"), "other_parameter"),
        (link.replace("http:", "https:"), "other_host"),
        (link.replace("8902", "8903"), "other_host"),
    ] {
        let (said, json) = inspect(&other);
        assert!(
            said.contains("\nOpened now in a link of this instance\n"),
            "{said}"
        );
        assert_eq!(json["hints"][0]["code"], cause);
        let message = json["dry_run"]["message"].as_str().unwrap();
        assert!(
            message.starts_with("In a link of this instance: "),
            "{message}"
        );
    }
}

#[test]
fn a_code_that_expires_before_it_begins_is_not_waited_for() {
    let key = SigningKey::from_text(&Secret::new(SECRET.into())).unwrap();
    let now = Timestamp::now().as_second();
    let said = |not_before, expires_at| {
        let claims = Claims {
            payload: Payload::Email(Email::parse("ada@acme.example", "email").unwrap()),
            registered: Registered {
                not_before: Some(not_before),
                expires_at: Some(expires_at),
                ..Registered::default()
            },
        };
        let code = sign(&claims, &key, Algorithm::HS256).unwrap();
        with_secret(&["inspect", code.expose()]).out
    };
    let never = said(now + 9000, now + 5000);
    assert!(never.contains("It never works"), "{never}");
    assert!(!never.contains("Wait"), "{never}");
    assert!(said(now + 5000, now + 9000).contains("Wait"));
}
