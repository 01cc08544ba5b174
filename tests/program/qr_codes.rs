//! Test of the QR codes of a thousand links with a reader of others.

use std::collections::BTreeSet;
use std::path::Path;
use std::thread;

use image::imageops::FilterType;
use jiff::Timestamp;
use latchkey_core::link::compose::{LinkSpec, Target, compose};
use latchkey_core::link::qr::Qr;
use latchkey_core::link::short_code::ShortCode;
use latchkey_core::link::{BaseUrl, LoginLink, Parameter};
use latchkey_core::protocol::code::{Algorithm, ExternalAuthCode};
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::{ExistingId, NewUser, Payload};
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::secret::{Secret, SigningKey};

use crate::readers::{rasterised, read_qr_codes};

const LINKS: usize = 1_000;
/// Number of links per call of the reader. It saves starts of the reader and fits on a command
/// line.
const CHUNK: usize = 50;

const BASES: [&str; 8] = [
    "https://a.io",
    "https://chat.yourcompany.com",
    "https://chat.yourcompany.com:8443/",
    "http://192.168.7.20:8787/",
    "https://apps.example.org/team/chat/index.html?lang=en&theme=dark#inbox",
    "https://xn--bcher-kva.example/a%20b/?q=%C3%BC&flag",
    "https://[2001:db8::7]:444/x/y/z?one=1&two=2&three=3",
    "https://chat.example.com/?externalAuthCode=old&keep=this#/welcome",
];

/// Returns the shortest possible link: the code of another program, with only an ID.
fn short_link(number: usize) -> String {
    let base = BaseUrl::parse(
        [
            "http://a.io",
            "https://chat.io",
            "https://apps.example.com:8443",
        ][number % 3],
    );
    let parameter = Parameter::parse(["t", "externalAuthCode"][number / 10 % 2]);
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
    header.typ = None;
    let key = jsonwebtoken::EncodingKey::from_secret(b"any");
    let code = jsonwebtoken::encode(&header, &serde_json::json!({ "id": number }), &key).unwrap();
    let code = ExternalAuthCode::from_text(code);
    LoginLink::new(&base.unwrap(), &parameter.unwrap(), &code).url()
}

/// Returns a link whose content and length follow from its number.
fn link(number: usize, key: &SigningKey) -> String {
    if number.is_multiple_of(10) {
        return short_link(number);
    }
    let payload = match number % 3 {
        0 => Payload::Email(Email::parse(&format!("u{number}@example.com"), "email").unwrap()),
        1 => Payload::Id(ExistingId::parse(&number.to_string(), number.is_multiple_of(2)).unwrap()),
        _ => {
            // From no note to the longest that fits into version 22.
            let note = "Zoë 日本 🔑 naïve Ωmega ".repeat(number % 37 / 3);
            let fields = [("team", "Forschung & Lehre"), ("note", note.as_str())];
            let shown = if number % 37 < 3 {
                &fields[..1]
            } else {
                &fields[..]
            };
            Payload::User(NewUser {
                id: UserId::parse(&format!("user-{number}"), "user.id").unwrap(),
                email: None,
                metadata: Metadata::from_fields(shown.iter().copied(), "metadata").unwrap(),
            })
        }
    };
    let target = Target {
        url: BaseUrl::parse(BASES[number % BASES.len()]).unwrap(),
        parameter: Parameter::default(),
        algorithm: Algorithm::HS256,
    };
    let now = Timestamp::from_second(1_795_300_000).unwrap();
    let spec = LinkSpec::new(payload, Lifetime::default());
    compose(&target, key, spec, now).unwrap().link.url()
}

/// Draws QR codes, reads them with the reader and compares the texts. Returns the versions that
/// occurred.
fn check(folder: &Path, numbers: std::ops::Range<usize>, key: &SigningKey) -> BTreeSet<i16> {
    let mut versions = BTreeSet::new();
    let (mut urls, mut pngs, mut svgs) = (Vec::new(), Vec::new(), Vec::new());
    for number in numbers {
        let url = link(number, key);
        let qr = Qr::for_url(&url).unwrap_or_else(|refused| panic!("link {number}: {refused}"));
        versions.insert(qr.version());
        let png = folder.join(format!("{number}.png"));
        std::fs::write(&png, qr.png().unwrap()).unwrap();
        let svg = folder.join(format!("{number}.svg"));
        std::fs::write(&svg, qr.svg()).unwrap();
        svgs.push(rasterised(&svg));
        pngs.push(png);
        urls.push(url);
    }
    assert_eq!(read_qr_codes(&pngs), urls, "PNG");
    assert_eq!(read_qr_codes(&svgs), urls, "SVG, rasterised");
    versions
}

#[test]
fn the_qr_code_of_a_short_link_has_version_3_or_4_and_is_read_from_150_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let (mut urls, mut pictures) = (Vec::new(), Vec::new());
    for (number, base) in [
        "https://a.io",
        "https://chat.yourcompany.com",
        "https://chat.yourcompany.com:8443/",
        "http://192.168.7.20:8787/",
        "https://login.intranet.department.example.org/CHAT/",
    ]
    .into_iter()
    .enumerate()
    {
        let url = ShortCode::new()
            .unwrap()
            .url(&BaseUrl::parse(base).unwrap());
        let qr = Qr::for_url(&url).unwrap();
        assert!([3, 4].contains(&qr.version()), "{}: {url}", qr.version());
        let picture = image::load_from_memory(&qr.png().unwrap()).unwrap();
        for (kind, filter) in [
            ("nearest", FilterType::Nearest),
            ("smooth", FilterType::Triangle),
        ] {
            let file = folder.path().join(format!("{number}-{kind}.png"));
            picture.resize_exact(150, 150, filter).save(&file).unwrap();
            pictures.push(file);
            urls.push(url.clone());
        }
    }
    assert_eq!(read_qr_codes(&pictures), urls);
}

#[test]
fn a_thousand_links_are_read_back_from_png_and_from_rasterised_svg() {
    let folder = tempfile::tempdir().unwrap();
    let key =
        SigningKey::from_text(&Secret::new("a key for pictures only, 32 bytes.".into())).unwrap();
    let versions: BTreeSet<i16> = thread::scope(|scope| {
        let halves: Vec<_> = (0..2)
            .map(|half| {
                let (folder, key) = (folder.path(), &key);
                scope.spawn(move || {
                    let starts = (0..LINKS).step_by(CHUNK).skip(half).step_by(2);
                    starts
                        .flat_map(|start| check(folder, start..(start + CHUNK).min(LINKS), key))
                        .collect::<BTreeSet<i16>>()
                })
            })
            .collect();
        halves
            .into_iter()
            .flat_map(|half| half.join().unwrap())
            .collect()
    });
    // Versions 13 and 14 do not occur: links that need them at level M fit into 11 or 12 at level
    // L, which phones read better.
    let expected: BTreeSet<i16> = (6..=12).chain(15..=22).collect();
    assert_eq!(versions, expected);
}
