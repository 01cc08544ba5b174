//! E-mail addresses. They are kept as written and compared by their [`Email::key`].

use std::borrow::Cow;
use std::fmt;

use email_address::{EmailAddress, Options};
use icu_normalizer::ComposingNormalizerBorrowed;
use idna::AsciiDenyList;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Error, Result};

/// An e-mail address as written, without surrounding white space.
///
/// Two addresses are equal if their [keys](Self::key) are equal.
#[derive(Clone, Debug)]
pub struct Email(String);

impl Email {
    /// Parses an address. `field` is the field of the error.
    pub fn parse(text: &str, field: &str) -> Result<Self> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Error::member(
                field,
                "The email is empty. Enter an address such as ada@yourcompany.com.",
            ));
        }
        let options = Options::default().without_display_text();
        // The checker accepts letters, but no combining accents.
        EmailAddress::parse_with_options(&composed(text), options).map_err(|cause| {
            let message = "This is not an email address. Enter one such as ada@yourcompany.com.";
            Error::member(field, message).because(cause)
        })?;
        Ok(Self(text.to_owned()))
    }

    /// Wraps an address that [`parse`](Self::parse) accepted when it was stored, without checking
    /// it again.
    #[must_use]
    pub fn from_kept(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Returns the address as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the text by which addresses are compared and found.
    ///
    /// The domain is a list of A-labels (IDNA, UTS 46). The part before the `@` is in Unicode's
    /// form NFC. ASCII letters are lower-case; no other letter is folded.
    #[must_use]
    pub fn key(&self) -> String {
        let text = &self.0;
        if text.is_ascii() {
            return text.to_ascii_lowercase();
        }
        let (local, domain) = text.rsplit_once('@').unwrap_or((text, ""));
        let mut key = composed(local);
        key.make_ascii_lowercase();
        key.push('@');
        match idna::domain_to_ascii_cow(domain.as_bytes(), AsciiDenyList::EMPTY) {
            Ok(labels) => key.push_str(&labels),
            // It is not a domain name, so no other spelling of it is known.
            Err(_) => key.push_str(&composed(domain).to_ascii_lowercase()),
        }
        key
    }
}

/// Returns the text that a search matches for an address: its key, by which users are sorted, then
/// the domain in Unicode and the address as written, if they differ.
#[must_use]
pub fn searchable(text: &str) -> Cow<'_, str> {
    // A-labels contain `--`, and other text hardly ever does.
    if text.is_ascii() && !text.contains("--") {
        return Cow::Borrowed(text);
    }
    let key = Email::from_kept(text).key();
    let (local, domain) = key.rsplit_once('@').unwrap_or((&key, ""));
    let (domain, _) = idna::domain_to_unicode(domain);
    let unicode = format!("{local}@{domain}");
    let mut searchable = key.clone();
    for other in [unicode.as_str(), text] {
        if !searchable.contains(other) {
            searchable.push(' ');
            searchable.push_str(other);
        }
    }
    Cow::Owned(searchable)
}

/// Returns a text in NFC, but keeps the characters that NFC turns into ASCII. Otherwise the Kelvin
/// sign would reach an address that people read as `kate`.
fn composed(text: &str) -> String {
    /// Greek question mark, Greek varia and Kelvin sign. A test checks that there are no others.
    const BECOME_ASCII: [char; 3] = ['\u{37e}', '\u{1fef}', '\u{212a}'];
    let normalizer = ComposingNormalizerBorrowed::new_nfc();
    let parts = text.split_inclusive(BECOME_ASCII).map(|part| {
        let sign = part
            .chars()
            .next_back()
            .filter(|sign| BECOME_ASCII.contains(sign));
        let before = part.trim_end_matches(BECOME_ASCII);
        let mut composed = normalizer.normalize(before).into_owned();
        composed.extend(sign);
        composed
    });
    parts.collect()
}

impl PartialEq for Email {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Email {}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Email {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Does not check the address again, so it is only for what was serialized.
impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> String {
        Email::parse(text, "email").expect(text).key()
    }

    #[test]
    fn addresses_that_differ_only_by_ascii_case_are_equal_and_kept_as_written() {
        let ada = Email::parse(" Ada@YourCompany.com ", "email").unwrap();
        assert_eq!(ada.as_str(), "Ada@YourCompany.com");
        assert_eq!(ada, Email::parse("ada@yourcompany.com", "email").unwrap());
    }

    #[test]
    fn only_ascii_letters_are_folded() {
        for (a, b) in [
            ("\u{212a}ate@victim.example", "kate@victim.example"),
            ("\u{c9}va@b.example", "\u{e9}va@b.example"),
            ("\u{130}da@b.example", "ida@b.example"),
            ("\u{131}da@b.example", "ida@b.example"),
            ("stra\u{df}e@b.example", "strasse@b.example"),
            ("\u{ff4b}ate@b.example", "kate@b.example"),
            ("\u{17f}am@b.example", "sam@b.example"),
            ("ada@stra\u{df}e.example", "ada@strasse.example"),
        ] {
            assert_ne!(key(a), key(b), "{a} {b}");
        }
    }

    #[test]
    fn a_domain_in_unicode_equals_its_a_labels() {
        for (a, b) in [
            ("ada@b\u{fc}cher.example", "ada@xn--bcher-kva.example"),
            ("ada@B\u{dc}CHER.example", "Ada@XN--BCHER-KVA.Example"),
            ("ada@bu\u{308}cher.example", "ada@b\u{fc}cher.example"),
            ("ren\u{e9}@b.example", "rene\u{301}@b.example"),
            ("\u{c5}sa@b.example", "\u{212b}sa@b.example"),
        ] {
            assert_eq!(key(a), key(b), "{a} {b}");
        }
    }

    #[test]
    fn no_letter_outside_ascii_becomes_one_of_ascii() {
        for sign in ('\u{80}'..=char::MAX).map(String::from) {
            assert!(!composed(&sign).is_ascii(), "{}", sign.escape_unicode());
        }
        assert_eq!(
            composed("a\u{212a}\u{212a}e\u{301}\u{37e}"),
            "a\u{212a}\u{212a}\u{e9}\u{37e}"
        );
    }

    #[test]
    fn a_text_that_is_not_an_address_is_refused_with_its_field() {
        for text in [
            "",
            "  ",
            "ada",
            "@b.c",
            "a@",
            "a b@c.de",
            "Ada <ada@b.c>",
            "a@b@c",
            "a@b..c",
            "a\u{0}@b.c",
        ] {
            let refused = Email::parse(text, "user.email").expect_err(text);
            assert_eq!(refused.field.as_deref(), Some("user.email"), "{text}");
        }
    }
}
