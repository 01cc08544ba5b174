//! Test of all refused inputs, with the code and the field of each error.

use latchkey_core::instance::Name;
use latchkey_core::link::compose::{LinkSpec, Target, compose};
use latchkey_core::link::qr::{Qr, read_picture};
use latchkey_core::link::{BaseUrl, Parameter};
use latchkey_core::protocol::code::recognize::recognize;
use latchkey_core::protocol::code::verify;
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::{ExistingId, NewUser, Payload};
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::secret::{Secret, SigningKey};
use latchkey_core::{Error, time};

use crate::signed::{HEADER, RULES, judge, key, now, signed};

type Refusal = (String, Option<String>);

fn of_core<T>(result: Result<T, Error>) -> Option<Refusal> {
    let error = result.err()?;
    let code = serde_json::to_value(error.code).unwrap();
    Some((code.as_str().unwrap().to_owned(), error.field))
}

fn of_code(code: &str) -> Option<Refusal> {
    let refused = verify(code, &[&key()], RULES, now()).err()?;
    Some((
        refused.code().to_owned(),
        refused.member_name().map(str::to_owned),
    ))
}

fn of_claims(claims: &str) -> Option<Refusal> {
    let refused = judge(claims).err()?;
    Some((
        refused.code().to_owned(),
        refused.member_name().map(str::to_owned),
    ))
}

fn of_header(header: &str) -> Option<Refusal> {
    of_code(&signed(header, r#"{"id":1}"#))
}

fn composed(lifetime: &str, metadata: Metadata, not_before: Option<&str>) -> Result<(), Error> {
    let target = Target {
        url: BaseUrl::parse("https://a.b")?,
        parameter: Parameter::default(),
        algorithm: RULES.algorithm,
    };
    let user = NewUser {
        id: UserId::parse("ada", "user.id")?,
        email: None,
        metadata,
    };
    let mut spec = LinkSpec::new(Payload::User(user), lifetime.parse()?);
    spec.not_before = not_before
        .map(|text| time::parse(text, &jiff::tz::TimeZone::UTC, "not_before"))
        .transpose()?;
    compose(&target, &key(), spec, now()).map(drop)
}

#[test]
#[rustfmt::skip] // A case is a line.
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn every_bad_input_is_refused_with_its_code_and_field() {
    let good = signed(HEADER, r#"{"id":1}"#);
    assert_eq!(of_code(&good), None, "the good one is good");
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (header, claims) = message.split_once('.').unwrap();
    let other_claims = signed(HEADER, r#"{"id":2}"#);
    let other_claims = other_claims.split('.').nth(1).unwrap();
    let mut changed = signature.to_owned();
    changed.replace_range(0..1, if signature.starts_with('A') { "B" } else { "A" });
    let text = |length: usize| "x".repeat(length);
    let metadata_of = |bytes: usize| format!(r#"{{"k":"{}"}}"#, text(bytes));
    let nested = format!(
        r#"{{"user":{{"id":"a","deep":{}{}}}}}"#,
        "[".repeat(31),
        "]".repeat(31)
    );

    let cases: Vec<(&str, Option<Refusal>, &str, Option<&str>)> = vec![
        // E-mail addresses.
        ("empty email", of_core(Email::parse("", "email")), "invalid_payload", Some("email")),
        ("blank email", of_core(Email::parse(" \t", "email")), "invalid_payload", Some("email")),
        ("email without @", of_core(Email::parse("ada", "email")), "invalid_payload", Some("email")),
        ("email with two @", of_core(Email::parse("a@b@c.de", "user.email")), "invalid_payload", Some("user.email")),
        ("email with a name", of_core(Email::parse("Ada <a@b.cd>", "email")), "invalid_payload", Some("email")),
        ("email in a code is a number", of_claims(r#"{"email":5}"#), "invalid_payload", Some("email")),
        ("email in a code is null", of_claims(r#"{"email":null}"#), "invalid_payload", Some("email")),
        ("email in a code is blank", of_claims(r#"{"email":"  "}"#), "invalid_payload", Some("email")),
        ("user.email is a list", of_claims(r#"{"user":{"id":"a","email":[]}}"#), "invalid_payload", Some("user.email")),
        ("user.email is not an address", of_claims(r#"{"user":{"id":"a","email":"ada"}}"#), "invalid_payload", Some("user.email")),
        // IDs of existing users.
        ("empty id", of_core(ExistingId::parse("", false)), "invalid_payload", Some("id")),
        ("id with a space in front", of_core(ExistingId::parse(" 1", false)), "invalid_payload", Some("id")),
        ("id is a fraction", of_claims(r#"{"id":1.5}"#), "invalid_payload", Some("id")),
        ("id beyond 2^53", of_claims(r#"{"id":9007199254740993}"#), "invalid_payload", Some("id")),
        ("id is an object", of_claims(r#"{"id":{}}"#), "invalid_payload", Some("id")),
        ("id is null", of_claims(r#"{"id":null}"#), "invalid_payload", Some("id")),
        // `user.id` of all wrong types and forms.
        ("user.id missing", of_claims(r#"{"user":{}}"#), "invalid_payload", Some("user.id")),
        ("user.id null", of_claims(r#"{"user":{"id":null}}"#), "invalid_payload", Some("user.id")),
        ("user.id true", of_claims(r#"{"user":{"id":true}}"#), "invalid_payload", Some("user.id")),
        ("user.id a number", of_claims(r#"{"user":{"id":1234}}"#), "invalid_payload", Some("user.id")),
        ("user.id a list", of_claims(r#"{"user":{"id":["a"]}}"#), "invalid_payload", Some("user.id")),
        ("user.id an object", of_claims(r#"{"user":{"id":{"a":1}}}"#), "invalid_payload", Some("user.id")),
        ("user.id empty", of_claims(r#"{"user":{"id":""}}"#), "invalid_payload", Some("user.id")),
        ("user.id blank", of_claims(r#"{"user":{"id":"  "}}"#), "invalid_payload", Some("user.id")),
        ("user.id with outer white space", of_claims(r#"{"user":{"id":"ada "}}"#), "invalid_payload", Some("user.id")),
        ("user.id with outer no-break space", of_claims("{\"user\":{\"id\":\"\u{a0}ada\"}}"), "invalid_payload", Some("user.id")),
        ("user.id with a line break", of_claims(r#"{"user":{"id":"a\nb"}}"#), "invalid_payload", Some("user.id")),
        ("user.id with NUL", of_claims(r#"{"user":{"id":"a\u0000b"}}"#), "invalid_payload", Some("user.id")),
        ("user.id of 256 bytes", of_claims(&format!(r#"{{"user":{{"id":"{}"}}}}"#, text(256))), "invalid_payload", Some("user.id")),
        // The payload as a whole.
        ("nobody", of_claims("{}"), "invalid_payload", Some("user")),
        ("user is a text", of_claims(r#"{"user":"ada"}"#), "invalid_payload", Some("user")),
        ("user is null", of_claims(r#"{"user":null}"#), "invalid_payload", Some("user")),
        ("user beside id", of_claims(r#"{"user":{"id":"a"},"id":1}"#), "ambiguous_payload", Some("id")),
        ("user beside email", of_claims(r#"{"user":{"id":"a"},"email":"a@b.cd"}"#), "ambiguous_payload", Some("email")),
        // Metadata.
        ("9 KiB of metadata", of_core(Metadata::from_json(&metadata_of(9 * 1024), "metadata")), "invalid_payload", Some("metadata")),
        ("metadata that is a list", of_core(Metadata::from_json("[]", "metadata")), "invalid_payload", Some("metadata")),
        ("metadata that is not JSON", of_core(Metadata::from_json("{team: 1}", "metadata")), "invalid_payload", Some("metadata")),
        ("metadata with a duplicate", of_core(Metadata::from_json(r#"{"a":1,"a":2}"#, "metadata")), "invalid_payload", Some("metadata")),
        ("metadata field twice", of_core(Metadata::from_fields([("a", "1"), ("a", "2")], "metadata")), "invalid_payload", Some("metadata.a")),
        ("metadata named id", of_core(Metadata::from_fields([("id", "1")], "metadata")), "invalid_payload", Some("metadata.id")),
        ("metadata without a name", of_core(Metadata::from_fields([(" ", "1")], "metadata")), "invalid_payload", Some("metadata")),
        ("7 KiB of metadata make too long a code", of_core(composed("7d", Metadata::from_json(&metadata_of(7 * 1024), "metadata").unwrap(), None)), "code_too_long", Some("metadata")),
        ("a link of 1,100 characters has no QR code", of_core(Qr::for_url(&text(1100))), "qr_too_dense", Some("metadata")),
        // URLs and settings.
        ("empty URL", of_core(BaseUrl::parse("")), "invalid_url", Some("url")),
        ("URL without a scheme", of_core(BaseUrl::parse("chat.yourcompany.com")), "invalid_url", Some("url")),
        ("URL without a scheme, with a port", of_core(BaseUrl::parse("localhost:8787")), "invalid_url", Some("url")),
        ("javascript: URL", of_core(BaseUrl::parse("javascript:alert(1)")), "invalid_url", Some("url")),
        ("file: URL", of_core(BaseUrl::parse("file:///etc/passwd")), "invalid_url", Some("url")),
        ("data: URL", of_core(BaseUrl::parse("data:text/html,x")), "invalid_url", Some("url")),
        ("URL with a password", of_core(BaseUrl::parse("https://a:b@c.de")), "invalid_url", Some("url")),
        ("URL without a host", of_core(BaseUrl::parse("https://")), "invalid_url", Some("url")),
        ("URL with a line break", of_core(BaseUrl::parse("https://a.b/\n?x")), "invalid_url", Some("url")),
        ("parameter with a space", of_core(Parameter::parse("auth code")), "invalid_setting", Some("parameter")),
        ("empty parameter", of_core(Parameter::parse("")), "invalid_setting", Some("parameter")),
        ("empty name", of_core(Name::parse("  ")), "invalid_setting", Some("name")),
        ("algorithm none", of_core("none".parse::<latchkey_core::protocol::code::Algorithm>()), "invalid_setting", Some("algorithm")),
        ("algorithm RS256", of_core("RS256".parse::<latchkey_core::protocol::code::Algorithm>()), "invalid_setting", Some("algorithm")),
        // Lifetimes and times.
        ("lifetime without a unit", of_core("7".parse::<Lifetime>()), "invalid_lifetime", Some("expires_in")),
        ("lifetime of nothing", of_core("0 days".parse::<Lifetime>()), "invalid_lifetime", Some("expires_in")),
        ("negative lifetime", of_core("-7 days".parse::<Lifetime>()), "invalid_lifetime", Some("expires_in")),
        ("lifetime in months", of_core("1 month".parse::<Lifetime>()), "invalid_lifetime", Some("expires_in")),
        ("not-before that is no time", of_core(composed("1h", Metadata::default(), Some("soon"))), "invalid_time", Some("not_before")),
        // Secrets.
        ("empty secret", of_core(SigningKey::from_text(&Secret::new(String::new()))), "empty_secret", Some("secret")),
        ("blank secret", of_core(SigningKey::from_text(&Secret::new(" \n".into()))), "empty_secret", Some("secret")),
        ("secret of two lines", of_core(SigningKey::from_text(&Secret::new("a\nb".into()))), "invalid_secret", Some("secret")),
        // The header of a code.
        ("alg none", of_header(r#"{"alg":"none"}"#), "unsupported_algorithm", Some("alg")),
        ("alg none, unsigned", of_code(&format!("eyJhbGciOiJub25lIn0.{claims}.")), "unsupported_algorithm", Some("alg")),
        ("alg HS512 on an HS256 instance", of_header(r#"{"alg":"HS512"}"#), "unsupported_algorithm", Some("alg")),
        ("alg RS256", of_header(r#"{"alg":"RS256"}"#), "unsupported_algorithm", Some("alg")),
        ("alg hs256", of_header(r#"{"alg":"hs256"}"#), "unsupported_algorithm", Some("alg")),
        ("alg missing", of_header(r#"{"typ":"JWT"}"#), "malformed_code", None),
        ("alg a list", of_header(r#"{"alg":["HS256"]}"#), "malformed_code", None),
        ("alg twice", of_header(r#"{"alg":"HS256","alg":"none"}"#), "malformed_code", None),
        ("unknown crit", of_header(r#"{"alg":"HS256","crit":["exp2"],"exp2":1}"#), "malformed_code", None),
        ("empty crit", of_header(r#"{"alg":"HS256","crit":[]}"#), "malformed_code", None),
        ("header is not an object", of_header("[]"), "malformed_code", None),
        // The form of a code.
        ("nothing", of_code(""), "malformed_code", None),
        ("two parts", of_code(message), "malformed_code", None),
        ("four parts", of_code(&format!("{good}.x")), "malformed_code", None),
        ("no signature", of_code(&format!("{message}.")), "malformed_code", None),
        ("changed signature", of_code(&format!("{message}.{changed}")), "bad_signature", None),
        ("cut signature", of_code(&good[..good.len() - 3]), "malformed_code", None),
        ("changed payload", of_code(&format!("{header}.{other_claims}.{signature}")), "bad_signature", None),
        ("padded base64", of_code(&format!("{good}=")), "malformed_code", None),
        ("padded header", of_code(&format!("{header}=.{claims}.{signature}")), "malformed_code", None),
        ("standard base64 in the signature", of_code(&format!("{message}.+/{}", &signature[2..])), "malformed_code", None),
        ("trailing bytes", of_code(&format!("{good} ")), "malformed_code", None),
        ("9 KiB of code", of_code(&text(9 * 1024)), "malformed_code", None),
        ("claims that are a list", of_claims("[1]"), "malformed_code", None),
        ("claims with a duplicate", of_claims(r#"{"id":1,"id":2}"#), "malformed_code", None),
        ("claims with a duplicate inside", of_claims(r#"{"user":{"id":"a","x":{"b":1,"b":2}}}"#), "malformed_code", None),
        ("claims nested too deep", of_claims(&nested), "malformed_code", None),
        ("claims with something after them", of_claims(r#"{"id":1} x"#), "malformed_code", None),
        ("claims that are not UTF-8", of_code(&format!("{header}.{}.{signature}", "_w")), "bad_signature", None),
        // Times and IDs of a code.
        ("exp a text", of_claims(r#"{"id":1,"exp":"1795300000"}"#), "invalid_payload", Some("exp")),
        ("exp negative", of_claims(r#"{"id":1,"exp":-1}"#), "invalid_payload", Some("exp")),
        ("exp 1e30", of_claims(r#"{"id":1,"exp":1e30}"#), "invalid_payload", Some("exp")),
        ("exp null", of_claims(r#"{"id":1,"exp":null}"#), "invalid_payload", Some("exp")),
        ("nbf true", of_claims(r#"{"id":1,"nbf":true}"#), "invalid_payload", Some("nbf")),
        ("iat a list", of_claims(r#"{"id":1,"iat":[]}"#), "invalid_payload", Some("iat")),
        ("expired", of_claims(r#"{"id":1,"exp":1000}"#), "expired", Some("exp")),
        ("not yet valid", of_claims(r#"{"id":1,"nbf":2000000000}"#), "not_yet_valid", Some("nbf")),
        ("jti a number", of_claims(r#"{"id":1,"jti":5}"#), "invalid_payload", Some("jti")),
        ("jti that moves the cursor", of_claims(r#"{"id":1,"jti":"a\u001b[2J"}"#), "invalid_payload", Some("jti")),
        ("single_use a text", of_claims(r#"{"id":1,"jti":"a","single_use":"yes"}"#), "invalid_payload", Some("single_use")),
        ("single_use without jti", of_claims(r#"{"id":1,"single_use":true}"#), "invalid_payload", Some("jti")),
        // Pasted texts.
        ("nothing pasted", of_core(recognize("", "externalAuthCode")), "no_code", Some("code")),
        ("prose pasted", of_core(recognize("hello there", "externalAuthCode")), "no_code", Some("code")),
        ("a URL without a code", of_core(recognize("https://a.b/?x=1", "externalAuthCode")), "no_code", Some("code")),
        ("HTML without a code", of_core(recognize("<script src=x>", "externalAuthCode")), "no_code", Some("code")),
        ("bytes that are no picture", of_core(read_picture(b"GIF89a")), "invalid_picture", None),
    ];
    assert!(cases.len() >= 60, "{} cases", cases.len());
    let wrong: Vec<String> = cases
        .into_iter()
        .filter_map(|(name, found, code, member)| {
            let expected = Some((code.to_owned(), member.map(str::to_owned)));
            (found != expected).then(|| format!("{name}: expected {expected:?}, found {found:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_message_contains_the_code_or_the_secret() {
    let code = signed(HEADER, r#"{"id":1,"exp":1000}"#);
    let refused = verify(&code, &[&key()], RULES, now()).unwrap_err();
    let signature = code.rsplit('.').next().unwrap();
    for text in [
        format!("{refused}"),
        format!("{refused:?}"),
        serde_json::to_string(&refused).unwrap(),
    ] {
        assert!(!text.contains(signature), "{text}");
        assert!(!text.contains(crate::signed::SECRET), "{text}");
    }
    let unreadable = recognize(&format!("see {signature} there"), "externalAuthCode").unwrap_err();
    assert!(!unreadable.message.contains(signature));
}
