//! Tests of pasted texts: all forms in which a good code arrives.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use latchkey_core::inspect::inspect_text;
use latchkey_core::protocol::code::recognize::recognize;

use crate::signed::{HEADER, RULES, key, now, signed};

const PARAMETER: &str = "externalAuthCode";

fn good() -> String {
    signed(
        HEADER,
        r#"{"user":{"id":"ada-1815","email":"ada@yourcompany.com"},"iat":1795300000,"exp":1795904800}"#,
    )
}

fn found(text: &str) -> String {
    recognize(text, PARAMETER).map_or_else(|refused| refused.message, |found| found.code)
}

fn percent(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").unwrap();
        }
        out
    })
}

/// Encodes a text like a mail program: `=3D`, and lines of 76 characters with `=` at their ends.
fn quoted_printable(text: &str) -> String {
    let escaped = text.replace('=', "=3D");
    let mut lines = Vec::new();
    let mut rest = escaped.as_str();
    while rest.len() > 75 {
        let mut cut = 75;
        while rest[cut - 2..cut].contains('=') {
            cut -= 1;
        }
        lines.push(format!("{}=", &rest[..cut]));
        rest = &rest[cut..];
    }
    lines.push(rest.to_owned());
    lines.join("\r\n")
}

fn proofpoint_v2(link: &str) -> String {
    let escaped = link
        .replace('-', "-2D")
        .replace('_', "-5F")
        .replace(':', "-3A")
        .replace('?', "-3F")
        .replace('=', "-3D")
        .replace('/', "_");
    format!("https://urldefense.proofpoint.com/v2/url?u={escaped}&d=DwMFaQ&c=abc_-x&r=s&m=t&s=u&e=")
}

fn wrapped(text: &str, width: usize, between: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let lines: Vec<String> = chars
        .chunks(width)
        .map(|line| line.iter().collect())
        .collect();
    lines.join(between)
}

/// Returns all forms of the code with their names.
#[expect(clippy::too_many_lines, reason = "a table")]
fn forms(code: &str) -> Vec<(&'static str, String)> {
    let link = format!("https://chat.yourcompany.com/?externalAuthCode={code}");
    let safelinks = |link: &str| {
        format!(
            "https://eur02.safelinks.protection.outlook.com/?url={}&data=05%7C02%7Cada%40yourcompany.com%7C0&sdata=abc%3D&reserved=0",
            percent(link)
        )
    };
    let (half, rest) = code.split_at(70);
    vec![
        ("the code alone", code.to_owned()),
        (
            "a sentence with a full stop",
            format!("Hello Ada, your code is {code}. Regards, Ben"),
        ),
        (
            "a sentence with a link",
            format!("Please open {link}, it works until Monday."),
        ),
        ("brackets", format!("Open this ({link}) today")),
        ("double quotes", format!("\"{code}\"")),
        ("single quotes", format!("'{link}'")),
        (
            "typographic quotes",
            format!("“{code}”, „{code}“, «{link}»"),
        ),
        ("Bearer", format!("Authorization: Bearer {code}")),
        (
            "JSON",
            format!(r#"{{"user":"ada","code":"{code}","ttl":7}}"#),
        ),
        (
            "JSON with escaped slashes",
            format!(r#"{{"link":"{}"}}"#, link.replace('/', "\\/")),
        ),
        (
            "JSON with escaped signs",
            format!(r#"{{"link":"{}"}}"#, link.replace('=', "\\u003d")),
        ),
        (
            "JSON in JSON",
            format!(
                r#"{{"body":"{{\"link\":\"{}\"}}"}}"#,
                link.replace('/', "\\\\/")
            ),
        ),
        ("Markdown link", format!("[Sign in]({link})")),
        ("Markdown code", format!("Use `{code}` here")),
        ("Markdown emphasis", format!("__{code}__ and *{link}*")),
        (
            "Markdown with escaped signs",
            code.replace('_', "\\_").replace('-', "\\-"),
        ),
        ("Slack's angle brackets", format!("<{link}|Sign in>")),
        (
            "HTML attribute",
            format!(r#"<p>Hi</p><a href="{link}&amp;lang=en">Sign in</a>"#),
        ),
        (
            "HTML with entities",
            format!(
                "<a href='{}'>x</a>",
                link.replace('=', "&#61;").replace('.', "&#x2e;")
            ),
        ),
        (
            "HTML, escaped twice",
            format!("<a href=\"{}\">", link.replace('=', "&amp;#61;")),
        ),
        (
            "HTML text with tags in the code",
            format!("<p>{half}<wbr><span>{rest}</span></p><p>Thanks</p>"),
        ),
        (
            "widget tag",
            format!(
                r#"<script defer data-external-auth-code="{code}" src="https://chat.yourcompany.com/widget.js"></script>"#
            ),
        ),
        (
            "mail quotation",
            format!("> {}", wrapped(&link, 60, "\n> ")),
        ),
        (
            "nested mail quotation",
            format!(">> > {}", wrapped(&link, 50, "\r\n>> > ")),
        ),
        ("wrapped lines", wrapped(&link, 64, "\n")),
        ("wrapped and indented", wrapped(code, 40, "\r\n        ")),
        (
            "wrapped in a sentence",
            format!("Your code:\n{}\nThanks, Ben", wrapped(code, 72, "\n")),
        ),
        ("spaces", wrapped(code, 33, " ")),
        ("a byte order mark", format!("\u{FEFF}{code}")),
        ("zero-width spaces", wrapped(code, 20, "\u{200B}")),
        (
            "soft hyphens and word joiners",
            wrapped(&link, 25, "\u{AD}\u{2060}"),
        ),
        ("no-break spaces", format!("Code:\u{A0}{code}\u{A0}")),
        ("an encoded zero-width space", format!("{link}%E2%80%8B")),
        (
            "quoted-printable",
            quoted_printable(&format!("Hi Ada,\r\n{link}\r\nBen")),
        ),
        (
            "quoted-printable HTML",
            quoted_printable(&format!("<a href=\"{link}&amp;x=1\">Sign in</a>")),
        ),
        ("SafeLinks", safelinks(&link)),
        (
            "SafeLinks in quoted-printable",
            format!("Hi,\r\n<{}>.\r\n", quoted_printable(&safelinks(&link))),
        ),
        ("SafeLinks in SafeLinks", safelinks(&safelinks(&link))),
        ("Proofpoint v2", proofpoint_v2(&link)),
        (
            "Proofpoint v2 in HTML",
            format!(
                "<a href=\"{}\">",
                proofpoint_v2(&link).replace('&', "&amp;")
            ),
        ),
        (
            "Proofpoint v3",
            format!("https://urldefense.com/v3/__{link}__;!!AbC-_dEf!gHi_jKl$"),
        ),
        (
            "google.com/url",
            format!(
                "https://www.google.com/url?q={}&sa=D&source=editors",
                percent(&link)
            ),
        ),
        (
            "a search result in a mail scanner",
            safelinks(&format!(
                "https://www.google.com/url?q={}&sa=D",
                percent(&link)
            )),
        ),
        (
            "an address in the path",
            format!("https://secure-web.cisco.com/1aB_c/{}", percent(&link)),
        ),
        (
            "encoded three times",
            format!(
                "https://protect.example/s?u={}",
                percent(&percent(&percent(&link)))
            ),
        ),
        (
            "an address in base64",
            format!(
                "https://eu-1.protection.example/?d=x&u={}&e=1",
                STANDARD.encode(&link)
            ),
        ),
        (
            "a shell command",
            format!(
                "curl -H 'Authorization: Bearer {code}' \\\n  https://chat.yourcompany.com/api"
            ),
        ),
        (
            "a shell command broken in the code",
            format!("curl \"{}\"", wrapped(&link, 80, "\\\n")),
        ),
        (
            "PowerShell",
            format!("Invoke-WebRequest `\n  -Uri \"{link}\""),
        ),
        (
            "an environment variable",
            format!("export CODE={code}; latchkey inspect \"$CODE\""),
        ),
        ("a table cell", format!("| Ada | {code} | 7 days |")),
        (
            "an encoded fragment",
            format!("https://chat.yourcompany.com/#/?externalAuthCode%3D{code}"),
        ),
        (
            "a log line",
            format!("2026-11-26T10:00:00Z GET /?externalAuthCode={code}&lang=en HTTP/1.1 200"),
        ),
    ]
}

#[test]
fn a_good_code_is_found_in_every_text_that_people_paste() {
    let code = good();
    let missed: Vec<String> = forms(&code)
        .into_iter()
        .filter(|(_, text)| found(text) != code)
        .map(|(name, text)| format!("{name}: {}", found(&text)))
        .collect();
    assert!(
        missed.is_empty(),
        "{} missed:\n{}",
        missed.len(),
        missed.join("\n")
    );
}

#[test]
fn of_several_codes_the_first_that_verifies_is_taken() {
    let code = good();
    let (message, signature) = code.rsplit_once('.').unwrap();
    let foreign = format!("{message}.{}", signature.chars().rev().collect::<String>());
    let expired = signed(HEADER, r#"{"email":"ada@yourcompany.com","exp":1}"#);
    let second = signed(HEADER, r#"{"email":"bob@yourcompany.com"}"#);
    let key = key();
    let taken = |text: &str| {
        let (found, inspection) = inspect_text(text, PARAMETER, &[&key], RULES, now()).unwrap();
        (found.code, inspection.judged().unwrap().is_ok())
    };
    let text = format!("Old: {expired}\nOther: {foreign}\nNew: {code}\nNext: {second}");
    assert_eq!(taken(&text), (code.clone(), true));
    // A code in a wrapped link counts by its position, too.
    let link = percent(&format!("https://a.b/?externalAuthCode={code}"));
    assert_eq!(
        taken(&format!("https://s.example/?url={link} {second}")),
        (code, true)
    );
    // If none verifies, the code whose signature matches is taken.
    assert_eq!(taken(&format!("{foreign}\n{expired}")), (expired, false));
}

#[test]
fn a_changed_code_is_not_accepted_as_a_good_one() {
    let code = good();
    assert_eq!(found(&format!("{code}x")), format!("{code}x"));
    assert_eq!(found(&code[..code.len() - 1]), code[..code.len() - 1]);
}

#[test]
fn a_code_is_found_however_it_is_wrapped() {
    let code = good();
    let between = [
        "\n", "\r\n", "\n> ", "\n  ", " ", "\n> > ", "\u{200B}", "\u{FEFF}", "\n\t", "=\r\n",
        "\\\n",
    ];
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    for round in 0..2_000 {
        let between = between[random(between.len())];
        let mut cuts: Vec<usize> = (0..=random(12))
            .map(|_| 1 + random(code.len() - 1))
            .collect();
        cuts.sort_unstable();
        cuts.dedup();
        let mut text = code.clone();
        for cut in cuts.iter().rev() {
            text.insert_str(*cut, between);
        }
        let text = match random(3) {
            0 => text,
            1 => format!("Hello,\n\n{text}\n\n-- \nBen"),
            _ => format!("\"{text}\""),
        };
        assert_eq!(found(&text), code, "round {round}: {text:?}");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test measures time")]
fn a_text_without_a_code_is_searched_in_bounded_time() {
    let size = 1024 * 1024;
    let began = std::time::Instant::now();
    for part in [
        "ey",
        "eyJ ",
        "eyJ.",
        "eyJ.eyJ.",
        "%2565yJ%252E",
        "<a ",
        "&#101;yJ.",
        "=\n",
        "\\\\",
        "aHR0cHM6Ly9h ",
        "%",
        "> ",
    ] {
        let text = part.repeat(size / part.len());
        let _ = recognize(&text, PARAMETER);
    }
    // Each takes a fraction of a second. A search that is not linear would take minutes.
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
    let refused = recognize(&"x".repeat(size + 1), PARAMETER).unwrap_err();
    assert_eq!(
        serde_json::to_value(refused.code).unwrap(),
        "input_too_large"
    );
}

#[test]
fn the_address_of_a_nested_link_is_that_of_the_application() {
    let code = good();
    let host = |text: &str| {
        let found = recognize(text, PARAMETER).unwrap();
        found
            .address
            .map(|address| address.host_str().unwrap_or_default().to_owned())
    };
    for (name, text) in forms(&code) {
        if text.contains("safelinks") || text.contains("urldefense") || text.contains("google.com")
        {
            assert_eq!(
                host(&text).as_deref(),
                Some("chat.yourcompany.com"),
                "{name}"
            );
        }
    }
    assert_eq!(host(&code), None);
    assert_eq!(
        host(&format!("See https://other.example for details. {code}")),
        None
    );
    let tag =
        format!("<script data-external-auth-code='{code}' src='https://chat.example/widget.js'>");
    assert_eq!(host(&tag).as_deref(), Some("chat.example"));
}
