//! Decoding of pasted text, one level at a time.
//!
//! A mail program, a scanner or a shell escapes some characters of a link: `%3D`, `=3D`, `&amp;`,
//! `\/`. Each [`Layer`] has one more level of these escapes decoded. Decoders of other crates
//! cannot be used, because every byte must keep its position in the pasted text.

use std::iter;

use base64::Engine as _;

use super::invisible::is_invisible;
use super::lenient::LENIENT;

/// Maximum number of layers. A link that is nested in three scanner addresses has five.
const MAX_LAYERS: usize = 8;

/// Stands for a character that is neither part of a link nor separates words.
const OTHER: u8 = 0;

/// A text in ASCII, with the position of each byte in the pasted text.
#[derive(Default)]
pub(super) struct Layer {
    pub(super) bytes: Vec<u8>,
    pub(super) origin: Vec<usize>,
}

/// Returns the layers of a text, beginning with the text itself. A layer with HTML tags is followed
/// by a layer without them.
pub(super) fn layers(text: &str) -> Vec<Layer> {
    let mut layers = vec![Layer::of(text)];
    let mut depth = 0;
    while layers.len() < MAX_LAYERS {
        let Some(decoded) = layers.get(depth).and_then(Layer::decoded) else {
            break;
        };
        layers.push(decoded);
        depth += 1;
    }
    layers
        .into_iter()
        .flat_map(|layer| {
            let bare = layer.without_tags();
            iter::once(layer).chain(bare)
        })
        .collect()
}

impl Layer {
    fn of(text: &str) -> Self {
        let mut layer = Self::default();
        for (at, c) in text.char_indices() {
            layer.push(c, at);
        }
        layer
    }

    fn push(&mut self, c: char, origin: usize) {
        let byte = match c {
            _ if is_invisible(c) => return,
            '\u{0B}' | '\u{0C}' | '\u{85}' | '\u{2028}' | '\u{2029}' => b'\n',
            _ => match u8::try_from(c) {
                Ok(byte) if byte.is_ascii() => byte,
                _ if c.is_whitespace() => b' ',
                _ => OTHER,
            },
        };
        self.bytes.push(byte);
        self.origin.push(origin);
    }

    /// Decodes one level of all kinds of escapes. Returns `None` if there are none.
    fn decoded(&self) -> Option<Self> {
        let mut decoded = Self::default();
        let mut changed = false;
        let mut scanner = Scanner::None;
        let mut at = 0;
        while let Some((rest, &origin)) = self.bytes.get(at..).zip(self.origin.get(at)) {
            let Some(&byte) = rest.first() else { break };
            scanner = scanner.at(&decoded.bytes, byte);
            let before = at.checked_sub(1).and_then(|before| self.bytes.get(before));
            if let Some((text, length)) = scanner.escape(rest).or_else(|| escape(rest, before)) {
                changed = true;
                for c in text.chars() {
                    decoded.push(c, origin);
                }
                at += length;
            } else {
                decoded.bytes.push(byte);
                decoded.origin.push(origin);
                at += 1;
            }
        }
        changed.then_some(decoded)
    }

    /// Removes HTML tags, because a mail program puts `<wbr>` and `<span>` into long words.
    fn without_tags(&self) -> Option<Self> {
        let mut bare = Self::default();
        let mut at = 0;
        while let Some((rest, &origin)) = self.bytes.get(at..).zip(self.origin.get(at)) {
            if let Some(length) = tag(rest) {
                // Separates the words of two paragraphs.
                bare.push('\n', origin);
                at += length;
                continue;
            }
            let Some(&byte) = rest.first() else { break };
            bare.bytes.push(byte);
            bare.origin.push(origin);
            at += 1;
        }
        (bare.bytes.len() < self.bytes.len()).then_some(bare)
    }
}

/// Maximum length of an HTML tag, which bounds the time for a text with many opening brackets.
const MAX_TAG: usize = 1_024;

/// Returns the length of the tag at the beginning of a text.
fn tag(text: &[u8]) -> Option<usize> {
    let [b'<', next, ..] = text else { return None };
    if !next.is_ascii_alphabetic() && !b"/!".contains(next) {
        return None;
    }
    let inside = text.get(1..text.len().min(MAX_TAG))?;
    let end = memchr::memchr2(b'<', b'>', inside)?;
    (inside.get(end) == Some(&b'>')).then_some(end + 2)
}

/// A mail scanner that escapes addresses in its own way.
#[derive(Clone, Copy)]
enum Scanner {
    None,
    /// Proofpoint URL Defense v2 writes `%3A` as `-3A` and `/` as `_`.
    ProofpointV2,
}

impl Scanner {
    /// Returns the scanner whose escapes apply after the text `before`, which is followed by
    /// `next`.
    fn at(self, before: &[u8], next: u8) -> Self {
        match self {
            Self::None if next == b'h' && before.ends_with(b"/v2/url?u=") => Self::ProofpointV2,
            Self::ProofpointV2 if b"&\"'<>)]\0".contains(&next) => Self::None,
            _ => self,
        }
    }

    fn escape(self, text: &[u8]) -> Option<(String, usize)> {
        match (self, text.first()?) {
            (Self::None, _) => None,
            (Self::ProofpointV2, b'_') => Some(("/".to_owned(), 1)),
            (Self::ProofpointV2, _) => hex_escape(text, b'-'),
        }
    }
}

/// Decodes the escape at the beginning of a text. Returns the decoded characters and the length of
/// the escape.
fn escape(text: &[u8], before: Option<&u8>) -> Option<(String, usize)> {
    match *text.first()? {
        b'%' => hex_escape(text, b'%'),
        b'=' => soft_break(text).or_else(|| hex_escape(text, b'=')),
        // Line continuations of the two shells of Windows.
        b'^' | b'`' => soft_break(text),
        b'\\' => soft_break(text).or_else(|| backslash(text)),
        b'&' => entity(text),
        b'a' if !before.is_some_and(u8::is_ascii_alphanumeric) => base64_url(text),
        b'C' | b'c' if before.is_none_or(|before| *before == b'\n') => base64_body(text),
        _ => None,
    }
}

/// Decodes a line end after an escape character and spaces. It stands for no character.
fn soft_break(text: &[u8]) -> Option<(String, usize)> {
    let rest = text.get(1..)?;
    let spaces = rest
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
        .count();
    (rest.get(spaces) == Some(&b'\n')).then(|| (String::new(), spaces + 2))
}

/// Decodes hexadecimal bytes, each after `mark`, that together are one character in UTF-8.
fn hex_escape(text: &[u8], mark: u8) -> Option<(String, usize)> {
    let byte = |at: usize| match text.get(3 * at..3 * at + 3) {
        Some([first, high, low]) if *first == mark => hex(&[*high, *low]),
        _ => None,
    };
    let bytes = [
        byte(0)?,
        byte(1).unwrap_or(0),
        byte(2).unwrap_or(0),
        byte(3).unwrap_or(0),
    ];
    let length = match bytes[0] {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => 1,
    };
    let character = bytes
        .get(..length)
        .and_then(|bytes| str::from_utf8(bytes).ok());
    match character {
        Some(character) => Some((character.to_owned(), 3 * length)),
        None => Some((char::from(OTHER).to_string(), 3)),
    }
}

fn hex(digits: &[u8]) -> Option<u8> {
    u8::try_from(number(digits, 16)?).ok()
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let digits = str::from_utf8(digits).ok()?;
    let all = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    all.then(|| u32::from_str_radix(digits, radix).ok())?
}

/// Decodes an escape of JSON, JavaScript, a shell or Markdown.
fn backslash(text: &[u8]) -> Option<(String, usize)> {
    let of_code = |digits: usize| {
        let code = number(text.get(2..2 + digits)?, 16)?;
        Some((char::from_u32(code)?.to_string(), 2 + digits))
    };
    match *text.get(1)? {
        b'u' => of_code(4),
        b'x' => of_code(2),
        b'n' | b'r' => Some(("\n".to_owned(), 2)),
        b't' => Some((" ".to_owned(), 2)),
        sign if sign.is_ascii_punctuation() => Some((char::from(sign).to_string(), 2)),
        _ => None,
    }
}

/// Named character references of HTML that mail programs and editors write into links.
const ENTITIES: [(&str, char); 20] = [
    ("amp", '&'),
    ("quot", '"'),
    ("apos", '\''),
    ("lt", '<'),
    ("gt", '>'),
    ("nbsp", ' '),
    ("equals", '='),
    ("period", '.'),
    ("lowbar", '_'),
    ("hyphen", '-'),
    ("dash", '-'),
    ("sol", '/'),
    ("colon", ':'),
    ("quest", '?'),
    ("num", '#'),
    ("percnt", '%'),
    ("NewLine", '\n'),
    ("Tab", ' '),
    ("shy", '\u{AD}'),
    ("ZeroWidthSpace", '\u{200B}'),
];

/// Decodes a character reference of HTML.
fn entity(text: &[u8]) -> Option<(String, usize)> {
    let end = text.iter().take(18).position(|byte| *byte == b';')?;
    let name = text.get(1..end)?;
    let character = match name {
        [b'#', b'x' | b'X', digits @ ..] => char::from_u32(number(digits, 16)?)?,
        [b'#', digits @ ..] => char::from_u32(number(digits, 10)?)?,
        _ => {
            let named = ENTITIES.iter().find(|(known, _)| known.as_bytes() == name);
            named.map(|(_, character)| *character)?
        }
    };
    Some((character.to_string(), end + 1))
}

/// Maximum length of the headers of a mail part.
const MAX_MAIL_HEADERS: usize = 4 * 1_024;

/// Decodes the mail part after `Content-Transfer-Encoding: base64`, and skips the headers between.
fn base64_body(text: &[u8]) -> Option<(String, usize)> {
    const HEADER: &[u8] = b"Content-Transfer-Encoding:";
    let name = text.get(..HEADER.len())?;
    if !name.eq_ignore_ascii_case(HEADER) {
        return None;
    }
    let headers = text.get(..text.len().min(MAX_MAIL_HEADERS))?;
    let line_end = memchr::memchr(b'\n', headers)?;
    let value = headers.get(HEADER.len()..line_end)?;
    if !value.trim_ascii().eq_ignore_ascii_case(b"base64") {
        return None;
    }
    let mut begin = line_end + 1;
    loop {
        let end = begin + memchr::memchr(b'\n', headers.get(begin..)?)?;
        let is_blank = headers.get(begin..end)?.trim_ascii().is_empty();
        begin = end + 1;
        if is_blank {
            break;
        }
    }
    let is_body = |byte: &&u8| {
        byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || b"+/=".contains(byte)
    };
    let length = text.get(begin..)?.iter().take_while(is_body).count();
    let encoded: Vec<u8> = text
        .get(begin..begin + length)?
        .iter()
        .filter(|byte| !byte.is_ascii_whitespace() && **byte != b'=')
        .map(|byte| match byte {
            b'+' => b'-',
            b'/' => b'_',
            byte => *byte,
        })
        .collect();
    // A text that was cut may end in the middle of a group.
    let whole = encoded.len() - usize::from(encoded.len() % 4 == 1);
    let decoded = LENIENT.decode(encoded.get(..whole)?).ok()?;
    let body = String::from_utf8_lossy(&decoded);
    Some((format!("\n{body}\n"), begin + length))
}

/// Maximum length of an address in base64.
const MAX_BASE64: usize = 16 * 1_024;

/// Decodes an `http` address in base64, which some mail scanners use.
fn base64_url(text: &[u8]) -> Option<(String, usize)> {
    if !text.starts_with(b"aHR0c") {
        return None;
    }
    let is_base64 = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-_+/".contains(byte);
    let length = text.iter().take(MAX_BASE64).take_while(is_base64).count();
    let encoded: Vec<u8> = text
        .get(..length)?
        .iter()
        .map(|byte| match byte {
            b'+' => b'-',
            b'/' => b'_',
            byte => *byte,
        })
        .collect();
    let decoded = String::from_utf8(LENIENT.decode(encoded).ok()?).ok()?;
    Some((decoded, length))
}
