//! Search for possible codes in one layer of a text.

use serde_json::Value;
use url::Url;

use super::found::{Form, MAX_CANDIDATES, Recognized};
use super::layers::Layer;
use super::unverified::json_part;
use super::{Algorithm, MAX_BYTES};
use crate::link::widget;

/// Maximum number of possible codes in one layer whose header cannot be decoded.
const MAX_SHAPED: usize = 8;

/// Likelihood that a possible code is one, the best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// Header and claims are JSON, and the signature has the right length.
    Whole,
    /// Header and claims are JSON.
    Readable,
    /// The text has three parts and begins like a code.
    Shaped,
}

/// A possible code, and the values by which candidates are sorted.
pub(super) struct Candidate {
    pub(super) found: Recognized,
    pub(super) rank: Rank,
    /// Position in the pasted text.
    pub(super) origin: usize,
}

/// Text of a layer without white space, and without quotation marks at the beginning of lines.
pub(super) struct Words<'a> {
    layer: &'a Layer,
    bytes: Vec<u8>,
    /// Index of each byte in the layer.
    at: Vec<usize>,
    /// Whether a code can begin at each byte: after a break, or after a character that is neither
    /// letter nor digit.
    begins: Vec<bool>,
    /// Whether there is a break before each byte.
    breaks: Vec<bool>,
    /// For each byte, the index of the next byte that cannot be part of a code.
    stops: Vec<usize>,
    /// For each byte, the index of the next byte that cannot be part of plain base64 either.
    plain_stops: Vec<usize>,
}

impl<'a> Words<'a> {
    pub(super) fn of(layer: &'a Layer) -> Self {
        let mut words = Self {
            layer,
            bytes: Vec::new(),
            at: Vec::new(),
            begins: Vec::new(),
            breaks: Vec::new(),
            stops: Vec::new(),
            plain_stops: Vec::new(),
        };
        let mut is_break = true;
        let mut begins_line = true;
        for (at, &byte) in layer.bytes.iter().enumerate() {
            if byte.is_ascii_whitespace() || (begins_line && matches!(byte, b'>' | b'|')) {
                is_break = true;
                begins_line |= byte == b'\n' || byte == b'\r';
                continue;
            }
            let after_letter = words.bytes.last().is_some_and(u8::is_ascii_alphanumeric);
            words.bytes.push(byte);
            words.at.push(at);
            words.begins.push(is_break || !after_letter);
            words.breaks.push(is_break);
            is_break = false;
            begins_line = false;
        }
        words.stops = stops(&words.bytes, is_code);
        words.plain_stops = stops(&words.bytes, |byte| is_code(byte) || is_plain(byte));
        words
    }

    pub(super) fn candidates(&self, is_first: bool, budget: &mut usize) -> Vec<Candidate> {
        let mut found = Vec::new();
        let mut shaped = 0;
        let mut at = 0;
        while let Some(next) = self
            .bytes
            .get(at..)
            .and_then(|rest| memchr::memchr(b'e', rest))
        {
            let start = at + next;
            at = start + 1;
            if self.begins.get(start) != Some(&true) || !is_header(self.bytes.get(start..)) {
                continue;
            }
            let Some((end, rank)) = self.code_at(start, budget) else {
                continue;
            };
            if rank == Rank::Shaped {
                shaped += 1;
                if shaped > MAX_SHAPED {
                    continue;
                }
            } else {
                at = end.max(at);
            }
            found.extend(self.candidate(start, end, rank, is_first));
            if found.len() >= MAX_CANDIDATES {
                break;
            }
        }
        found
    }

    /// Returns the end of the code that begins at `start`. Header and claims may be broken into
    /// lines. The length of the signature is that of its algorithm.
    fn code_at(&self, start: usize, budget: &mut usize) -> Option<(usize, Rank)> {
        let header_end = self.part_end(start)?;
        let claims_end = self.part_end(header_end + 1)?;
        let header = self.bytes.get(start..header_end)?;
        let claims = self.bytes.get(header_end + 1..claims_end)?;
        let signature = claims_end + 1;
        let unbroken = self.unbroken_end(signature);
        let cost = unbroken - start;
        if cost > *budget {
            return None;
        }
        *budget -= cost;
        let in_plain_base64 = [header, claims]
            .iter()
            .any(|part| part.iter().any(|byte| is_plain(*byte)));
        let object = |part: &[u8]| match str::from_utf8(part).ok().and_then(json_part) {
            Some(Value::Object(members)) => Some(members),
            _ => None,
        };
        let Some(header) = object(header) else {
            // A path or a sum is not a code.
            return (!in_plain_base64).then_some((unbroken, Rank::Shaped));
        };
        let algorithm = header.get("alg").and_then(Value::as_str);
        let length = algorithm
            .and_then(|name| name.parse::<Algorithm>().ok())
            .map(Algorithm::signature_chars);
        let end = self.signature_end(signature, length);
        let has_claims = object(claims).is_some();
        if in_plain_base64 && !has_claims {
            return None;
        }
        let rank = if !has_claims {
            Rank::Shaped
        } else if length.is_some_and(|length| signature + length != end) {
            Rank::Readable
        } else {
            Rank::Whole
        };
        Some((end, rank))
    }

    /// Returns the index of the dot after a part. The part must not be empty or longer than any
    /// code.
    fn part_end(&self, start: usize) -> Option<usize> {
        let mut stop = *self.stops.get(start)?;
        if self.bytes.get(stop).is_some_and(|byte| is_plain(*byte)) {
            stop = *self.plain_stops.get(start)?;
        }
        let length = stop - start;
        let rest = self.bytes.get(stop..)?;
        let padding = rest.iter().take_while(|byte| **byte == b'=').count();
        let end = stop + padding;
        ((1..=4 * MAX_BYTES).contains(&length) && padding < 3 && self.bytes.get(end) == Some(&b'.'))
            .then_some(end)
    }

    /// Returns the end of the characters of a code after `start`, up to a break.
    fn unbroken_end(&self, start: usize) -> usize {
        let stop = self.stops.get(start).copied().unwrap_or(start);
        let after_first = self.breaks.get(start + 1..stop).unwrap_or_default();
        let break_at = after_first.iter().position(|is_break| *is_break);
        break_at.map_or(stop, |before| start + 1 + before)
    }

    /// Returns the end of a signature of `length` characters, which may be broken into lines. With
    /// fewer characters, the end of the code is missing. With more characters in one piece, the
    /// code was changed, unless the surplus is marks of emphasis.
    fn signature_end(&self, start: usize, length: Option<usize>) -> usize {
        let unbroken = self.unbroken_end(start);
        let Some(whole) = length.map(|length| start + length) else {
            return unbroken;
        };
        let all = |from, to, test: fn(u8) -> bool| {
            let bytes = self.bytes.get(from..to);
            bytes.is_some_and(|bytes| bytes.iter().all(|byte| test(*byte)))
        };
        let is_emphasis = |byte| matches!(byte, b'_' | b'-');
        let is_whole = if unbroken > whole {
            all(whole, unbroken, is_emphasis)
        } else {
            all(start, whole, |byte| is_code(byte) || is_plain(byte))
        };
        if is_whole { whole } else { unbroken }
    }

    fn candidate(&self, start: usize, end: usize, rank: Rank, is_first: bool) -> Option<Candidate> {
        let code = str::from_utf8(self.bytes.get(start..end)?).ok()?.to_owned();
        let at = *self.at.get(start)?;
        let address = self.layer.address_before(at);
        let is_all = start == 0 && end == self.bytes.len();
        let form = if is_first && is_all {
            Form::Bare
        } else if self.layer.follows_attribute(at) {
            Form::WidgetTag
        } else if address.is_some() && self.is_one_link(start, end) {
            Form::Url
        } else {
            Form::Text
        };
        Some(Candidate {
            found: Recognized {
                code,
                form,
                address,
                others: 0,
            },
            rank,
            origin: *self.layer.origin.get(at)?,
        })
    }

    /// Returns whether the text is a single link, without another one inside, that carries the
    /// code.
    fn is_one_link(&self, start: usize, end: usize) -> bool {
        let before = self.bytes.get(..start).unwrap_or_default();
        let is_link = ["http://", "https://"].iter().any(|scheme| {
            let begin = before.get(..scheme.len());
            begin.is_some_and(|begin| begin.eq_ignore_ascii_case(scheme.as_bytes()))
                && memchr::memmem::rfind(before, b"://") == Some(scheme.len() - 3)
        });
        let rest = self.bytes.get(end..).unwrap_or_default();
        is_link && (rest.is_empty() || rest.starts_with(b"&") || rest.starts_with(b"#"))
    }
}

impl Layer {
    /// Returns the address, up to the code, of the link that contains a code at `end`. If an
    /// address contains another address, returns the inner one.
    fn address_before(&self, end: usize) -> Option<Url> {
        const LONGEST: usize = 2_048;
        let before = self.bytes.get(end.saturating_sub(LONGEST)..end)?;
        let begin = memchr::memmem::rfind(before, b"://")?;
        let scheme = ["https", "http"].into_iter().find(|scheme| {
            let name = before.get(begin.saturating_sub(scheme.len())..begin);
            name.is_some_and(|name| name.eq_ignore_ascii_case(scheme.as_bytes()))
        })?;
        let mut address = scheme.to_owned();
        let mut begins_line = false;
        for &byte in before.get(begin..)? {
            match byte {
                b'\n' | b'\r' => begins_line = true,
                // Quotation marks and indentation belong to the line and not to the address.
                b' ' | b'\t' | b'>' | b'|' if begins_line => {}
                b' ' | b'\t' | b'"' | b'\'' | b'<' | b'>' | b'`' | 0 => return None,
                byte => {
                    begins_line = false;
                    address.push(char::from(byte));
                }
            }
        }
        Url::parse(&address).ok()
    }

    /// Returns whether the code at `at` is the value of a widget tag's attribute.
    fn follows_attribute(&self, at: usize) -> bool {
        let before = self.bytes.get(..at).unwrap_or_default();
        let before = before.trim_ascii_end();
        let before = before
            .strip_suffix(b"\"")
            .or(before.strip_suffix(b"'"))
            .unwrap_or(before);
        let before = before.trim_ascii_end();
        let Some(before) = before.strip_suffix(b"=") else {
            return false;
        };
        before
            .trim_ascii_end()
            .ends_with(widget::CODE_ATTRIBUTE.as_bytes())
    }
}

/// Returns for each byte the index of the next byte, itself included, that is not a letter.
fn stops(bytes: &[u8], is_letter: impl Fn(u8) -> bool) -> Vec<usize> {
    let mut stop = bytes.len();
    let mut stops = vec![stop; stop];
    for ((at, byte), next) in bytes.iter().enumerate().zip(&mut stops).rev() {
        if !is_letter(*byte) {
            stop = at;
        }
        *next = stop;
    }
    stops
}

/// Returns whether a character belongs to plain base64 but not to base64url.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b'+' | b'/')
}

const fn is_code(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// Returns whether a text begins like a JSON object in base64url: `{"`, or `{` and white space.
fn is_header(text: Option<&[u8]>) -> bool {
    match text {
        Some([b'e', b'y', third, ..]) => matches!(third, b'A' | b'I'..=b'L'),
        Some([b'e', b'w', third, ..]) => matches!(third, b'k' | b'o' | b'0'),
        _ => false,
    }
}
