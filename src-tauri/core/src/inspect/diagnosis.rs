//! The cause of a refusal, and what to do about it.
//!
//! A verdict says that a signature does not match or that a time is not valid. A [`Hint`] says why:
//! the secret is base64, or the times are in milliseconds. Hints do not affect sign-ins.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;
use utoipa::ToSchema;

use crate::instance::InstanceId;
use crate::link::BaseUrl;
use crate::protocol::code::recognize::Judged;
use crate::protocol::code::unverified::UnverifiedCode;
use crate::protocol::code::{Algorithm, CodeRefusal};
use crate::secret::{SecretEncoding, SigningKey};
use crate::time;

/// Kind of a cause, for callers to match on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HintCode {
    /// Another of the administrator's instances signed the code.
    SignedByOtherInstance,
    /// The stored secret is the key in base64.
    SecretIsBase64,
    /// The stored secret is the key in hexadecimal.
    SecretIsHex,
    /// The stored secret is the key itself, but is decoded.
    SecretIsText,
    /// The stored secret has quotes around it that do not belong to it.
    SecretHasQuotes,
    /// The stored secret has invisible characters that do not belong to it.
    SecretHasInvisibleCharacters,
    /// The code was signed with the secret and a line end.
    SignedWithLineEnd,
    /// The code was signed with the secret and a byte order mark.
    SignedWithByteOrderMark,
    /// The code was signed with the secret in quotes.
    SignedWithQuotes,
    /// The code was signed with the secret in base64.
    SignedWithBase64,
    /// The code was signed with the secret in hexadecimal.
    SignedWithHex,
    /// The end of the code is missing.
    CodeCutOff,
    /// The code is in plain base64.
    PlainBase64,
    /// The ledger has a link with the ID of the code, whose signing key is not kept any more.
    KeyRetired,
    /// Times are in milliseconds.
    TimesInMilliseconds,
    /// Times are in microseconds.
    TimesInMicroseconds,
    /// The link leads to another address than the instance's: another host, port or scheme.
    OtherHost,
    /// The link has the code in another query parameter than the one that the instance reads.
    OtherParameter,
}

/// A cause, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Hint {
    /// Kind of the cause.
    #[schema(value_type = String, example = "secret_is_base64")]
    pub code: HintCode,
    /// Title in a few words.
    pub title: String,
    /// A sentence that says how to correct it.
    pub message: String,
    /// Action in Latchkey that helps.
    #[schema(required)]
    pub next: Option<NextStep>,
    /// Instance of the same administrator to which the code or the link belongs, if it is another
    /// one.
    #[schema(required, value_type = Option<String>)]
    #[cfg_attr(feature = "ts", ts(as = "Option<String>"))]
    pub instance: Option<InstanceId>,
}

/// Action in Latchkey that helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum NextStep {
    /// Make a new link for the person.
    MakeLink,
    /// Replace the secret of the instance.
    ReplaceSecret,
    /// Inspect the code at the instance of the hint.
    OpenInstance,
}

impl Hint {
    pub(super) fn new(
        code: HintCode,
        title: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            next: match code {
                HintCode::SecretIsBase64
                | HintCode::SecretIsHex
                | HintCode::SecretIsText
                | HintCode::SecretHasQuotes
                | HintCode::SecretHasInvisibleCharacters => Some(NextStep::ReplaceSecret),
                HintCode::SignedByOtherInstance => Some(NextStep::OpenInstance),
                HintCode::CodeCutOff => None,
                _ => Some(NextStep::MakeLink),
            },
            code,
            title: title.into(),
            message: message.into(),
            instance: None,
        }
    }
}

/// An instance of the same administrator that does not judge the code.
#[derive(Debug)]
pub struct OtherInstance {
    /// ID of the instance.
    pub id: InstanceId,
    /// Name of the instance.
    pub name: String,
    /// URL of the instance.
    pub url: BaseUrl,
    /// Signature algorithm.
    pub algorithm: Algorithm,
    /// Signing keys that verify, if they can be read.
    pub keys: Vec<SigningKey>,
}

/// A code, and everything that its cause may depend on.
#[derive(Debug)]
pub struct Case<'a> {
    /// Parts of the code.
    pub shown: &'a UnverifiedCode,
    /// Result of the verification, if there was a key.
    pub judged: Option<&'a Judged>,
    /// Address that carries the code, if it was in a link or a tag.
    pub address: Option<&'a Url>,
    /// URL of the instance that judges the code.
    pub url: Option<&'a BaseUrl>,
    /// Query parameter that the instance reads.
    pub parameter: &'a str,
    /// Keys that the code was verified with.
    pub keys: &'a [&'a SigningKey],
    /// Other instances of the administrator.
    pub others: &'a [OtherInstance],
}

/// Returns the known causes, the most important first. The result depends only on the input, and
/// not on the time.
#[must_use]
pub fn diagnose(case: &Case<'_>) -> Vec<Hint> {
    let mut hints = Vec::new();
    let is_verified = matches!(case.judged, Some(Ok(_)));
    let is_doubtful = match case.judged {
        None => true,
        Some(judged) => matches!(
            judged,
            Err(CodeRefusal::BadSignature
                | CodeRefusal::UnsupportedAlgorithm { .. }
                | CodeRefusal::MalformedCode { .. })
        ),
    };
    if is_doubtful {
        hints.extend(signature(case));
    }
    if !is_verified {
        hints.extend(times(case.shown));
    }
    let fault = host(case).or_else(|| parameter(case));
    // The instance that signed the code may be the one that the link leads to. One hint says both.
    let is_said = |fault: &Hint| {
        fault.instance.is_some() && hints.iter().any(|hint| hint.instance == fault.instance)
    };
    if let Some(fault) = fault.filter(|fault| !is_said(fault)) {
        hints.push(fault);
    }
    hints
}

/// Returns whether the link does not open at the instance, so that a forecast is about its code
/// in a link of the instance.
#[must_use]
pub fn opens_elsewhere(hints: &[Hint]) -> bool {
    let mut codes = hints.iter().map(|hint| hint.code);
    codes.any(|code| matches!(code, HintCode::OtherHost | HintCode::OtherParameter))
}

/// Finds the instance or the form of the secret that the code was signed with.
fn signature(case: &Case<'_>) -> Option<Hint> {
    let shown = case.shown;
    let algorithm = shown.algorithm()?;
    if shown.is_plain_base64() {
        return Some(Hint::new(
            HintCode::PlainBase64,
            "The code is in plain base64",
            "It must be in base64url: '-' in place of '+', '_' in place of '/', and no '='. Correct the program that makes the codes.",
        ));
    }
    let expected = algorithm.signature_chars();
    if shown.signature.len() < expected {
        return Some(Hint::new(
            HintCode::CodeCutOff,
            "The end of the code is missing",
            format!(
                "Its signature has {} of {expected} characters. Copy the whole link again.",
                shown.signature.len()
            ),
        ));
    }
    let signed_with = |key: &[u8]| shown.is_signed_with(key);
    if case.keys.iter().any(|key| signed_with(key.bytes())) {
        return None;
    }
    let other = case.others.iter().find(|other| {
        let mut keys = other.keys.iter();
        keys.any(|key| signed_with(key.bytes()))
    });
    if let Some(other) = other {
        let mut hint = Hint::new(
            HintCode::SignedByOtherInstance,
            format!("The code was made for '{}'", other.name),
            format!(
                "It is signed with the secret of that instance, which is at {}.{}",
                other.url.authority(),
                // Without a URL, no instance judges the code.
                case.url
                    .map_or("", |_| " Open it there, or make a new link here."),
            ),
        );
        hint.instance = Some(other.id.clone());
        return Some(hint);
    }
    case.keys
        .iter()
        .find_map(|key| secret_form(key, &signed_with))
}

/// Finds the form in which a stored secret matches the signature.
fn secret_form(key: &SigningKey, signed_with: &dyn Fn(&[u8]) -> bool) -> Option<Hint> {
    const REPLACE: &str = "Replace the secret.";
    let text = key.secret().expose();
    let visible: String = text
        .chars()
        .filter(|c| !crate::protocol::code::invisible::is_invisible(*c))
        .collect();
    let unquoted = unquoted(visible.trim());
    let decoded = |text: &str, encoding: SecretEncoding| {
        let bytes = encoding.decode(text).ok();
        bytes.is_some_and(|bytes| !bytes.is_empty() && signed_with(&bytes))
    };
    let kept = |code, title, message| Some(Hint::new(code, title, format!("{message} {REPLACE}")));
    if decoded(visible.trim(), SecretEncoding::Text) && key.encoding().is_text() {
        return kept(
            HintCode::SecretHasInvisibleCharacters,
            "The secret has invisible characters",
            "The code verifies without them.",
        );
    }
    if let Some(unquoted) = unquoted
        && decoded(unquoted, SecretEncoding::Text)
    {
        return kept(
            HintCode::SecretHasQuotes,
            "The secret was pasted with its quotes",
            "The code verifies without them.",
        );
    }
    let bare = unquoted.unwrap_or(visible.trim());
    if decoded(bare, SecretEncoding::Base64) {
        return kept(
            HintCode::SecretIsBase64,
            "The secret is in base64",
            "The code verifies with the decoded key. Choose the encoding base64 for it.",
        );
    }
    if decoded(bare, SecretEncoding::Hex) {
        return kept(
            HintCode::SecretIsHex,
            "The secret is in hexadecimal",
            "The code verifies with the decoded key. Choose the encoding hex for it.",
        );
    }
    if !key.encoding().is_text() && decoded(text, SecretEncoding::Text) {
        return kept(
            HintCode::SecretIsText,
            "The secret is a text",
            "The code verifies with the secret as it is written. Choose the encoding text for it.",
        );
    }
    signed_form(key, signed_with)
}

/// Finds a change that the signing program has made to the secret.
fn signed_form(key: &SigningKey, signed_with: &dyn Fn(&[u8]) -> bool) -> Option<Hint> {
    use base64::Engine as _;
    use base64::prelude::{
        BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD,
    };

    let bytes = key.bytes();
    let with = |before: &[u8], after: &[u8]| {
        let form = zeroize::Zeroizing::new([before, bytes, after].concat());
        signed_with(&form)
    };
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let hex: String = digits
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect();
    let base64 = [
        BASE64_STANDARD,
        BASE64_STANDARD_NO_PAD,
        BASE64_URL_SAFE,
        BASE64_URL_SAFE_NO_PAD,
    ];
    let is_base64 = || {
        let mut forms = base64.iter().map(|engine| engine.encode(bytes));
        forms.any(|form| signed_with(form.as_bytes()))
    };
    let (code, what) = if with(b"", b"\n") || with(b"", b"\r\n") {
        (HintCode::SignedWithLineEnd, "a line end after the secret")
    } else if with("\u{FEFF}".as_bytes(), b"") || with("\u{FEFF}".as_bytes(), b"\n") {
        (
            HintCode::SignedWithByteOrderMark,
            "a byte order mark before the secret",
        )
    } else if with(b"\"", b"\"") || with(b"'", b"'") {
        (HintCode::SignedWithQuotes, "quotes around the secret")
    } else if is_base64() {
        (HintCode::SignedWithBase64, "the secret in base64")
    } else if signed_with(hex.as_bytes()) || signed_with(hex.to_uppercase().as_bytes()) {
        (HintCode::SignedWithHex, "the secret in hexadecimal")
    } else {
        return None;
    };
    Some(Hint::new(
        code,
        format!("The code was signed with {what}"),
        "Correct the program that makes the codes: the secret itself is the key, without anything added.",
    ))
}

/// Returns a text without its surrounding quotes. `None` if it has none.
fn unquoted(text: &str) -> Option<&str> {
    [
        ('"', '"'),
        ('\'', '\''),
        ('`', '`'),
        ('“', '”'),
        ('„', '“'),
        ('‘', '’'),
        ('«', '»'),
    ]
    .into_iter()
    .find_map(|(open, close)| text.strip_prefix(open)?.strip_suffix(close))
}

/// Finds times in other units than seconds. Read as seconds, they would be thousands of years
/// ahead.
fn times(shown: &UnverifiedCode) -> Option<Hint> {
    const UNITS: [(f64, HintCode, &str, &str); 2] = [
        (1e3, HintCode::TimesInMilliseconds, "milliseconds", "1,000"),
        (
            1e6,
            HintCode::TimesInMicroseconds,
            "microseconds",
            "1,000,000",
        ),
    ];
    let claims = shown.claims_json.as_ref()?;
    let time = |member: &'static str| Some((member, claims.get(member).and_then(Value::as_f64)?));
    let given: Vec<(&str, f64)> = ["iat", "nbf", "exp"].into_iter().filter_map(time).collect();
    // Accepts times from 1973 to 5138 in the unit.
    let in_unit = |value: f64, unit: f64| (1e8..1e11).contains(&(value / unit)) && value >= 1e11;
    UNITS.into_iter().find_map(|(unit, code, name, factor)| {
        let wrong: Vec<(&str, f64)> = given
            .iter()
            .copied()
            .filter(|(_, value)| in_unit(*value, unit))
            .collect();
        let (last, value) = wrong.last()?;
        #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
        let at = time::exact((value / unit).floor() as i64);
        let names: Vec<String> = wrong.iter().map(|(name, _)| format!("'{name}'")).collect();
        let javascript = if code == HintCode::TimesInMilliseconds {
            " In JavaScript: Math.floor(Date.now() / 1000)."
        } else {
            ""
        };
        Some(Hint::new(
            code,
            format!("The times in this code are in {name}"),
            format!(
                "They must be in seconds: divide {} by {factor} where the code is made.{javascript} '{last}' is then {at}.",
                names.join(" and ")
            ),
        ))
    })
}

/// Finds a link that leads to another address than that of the instance.
fn host(case: &Case<'_>) -> Option<Hint> {
    let (address, url) = (case.address?, case.url?);
    let leads_to = BaseUrl::parse(address.as_str()).ok()?;
    let is_host = leads_to.authority().eq_ignore_ascii_case(url.authority());
    if is_host && leads_to.is_https() == url.is_https() {
        return None;
    }
    // The scheme is named only if it makes the difference.
    let named = |url: &BaseUrl| match (is_host, url.is_https()) {
        (false, _) => url.authority().to_owned(),
        (true, true) => format!("https://{}", url.authority()),
        (true, false) => format!("http://{}", url.authority()),
    };
    let owner = case.others.iter().find(|other| {
        let url = &other.url;
        url.authority().eq_ignore_ascii_case(leads_to.authority())
            && url.is_https() == leads_to.is_https()
    });
    let whose = owner.map_or_else(String::new, |other| format!(", which is '{}'", other.name));
    let mut hint = Hint::new(
        HintCode::OtherHost,
        format!("The link leads to {}", named(&leads_to)),
        format!(
            "This instance is at {}, and the link opens {}{whose}. Make a new link, or correct the instance's URL.",
            named(url),
            named(&leads_to),
        ),
    );
    if let Some(owner) = owner {
        hint.next = Some(NextStep::OpenInstance);
        hint.instance = Some(owner.id.clone());
    }
    Some(hint)
}

/// Finds a link that has the code in another query parameter than the one that the instance reads.
fn parameter(case: &Case<'_>) -> Option<Hint> {
    // Without a URL, no instance judges the code.
    case.url?;
    // The address ends before the code.
    let before = case.address?.as_str().strip_suffix('=')?;
    let name = before.rsplit(['?', '&', '#', '/']).next()?;
    (name != case.parameter).then(|| {
        Hint::new(
            HintCode::OtherParameter,
            format!("The link has the code in the parameter '{name}'"),
            format!(
                "This instance reads the parameter '{}', so the link signs nobody in. Make a new link, or correct the parameter in the settings of the instance.",
                case.parameter
            ),
        )
    })
}
