//! Short links on the command line.

use std::path::Path;

use serde_json::Value;

use crate::run::{hosted_here, in_folder};

const MAKE: [&str; 6] = ["link", "--instance", "here", "--user-id", "ada", "--short"];

fn made(folder: &Path, more: &[&str]) -> Value {
    let ran = in_folder(folder, &[&["--json"][..], &MAKE, more].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.json()
}

#[test]
fn a_short_link_is_printed_in_place_of_the_long_one_and_is_in_the_qr_code() {
    let folder = hosted_here("https://chat.example");
    let at = folder.path();
    let ran = in_folder(at, &MAKE);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let code = ran.out.trim().strip_prefix("HTTPS://CHAT.EXAMPLE/AUTH/L/");
    assert_eq!(code.map(str::len), Some(26), "{}", ran.out);
    let link = made(at, &[]);
    let short = link["short"].as_str().unwrap();
    assert!(short.starts_with("HTTPS://CHAT.EXAMPLE/AUTH/L/"), "{short}");
    let long = link["link"].as_str().unwrap();
    assert!(
        long.starts_with("https://chat.example/?externalAuthCode="),
        "{long}"
    );
    assert!(
        [3, 4].contains(&link["qr"]["version"].as_i64().unwrap()),
        "{link}"
    );
    let message = in_folder(at, &[&MAKE[..], &["--as", "message"]].concat());
    assert!(
        message.out.contains("HTTPS://CHAT.EXAMPLE/AUTH/L/"),
        "{}",
        message.out
    );
    // The ledger says that there is one, and keeps no code.
    let id = link["id"].as_str().unwrap();
    let shown = in_folder(at, &["links", "--instance", "here", "show", id]);
    assert!(shown.out.contains("short link    yes"), "{}", shown.out);
    let inspected = in_folder(at, &["inspect", "--instance", "here", short]);
    assert!(
        inspected.err.contains("This is a short link"),
        "{}",
        inspected.err
    );
    let (_, code) = short.rsplit_once('/').unwrap();
    assert!(!shown.out.contains(code), "{}", shown.out);
    // The link that is given out again is the long one.
    let copied = in_folder(at, &["links", "--instance", "here", "copy", id]);
    assert_eq!(copied.out.trim(), long, "{}", copied.err);
    let plain = ["--json", "link", "--instance", "here", "--user-id", "ada"];
    assert_eq!(in_folder(at, &plain).json()["short"], Value::Null);
}

#[test]
fn the_picture_of_a_short_link_is_small() {
    let folder = hosted_here("http://localhost:8787");
    let file = folder.path().join("code.png");
    let ran = in_folder(
        folder.path(),
        &[&MAKE[..], &["--qr", file.to_str().unwrap()]].concat(),
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.err.contains("leads to this computer itself"),
        "{}",
        ran.err
    );
    let picture = image::open(&file).unwrap();
    let read = latchkey_core::link::qr::read_picture(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(read, ran.out.trim());
    // Version 4 has 33 modules and a quiet zone of 4 on each side.
    let modules = picture.width() / latchkey_core::link::qr::PNG_MODULE_PX;
    assert!(modules <= 41, "{modules}");
}

#[test]
fn a_short_link_is_refused_where_it_would_not_work_or_not_be_shown() {
    let folder = hosted_here("https://chat.example");
    let at = folder.path();
    let json = |arguments: &[&str]| in_folder(at, &[&["--json"][..], arguments].concat());
    for shape in ["code", "widget"] {
        let refused = json(&[&MAKE[..], &["--as", shape]].concat());
        assert_eq!(
            (refused.code, refused.refusal().2.as_deref()),
            (2, Some("short"))
        );
    }
    let without = ["link", "--url", "https://a.b", "--id", "1", "--short"];
    assert_eq!(in_folder(at, &without).code, 2);
    let set = ["instance", "set", "here", "--hosted", "elsewhere"];
    assert_eq!(in_folder(at, &set).code, 0);
    let refused = json(&MAKE);
    let expected = (1, "hosted_elsewhere".to_owned(), Some("short".to_owned()));
    assert_eq!(refused.refusal(), expected);
    assert!(
        refused
            .err
            .contains("only Latchkey's own gateway knows short links"),
        "{}",
        refused.err
    );
    let listed = json(&["links", "--instance", "here", "list"]);
    assert_eq!(listed.json()["total"], 0, "nothing half done");
}
