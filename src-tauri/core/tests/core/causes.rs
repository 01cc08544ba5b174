//! Tests of the causes of refused codes.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use latchkey_core::inspect::diagnosis::{Case, Hint, HintCode, NextStep, OtherInstance, diagnose};
use latchkey_core::inspect::inspect_text;
use latchkey_core::instance::InstanceId;
use latchkey_core::link::BaseUrl;
use latchkey_core::protocol::code::Algorithm;
use latchkey_core::secret::{Secret, SecretEncoding, SigningKey};

use crate::signed::{HEADER, RULES, SECRET, now, signed, signed_with};

const GOOD: &str = r#"{"email":"ada@yourcompany.com","iat":1795300000}"#;

fn key(text: &str, encoding: SecretEncoding) -> SigningKey {
    SigningKey::from_encoded(&Secret::new(text.into()), encoding).unwrap()
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// Returns the causes for a text, at an instance with a secret.
fn causes_with(text: &str, key: &SigningKey, others: &[OtherInstance]) -> Vec<Hint> {
    let url = BaseUrl::parse("https://chat.yourcompany.com").unwrap();
    let (found, looked) = inspect_text(text, "externalAuthCode", &[key], RULES, now()).unwrap();
    diagnose(&Case {
        shown: &looked.shown,
        judged: looked.judged(),
        address: found.address.as_ref(),
        url: Some(&url),
        parameter: "externalAuthCode",
        keys: &[key],
        others,
    })
}

fn causes(text: &str) -> Vec<HintCode> {
    let key = key(SECRET, SecretEncoding::Text);
    causes_with(text, &key, &[])
        .iter()
        .map(|hint| hint.code)
        .collect()
}

#[test]
fn a_good_code_has_no_cause() {
    let code = signed(HEADER, GOOD);
    assert_eq!(causes(&code), []);
    assert_eq!(
        causes(&format!(
            "https://chat.yourcompany.com/?externalAuthCode={code}"
        )),
        []
    );
    // A secret that is simply wrong has no cause either.
    assert_eq!(causes(&signed_with(b"another secret", HEADER, GOOD)), []);
}

#[test]
fn times_in_milliseconds_and_microseconds_are_recognised() {
    for (claims, code, said) in [
        (
            r#"{"id":1,"iat":1795300000000,"exp":1795904800000}"#,
            HintCode::TimesInMilliseconds,
            "'iat' and 'exp'",
        ),
        (
            r#"{"id":1,"iat":1795300000,"exp":1795904800000.5}"#,
            HintCode::TimesInMilliseconds,
            "divide 'exp'",
        ),
        (
            r#"{"id":1,"nbf":1795300000000000}"#,
            HintCode::TimesInMicroseconds,
            "1,000,000",
        ),
    ] {
        let key = key(SECRET, SecretEncoding::Text);
        let hints = causes_with(&signed(HEADER, claims), &key, &[]);
        assert_eq!(hints[0].code, code, "{claims}");
        assert!(hints[0].message.contains(said), "{}", hints[0].message);
        assert!(
            hints[0].message.contains("2026-11-"),
            "{}",
            hints[0].message
        );
        assert_eq!(hints[0].next, Some(NextStep::MakeLink));
    }
    assert_eq!(
        causes(&signed(HEADER, r#"{"id":1,"exp":1}"#)),
        [],
        "expired in seconds"
    );
    assert_eq!(causes(&signed(HEADER, r#"{"id":1,"exp":"soon"}"#)), []);
}

#[test]
fn a_stored_secret_in_another_form_is_recognised() {
    use SecretEncoding::{Base64, Hex, Text};
    let binary = [0xFB_u8, 0xEF, 0xBE, 0x00, 0x01, 0xFF].repeat(6);
    let hex: String = hex_of(&binary).to_uppercase();
    let text = SECRET.as_bytes().to_vec();
    for (kept, encoding, signed_by, expected) in [
        (
            BASE64_STANDARD.encode(&binary),
            Text,
            binary.clone(),
            HintCode::SecretIsBase64,
        ),
        (
            BASE64_URL_SAFE_NO_PAD.encode(&binary),
            Text,
            binary.clone(),
            HintCode::SecretIsBase64,
        ),
        (
            format!("\"{}\"", BASE64_STANDARD.encode(&binary)),
            Text,
            binary.clone(),
            HintCode::SecretIsBase64,
        ),
        (hex.clone(), Text, binary.clone(), HintCode::SecretIsHex),
        (hex.to_lowercase(), Text, binary, HintCode::SecretIsHex),
        (
            format!("\"{SECRET}\""),
            Text,
            text.clone(),
            HintCode::SecretHasQuotes,
        ),
        (
            format!("'{SECRET}'"),
            Text,
            text.clone(),
            HintCode::SecretHasQuotes,
        ),
        (SECRET.to_owned(), Hex, text.clone(), HintCode::SecretIsText),
        (SECRET.to_owned(), Base64, text, HintCode::SecretIsText),
    ] {
        let code = signed_with(&signed_by, HEADER, GOOD);
        let hints = causes_with(&code, &key(&kept, encoding), &[]);
        let found: Vec<HintCode> = hints.iter().map(|hint| hint.code).collect();
        assert_eq!(found, [expected], "{kept}");
        assert_eq!(hints[0].next, Some(NextStep::ReplaceSecret));
        assert!(!hints[0].message.contains(&kept));
    }
}

#[test]
fn a_code_that_was_signed_with_more_than_the_secret_is_recognised() {
    for (form, expected) in [
        (format!("{SECRET}\n"), HintCode::SignedWithLineEnd),
        (format!("{SECRET}\r\n"), HintCode::SignedWithLineEnd),
        (
            format!("\u{FEFF}{SECRET}"),
            HintCode::SignedWithByteOrderMark,
        ),
        (format!("\"{SECRET}\""), HintCode::SignedWithQuotes),
        (BASE64_STANDARD.encode(SECRET), HintCode::SignedWithBase64),
        (hex_of(SECRET.as_bytes()), HintCode::SignedWithHex),
    ] {
        assert_eq!(
            causes(&signed_with(form.as_bytes(), HEADER, GOOD)),
            [expected],
            "{form:?}"
        );
    }
}

#[test]
fn the_hint_for_a_code_of_another_own_instance_names_that_instance() {
    let secret = "a secret of the other instance, long enough";
    let code = signed_with(secret.as_bytes(), HEADER, GOOD);
    let other = OtherInstance {
        id: InstanceId::parse("staging").unwrap(),
        name: "Staging".into(),
        url: BaseUrl::parse("https://staging.yourcompany.com").unwrap(),
        algorithm: Algorithm::HS256,
        keys: vec![key(secret, SecretEncoding::Text)],
    };
    let key = key(SECRET, SecretEncoding::Text);
    let others = [other];
    let hints = causes_with(&code, &key, &others);
    assert_eq!(hints.len(), 1);
    assert_eq!(hints[0].code, HintCode::SignedByOtherInstance);
    assert!(hints[0].title.contains("'Staging'"), "{}", hints[0].title);
    assert_eq!(
        hints[0].instance.as_ref().map(InstanceId::as_str),
        Some("staging")
    );
    assert_eq!(hints[0].next, Some(NextStep::OpenInstance));
    // A link of that instance leads there.
    let link = format!("https://staging.yourcompany.com/?externalAuthCode={code}");
    let hints = causes_with(&link, &key, &others);
    let found: Vec<HintCode> = hints.iter().map(|hint| hint.code).collect();
    assert_eq!(
        found,
        [HintCode::SignedByOtherInstance],
        "one hint says both"
    );
    assert_eq!(
        hints[0].instance.as_ref().map(InstanceId::as_str),
        Some("staging")
    );
}

#[test]
fn a_malformed_code_of_the_own_secret_is_not_attributed_to_another_instance() {
    let twice = r#"{"email":"a@b.cd","email":"e@f.gh"}"#;
    let code = signed_with(SECRET.as_bytes(), HEADER, twice);
    let other = OtherInstance {
        id: InstanceId::parse("staging").unwrap(),
        name: "Staging".into(),
        url: BaseUrl::parse("https://staging.yourcompany.com").unwrap(),
        algorithm: Algorithm::HS256,
        keys: vec![key(SECRET, SecretEncoding::Text)],
    };
    let key = key(SECRET, SecretEncoding::Text);
    let hints = causes_with(&code, &key, &[other]);
    assert!(hints.is_empty(), "{hints:?}");
}

#[test]
fn a_link_to_another_host_is_recognised_even_if_its_code_is_good() {
    let code = signed(HEADER, GOOD);
    let link = |host: &str| format!("https://{host}/?externalAuthCode={code}");
    assert_eq!(
        causes(&link("chat.yourcompany.com:8443")),
        [HintCode::OtherHost]
    );
    assert_eq!(
        causes(&link("chat.yourcompany.example")),
        [HintCode::OtherHost]
    );
    assert_eq!(causes(&link("CHAT.yourcompany.com")), []);
    let plain = causes(&link("chat.yourcompany.com").replace("https:", "http:"));
    assert_eq!(plain, [HintCode::OtherHost], "another scheme");
    let scanner = format!(
        "https://eur02.safelinks.protection.outlook.com/?url=https%3A%2F%2Fchat.yourcompany.com%2F%3FexternalAuthCode%3D{code}&data=05"
    );
    assert_eq!(causes(&scanner), [], "a scanner's address is no other host");
}

#[test]
fn a_code_whose_end_is_missing_is_recognised() {
    let code = signed(HEADER, GOOD);
    for cut in [1, 10, 43] {
        assert_eq!(
            causes(&code[..code.len() - cut]),
            [HintCode::CodeCutOff],
            "{cut}"
        );
    }
}

#[test]
fn a_code_in_plain_base64_is_not_described_as_cut_off() {
    // The claims contain a character of plain base64, and so does one of these signatures.
    let plain = |code: &str| code.replace('-', "+").replace('_', "/");
    let codes = (0..50).map(|number| {
        signed(
            HEADER,
            &format!(r#"{{"id":"{number}","iat":1795300000,"name":"þÿ?>~"}}"#),
        )
    });
    let mut seen = [false; 2];
    for code in codes {
        let found = plain(&code);
        let (claims, signature) = code.rsplit_once('.').unwrap();
        seen[0] |= signature.contains(['-', '_']);
        seen[1] |= claims.contains(['-', '_']);
        if found == code {
            continue;
        }
        let link = format!("https://chat.yourcompany.com/?externalAuthCode={found}");
        for text in [found.clone(), format!("Hello,\n<{found}>\n"), link] {
            assert_eq!(causes(&text), [HintCode::PlainBase64], "{text}");
        }
    }
    assert_eq!(seen, [true, true]);
    // The padding of plain base64 alone is enough.
    let bare = signed(HEADER, r#"{"id":"12","iat":1795300000}"#);
    let (message, signature) = bare.rsplit_once('.').unwrap();
    assert_eq!(
        causes(&format!("{message}==.{signature}")),
        [HintCode::PlainBase64]
    );
    // Text after a whole code is not part of it.
    let good = signed(HEADER, GOOD);
    for rest in ["/", "+", "/more", "=", "+x"] {
        assert_eq!(causes(&format!("{good}{rest}")), [], "{rest}");
    }
}

#[test]
fn a_code_in_another_parameter_than_the_instance_reads_is_recognised() {
    let code = signed(HEADER, GOOD);
    let at = |rest: &str| causes(&format!("https://chat.yourcompany.com/{rest}{code}"));
    for rest in ["chat?code=", "?a=b&code=", "?externalauthcode="] {
        assert_eq!(at(rest), [HintCode::OtherParameter], "{rest}");
    }
    for rest in ["?externalAuthCode=", "?code=1&externalAuthCode="] {
        assert_eq!(at(rest), [], "{rest}");
    }
    let elsewhere = causes(&format!("https://elsewhere.example/?code={code}"));
    assert_eq!(
        elsewhere,
        [HintCode::OtherHost],
        "another application has its own parameter"
    );
    let key = key(SECRET, SecretEncoding::Text);
    let link = format!("https://chat.yourcompany.com/?code={code}");
    let hint = causes_with(&link, &key, &[]).remove(0);
    assert!(hint.title.contains("'code'"), "{hint:?}");
    assert!(hint.message.contains("'externalAuthCode'"), "{hint:?}");
}
