use serde_json::json;

use crate::run::{SECRET, latchkey, with_secret};

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
