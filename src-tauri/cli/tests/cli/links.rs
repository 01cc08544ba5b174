use serde_json::json;

use crate::run::{SECRET, latchkey, with_secret};

const URL: &str = "https://chat.yourcompany.com";

#[test]
fn a_link_is_printed_alone() {
    let ran = with_secret(&["link", "--url", URL, "--email", "ada@yourcompany.com"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(ran.out.lines().count(), 1);
    assert!(
        ran.out
            .starts_with("https://chat.yourcompany.com/?externalAuthCode=ey")
    );
}

#[test]
fn an_address_without_a_scheme_is_completed() {
    for (url, link) in [
        ("chat.yourcompany.com", "https://chat.yourcompany.com/?"),
        ("localhost:4711/app", "http://localhost:4711/app?"),
        ("[::1]:4711", "http://[::1]:4711/?"),
    ] {
        let ran = with_secret(&["link", "--url", url, "--id", "1"]);
        assert!(ran.out.starts_with(link), "{url}: {}{}", ran.out, ran.err);
    }
    let refused = with_secret(&["--json", "link", "--url", "mailto:ada@b.co", "--id", "1"]);
    let expected = (1, "invalid_url".to_owned(), Some("url".to_owned()));
    assert_eq!(refused.refusal(), expected);
}

#[test]
fn the_three_kinds_of_payload_are_signed_as_asked() {
    let claims = |arguments: &[&str]| {
        let mut all = vec!["--json", "link", "--url", URL];
        all.extend(arguments);
        let ran = with_secret(&all);
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.json()["claims"].clone()
    };
    assert_eq!(claims(&["--email", "a@b.cd"])["email"], "a@b.cd");
    assert_eq!(claims(&["--id", "1234"])["id"], json!(1234));
    assert_eq!(
        claims(&["--id", "1234", "--id-as-text"])["id"],
        json!("1234")
    );
    let user = claims(&[
        "--user-id",
        "ada-1815",
        "--user-email",
        "ada@b.cd",
        "--metadata",
        "team=Research",
        "--metadata",
        "note=a=b",
    ]);
    assert_eq!(
        user["user"],
        json!({ "id": "ada-1815", "email": "ada@b.cd", "team": "Research", "note": "a=b" })
    );
    let all = claims(&[
        "--id",
        "1",
        "--expires-in",
        "1h",
        "--not-before",
        "2020-01-01T00:00:00Z",
        "--issuer",
        "i",
        "--subject",
        "s",
        "--audience",
        "a",
        "--single-use",
    ]);
    assert_eq!(
        all["exp"].as_i64().unwrap() - all["iat"].as_i64().unwrap(),
        3_600
    );
    assert_eq!(all["nbf"], json!(1_577_836_800));
    assert_eq!(
        (&all["iss"], &all["sub"], &all["aud"]),
        (&json!("i"), &json!("s"), &json!("a"))
    );
    assert_eq!(all["single_use"], json!(true));
    assert!(
        claims(&["--id", "1", "--expires-in", "never"])
            .get("exp")
            .is_none()
    );
}

#[test]
fn metadata_is_read_from_a_file_and_from_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("metadata.json");
    std::fs::write(&file, r#"{"team":"Research","level":3}"#).unwrap();
    let arguments = |from: &str| {
        [
            "--json",
            "link",
            "--url",
            URL,
            "--user-id",
            "a",
            "--metadata-json",
            from,
        ]
        .map(str::to_owned)
    };
    let of = |from: &str, input: &[u8]| {
        let arguments = arguments(from);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        latchkey(&arguments, &[("LATCHKEY_SECRET", SECRET)], input)
    };
    let from_file = of(file.to_str().unwrap(), b"");
    assert_eq!(from_file.json()["claims"]["user"]["level"], json!(3));
    let from_input = of("-", br#"{"team":"Research"}"#);
    assert_eq!(
        from_input.json()["claims"]["user"]["team"],
        json!("Research")
    );
    assert_eq!(
        of("-", b"[]").refusal(),
        (1, "invalid_payload".into(), Some("metadata".into()))
    );
}

#[test]
fn a_link_can_be_printed_as_code_widget_tag_or_qr_code() {
    let shape =
        |shape: &str| with_secret(&["link", "--url", URL, "--email", "a@b.cd", "--as", shape]).out;
    assert!(shape("code").starts_with("ey"));
    assert!(shape("widget").starts_with("<script defer data-external-auth-code=\"ey"));
    let qr = shape("qr");
    assert!(qr.lines().count() > 25 && qr.contains('▀'));
}

#[test]
fn a_qr_code_is_written_as_png_and_svg() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["qr.png", "qr.svg"] {
        let file = folder.path().join(name);
        let path = file.to_str().unwrap();
        let ran = with_secret(&["link", "--url", URL, "--email", "a@b.cd", "--qr", path]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(std::fs::metadata(&file).unwrap().len() > 500);
    }
    let ran = with_secret(&[
        "--json", "link", "--url", URL, "--email", "a@b.cd", "--qr", "qr.gif",
    ]);
    assert_eq!(ran.refusal().0, 2);
}

#[test]
fn refusals_by_a_rule_exit_with_1_and_wrong_usage_with_2() {
    let refusal = |arguments: &[&str]| {
        let mut all = vec!["--json", "link"];
        all.extend(arguments);
        with_secret(&all).refusal()
    };
    assert_eq!(
        refusal(&["--url", URL, "--email", "ada"]),
        (1, "invalid_payload".into(), Some("email".into()))
    );
    assert_eq!(
        refusal(&["--url", "javascript:alert(1)", "--email", "a@b.cd"]),
        (1, "invalid_url".into(), Some("url".into()))
    );
    assert_eq!(
        refusal(&["--url", URL, "--user-id", "a", "--metadata", "team"]),
        (2, "usage".into(), Some("metadata".into()))
    );
    for arguments in [
        &["link", "--url", URL][..],
        &["link", "--email", "a@b.cd"],
        &["link", "--url", URL, "--email", "a@b.cd", "--id", "1"],
        &[
            "link",
            "--url",
            URL,
            "--email",
            "a@b.cd",
            "--expires-in",
            "soon",
        ],
        &[
            "link",
            "--url",
            URL,
            "--email",
            "a@b.cd",
            "--algorithm",
            "RS256",
        ],
        &["link", "--url", URL, "--email", "a@b.cd", "--secret", "x"],
        &[
            "link",
            "--url",
            URL,
            "--email",
            "a@b.cd",
            "--metadata",
            "a=b",
        ],
        &["link", "--url", URL, "--id", "1", "--user-email", "a@b.cd"],
        &["link", "--url", URL, "--id", "1", "--metadata-json", "-"],
        &["frobnicate"],
    ] {
        let ran = with_secret(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}");
        assert!(!ran.err.is_empty());
    }
}

#[test]
fn link_without_a_secret_says_how_to_give_one() {
    let ran = latchkey(&["link", "--url", URL, "--email", "a@b.cd"], &[], b"");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("--secret-file"), "{}", ran.err);
}

#[test]
fn the_secret_comes_from_a_file_by_flag_or_environment() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    let path = file.to_str().unwrap();
    let base = ["link", "--url", URL, "--email", "a@b.cd", "--as", "code"];
    let mut flagged = base.to_vec();
    flagged.extend(["--secret-file", path]);
    let by_flag = latchkey(&flagged, &[("LATCHKEY_SECRET", "another")], b"");
    let by_file = latchkey(&base, &[("LATCHKEY_SECRET_FILE", path)], b"");
    for ran in [by_flag, by_file] {
        let inspected = latchkey(
            &["inspect", "-"],
            &[("LATCHKEY_SECRET", SECRET)],
            ran.out.as_bytes(),
        );
        assert_eq!(inspected.code, 0, "{}", inspected.out);
    }
}

#[test]
fn a_short_secret_and_a_link_without_expiry_are_warned_of_on_standard_error() {
    let arguments = [
        "link",
        "--url",
        "http://chat.example.com",
        "--email",
        "a@b.cd",
        "--expires-in",
        "never",
    ];
    let secret = "twenty-bytes-secret!";
    let ran = latchkey(&arguments, &[("LATCHKEY_SECRET", secret)], b"");
    assert_eq!(ran.code, 0);
    assert_eq!(ran.out.lines().count(), 1);
    for said in ["asks for at least 32", "never expires", "unencrypted"] {
        assert!(ran.err.contains(said), "{said}: {}", ran.err);
    }
    assert!(!ran.err.contains(secret) && !ran.out.contains("warning"));
}

#[test]
fn a_secret_under_16_bytes_signs_only_for_this_computer() {
    let link = |url: &str| {
        let arguments = ["--json", "link", "--url", url, "--email", "a@b.cd"];
        latchkey(&arguments, &[("LATCHKEY_SECRET", "short")], b"")
    };
    let refused = link("https://chat.example.com");
    let expected = (1, "weak_secret".into(), Some("secret".into()));
    assert_eq!(refused.refusal(), expected);
    let made = link("http://localhost:8787");
    assert_eq!(made.json()["warnings"][0]["code"], "short_key");
}

#[test]
fn an_option_that_would_have_no_effect_is_refused_or_warned_of() {
    let link = ["link", "--url", "https://a.b"];
    for who in [["--email", "a@b.cd"], ["--user-id", "7"]] {
        let ran = with_secret(&[&link[..], &who, &["--id-as-text"]].concat());
        assert_eq!(ran.code, 2, "{who:?}: {}", ran.out);
    }
    let once = with_secret(&[&link[..], &["--id", "7", "--single-use"]].concat());
    assert!(once.err.contains("a.b decides how often"), "{}", once.err);
}
