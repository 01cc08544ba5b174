//! Tests of files that administrators have: mails, texts in other encodings, pictures with several
//! QR codes.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::run::{hosted_here, in_folder};

fn link(folder: &Path, id: &str) -> String {
    let link = ["link", "--instance", "here", "--user-id", id];
    in_folder(folder, &link).out.trim().to_owned()
}

/// Inspects and redeems a file, and expects that it signs in Ada.
fn signs_in_ada(folder: &Path, name: &str, contents: &[u8]) {
    let file = folder.join(name);
    std::fs::write(&file, contents).unwrap();
    let file = file.to_str().unwrap();
    let inspected = in_folder(folder, &["inspect", "--instance", "here", file]);
    assert!(
        inspected.out.contains("verifies, for ada"),
        "{name}: {}{}",
        inspected.out,
        inspected.err
    );
    let redeemed = in_folder(folder, &["redeem", "--instance", "here", file]);
    assert_eq!(redeemed.code, 0, "{name}: {}{}", redeemed.out, redeemed.err);
}

/// Breaks a text into lines of 76 characters, like a mail.
fn in_lines(text: &str) -> String {
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(76)
        .map(|line| str::from_utf8(line).unwrap())
        .collect();
    lines.join("\r\n")
}

#[test]
fn a_mail_in_base64_and_texts_in_other_encodings_are_read() {
    let folder = hosted_here("https://a.b");
    let folder = folder.path();
    let link = link(folder, "ada");
    let html = format!(
        "<p>Grüße, öffne <a href=\"{}\">das</a></p>",
        link.replace('=', "&#61;")
    );
    let single = format!(
        "Subject: Hi\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n",
        in_lines(&STANDARD.encode(format!("Grüße: {link}\n")))
    );
    let multipart = format!(
        "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"b\"\r\n\r\n--b\r\n\
         Content-Type: text/plain\r\n\r\nSee the other part.\r\n--b\r\ncontent-transfer-encoding: BASE64\r\n\
         Content-Type: text/html; charset=utf-8\r\n\r\n{}\r\n--b--\r\n",
        in_lines(&STANDARD.encode(html))
    );
    signs_in_ada(folder, "single.eml", single.as_bytes());
    signs_in_ada(folder, "multipart.eml", multipart.as_bytes());
    let windows = [b"Gr\xfc\xdfe \x96 ", link.as_bytes(), b" \x93bis dann\x94"].concat();
    signs_in_ada(folder, "windows-1252.txt", &windows);
    let entities = link.replace('.', "&#46;");
    signs_in_ada(folder, "entities.html", entities.as_bytes());
}

#[test]
fn a_picture_with_two_qr_codes_is_read_if_one_of_them_has_a_code() {
    let folder = hosted_here("https://a.b");
    let folder = folder.path();
    let qr = |text: &str| {
        latchkey_core::link::qr::Qr::for_url(text)
            .unwrap()
            .picture()
    };
    let link = qr(&link(folder, "ada"));
    let other = qr("https://www.example.com/a-page-about-something-else");
    for (name, left, right) in [("first.png", &link, &other), ("second.png", &other, &link)] {
        let width = left.width() + right.width();
        let height = left.height().max(right.height());
        let mut both = image::GrayImage::from_pixel(width, height, image::Luma([255]));
        image::imageops::replace(&mut both, left, 0, 0);
        image::imageops::replace(&mut both, right, i64::from(left.width()), 0);
        let mut png = std::io::Cursor::new(Vec::new());
        both.write_to(&mut png, image::ImageFormat::Png).unwrap();
        signs_in_ada(folder, name, png.get_ref());
    }
}

#[test]
fn several_codes_in_one_text_are_reported_and_none_is_redeemed() {
    let folder = hosted_here("https://a.b");
    let folder = folder.path();
    let text = format!("old: {} new: {}", link(folder, "tom"), link(folder, "zoe"));
    let inspected = in_folder(folder, &["--json", "inspect", "--instance", "here", &text]);
    assert_eq!(inspected.json()["warnings"][0]["code"], "several_codes");
    let said = in_folder(folder, &["inspect", "--instance", "here", &text]).err;
    assert!(said.contains("There are 2 codes"), "{said}");
    let redeemed = in_folder(folder, &["--json", "redeem", "--instance", "here", &text]);
    assert_eq!(
        redeemed.refusal(),
        (1, "too_many".into(), Some("code".into()))
    );
    let users = in_folder(folder, &["--json", "users", "list", "--instance", "here"]);
    assert_eq!(users.json()["total"], 0);
    // The same code in two places counts as one.
    let ada = link(folder, "ada");
    let twice = format!("<a href=\"{ada}\">{ada}</a>");
    assert_eq!(
        in_folder(folder, &["redeem", "--instance", "here", &twice]).code,
        0
    );
}

#[test]
fn a_code_cut_by_dots_is_not_described_as_signed_with_another_secret() {
    let folder = hosted_here("https://a.b");
    let link = link(folder.path(), "ada");
    let cut = format!("{}...", link.split_at(120).0);
    let said = in_folder(folder.path(), &["inspect", "--instance", "here", &cut]).out;
    assert!(said.contains("The end of the code is missing"), "{said}");
    assert!(!said.contains("another secret"), "{said}");
}
