//! Search for codes in pasted text.

use html5gum::{Token, Tokenizer};
use jiff::Timestamp;
use url::Url;

use super::found::MAX_CANDIDATES;
pub use super::found::{Form, Recognized};
use super::layers::layers;
use super::words::{Candidate, Rank, Words};
use super::{CodeRefusal, CodeRules, VerifiedCode, verify};
use crate::link::short_code::is_short_link;
use crate::link::widget;
use crate::secret::SigningKey;
use crate::{Error, ErrorCode, Result};

/// Maximum length of a text in which codes are looked for, in bytes.
pub const MAX_TEXT_BYTES: usize = 1_024 * 1_024;

/// Maximum number of bytes of possible headers and claims that are decoded in one text. It bounds
/// the time for any text.
const MAX_DECODED: usize = 4 * 1_024 * 1_024;

/// Result of verifying one code.
pub type Judged = std::result::Result<Box<VerifiedCode>, CodeRefusal>;

/// Finds the code in a text: a bare code, a login link, a widget tag, or any text that contains
/// one, such as a mail, JSON or a shell command. Quotes, line breaks, invisible characters, and the
/// addresses of mail scanners around a link do not matter. `parameter` is the query parameter of a
/// login link.
///
/// If there are several codes, returns the first that looks whole.
///
/// Fails with [`ErrorCode::NoCode`], or with [`ErrorCode::InputTooLarge`] above [`MAX_TEXT_BYTES`].
pub fn recognize(text: &str, parameter: &str) -> Result<Recognized> {
    let mut candidates = candidates(text, parameter)?;
    Ok(candidates.swap_remove(0))
}

/// Finds the code in a text like [`recognize`] and verifies it. If there are several codes, returns
/// the first that verifies, else the first whose signature matches, else the first.
pub fn recognize_and_verify(
    text: &str,
    parameter: &str,
    keys: &[&SigningKey],
    rules: CodeRules<'_>,
    now: Timestamp,
) -> Result<(Recognized, Judged)> {
    let mut best: Option<(Recognized, Judged)> = None;
    for candidate in candidates(text, parameter)? {
        let judged = verify(&candidate.code, keys, rules, now).map(Box::new);
        if judged.is_ok() {
            return Ok((candidate, judged));
        }
        let better = best
            .as_ref()
            .is_none_or(|(_, best)| signature_matched(&judged) && !signature_matched(best));
        if better {
            best = Some((candidate, judged));
        }
    }
    best.ok_or_else(|| nothing_in(text, parameter))
}

/// Returns whether the signature of a code matched, so that its claims were judged.
fn signature_matched(judged: &Judged) -> bool {
    !matches!(
        judged,
        Err(CodeRefusal::MalformedCode { .. }
            | CodeRefusal::UnsupportedAlgorithm { .. }
            | CodeRefusal::WrongType
            | CodeRefusal::BadSignature)
    )
}

/// Returns all codes in a text in their order, those that look whole first. Fails if there are
/// none.
fn candidates(text: &str, parameter: &str) -> Result<Vec<Recognized>> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(Error::new(
            ErrorCode::InputTooLarge,
            "The text is longer than 1 MiB. Paste only the part with the code.",
        )
        .about("code"));
    }
    let mut found: Vec<Candidate> = Vec::new();
    let mut budget = MAX_DECODED;
    for (depth, layer) in layers(text).iter().enumerate() {
        for candidate in Words::of(layer).candidates(depth == 0, &mut budget) {
            let code = &candidate.found.code;
            if let Some(known) = found.iter_mut().find(|known| known.found.code == *code) {
                // A deeper layer has the address that the code really belongs to.
                if let Some(address) = candidate.found.address {
                    known.found.address = Some(address);
                }
            } else if found.len() < MAX_CANDIDATES {
                found.push(candidate);
            }
        }
    }
    // The sort is stable, so two readings of the same position stay in the order of their layers.
    found.sort_by_key(|candidate| (candidate.rank, candidate.origin));
    let whole = found
        .iter()
        .filter(|candidate| candidate.rank == Rank::Whole);
    let others = whole.count().saturating_sub(1);
    let mut found: Vec<Recognized> = found.into_iter().map(|candidate| candidate.found).collect();
    for found in &mut found {
        found.others = others;
    }
    if found.is_empty() {
        // The value of the parameter or of the attribute counts as the code, and is later refused
        // as malformed.
        let in_place = in_parameter(text, parameter).or_else(|| widget_tag(text));
        found.push(in_place.ok_or_else(|| nothing_in(text, parameter))?);
    }
    if found.iter().any(|found| found.form == Form::WidgetTag) {
        let script = widget_tag(text).and_then(|tag| tag.address);
        for found in found
            .iter_mut()
            .filter(|found| found.form == Form::WidgetTag)
        {
            found.address.clone_from(&script);
        }
    }
    Ok(found)
}

/// Returns the value of a link's parameter unchanged, whether or not it looks like a code.
fn in_parameter(text: &str, parameter: &str) -> Option<Recognized> {
    let joined: String = text.split_whitespace().collect();
    let url = Url::parse(&joined).ok()?;
    let fragment = url.fragment().unwrap_or_default();
    let fragment = fragment.trim_start_matches(['?', '/']);
    let (_, code) = url
        .query_pairs()
        .chain(url::form_urlencoded::parse(fragment.as_bytes()))
        .find(|(name, code)| name == parameter && !code.is_empty())?;
    Some(Recognized {
        code: code.into_owned(),
        form: Form::Url,
        address: Some(url),
        others: 0,
    })
}

/// Returns the first widget tag: its code unchanged, and the address of its script.
fn widget_tag(text: &str) -> Option<Recognized> {
    if !text.contains('<') {
        return None;
    }
    Tokenizer::new(text)
        .filter_map(std::result::Result::ok)
        .find_map(|token| {
            let Token::StartTag(tag) = token else {
                return None;
            };
            let attribute = |wanted: &str| {
                let mut attributes = tag.attributes.iter();
                let found = attributes.find(|(name, _)| name.0.as_slice() == wanted.as_bytes());
                found.map(|(_, value)| String::from_utf8_lossy(&value.0).into_owned())
            };
            let code = attribute(widget::CODE_ATTRIBUTE)?;
            (!code.trim().is_empty()).then(|| Recognized {
                code: code.split_whitespace().collect(),
                form: Form::WidgetTag,
                address: attribute("src").and_then(|address| Url::parse(&address).ok()),
                others: 0,
            })
        })
}

/// Returns the error for a text without a code. It says what the text is, and what was expected.
fn nothing_in(text: &str, parameter: &str) -> Error {
    let text = text.trim();
    let message = if text.is_empty() {
        "There is nothing here. Paste a code, a login link or a text that contains one.".to_owned()
    } else if is_short_link(text) {
        "This is a short link. Its code says nothing by itself: the ledger of its gateway has the link. Look for it there, by its person.".to_owned()
    } else if Url::parse(text).is_ok_and(|url| url.has_host()) {
        format!("The link has no code: neither in the parameter '{parameter}' nor in another one.")
    } else {
        "There is no code in this text. A code begins with 'ey' and has three parts with dots between them.".to_owned()
    };
    Error::new(ErrorCode::NoCode, message).about("code")
}
