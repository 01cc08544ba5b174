//! Removal of characters around a link that stick to its code.

use std::borrow::Cow;

use super::invisible::is_invisible;

/// Removes everything from both ends of a text that cannot be part of a code: punctuation, quotes,
/// brackets and white space, also percent-encoded. Removes white space and invisible characters
/// inside.
///
/// A full stop separates the parts of a code, so it is removed only at the ends.
#[must_use]
pub fn trim(code: &str) -> Cow<'_, str> {
    let mut rest = code;
    loop {
        let cut = rest.trim_matches(|c| !is_of_code(c) || c == '.');
        let cut = without_encoded_end(cut);
        if cut.len() == rest.len() {
            break;
        }
        rest = cut;
    }
    let takes_no_room = |c: char| c.is_whitespace() || is_invisible(c);
    if rest.contains(takes_no_room) {
        return Cow::Owned(rest.replace(takes_no_room, ""));
    }
    Cow::Borrowed(rest)
}

/// Returns whether a character belongs to base64url with padding, or is the full stop between the
/// parts. Padding is kept, because a code with padding is refused.
fn is_of_code(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=')
}

/// Removes a percent-encoded byte at the end: `%20`, or what one round leaves of `%2520`.
fn without_encoded_end(text: &str) -> &str {
    let Some((start, digits)) = text.rsplit_once('%') else {
        return text;
    };
    let is_byte = matches!(digits.len(), 2 | 4)
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        && (digits.len() == 2 || digits.starts_with("25"));
    if is_byte { start } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "eyJhbGciOiJIUzI1NiJ9.eyJpZCI6MX0.c2ln";

    #[test]
    fn characters_around_a_code_are_removed() {
        for after in [
            "",
            ".",
            "...",
            ",",
            ";",
            ":",
            "!",
            "?",
            ")",
            ").",
            "]",
            "}",
            ">",
            "\"",
            "'",
            "*",
            "`",
            " ",
            "\n",
            "\t",
            "\u{a0}",
            "%20",
            "%3E",
            "%3e.",
            "%2520",
            "%22%3E",
            "\u{200b}",
            "\u{feff}",
            "\u{2019}",
            "\u{201d}.",
            "\u{bb}",
            "\u{2026}",
            "\u{2060})",
        ] {
            let text = format!("{CODE}{after}");
            assert_eq!(trim(&text), CODE, "{after:?} after it");
        }
        for before in ["\"", "'", "<", "(", " ", "\u{feff}", "\u{201c}", "\u{200b}"] {
            let text = format!("{before}{CODE}");
            assert_eq!(trim(&text), CODE, "{before:?} before it");
        }
    }

    #[test]
    fn white_space_and_invisible_characters_inside_are_removed() {
        for inside in ["\u{200b}", "\u{ad}", " ", "\r\n ", "\u{2060}\u{feff}"] {
            let (a, b) = CODE.split_at(13);
            assert_eq!(trim(&format!("{a}{inside}{b}")), CODE, "{inside:?}");
        }
    }

    #[test]
    fn characters_that_could_belong_to_the_code_are_kept() {
        for code in [
            CODE,
            "eyJ9.e30.c2ln=",
            "eyJ9.e3!0.c2ln",
            "eyJ9..c2ln",
            "eyJ9.e30.c2%lnx",
            "eyJ9.e\u{e9}0.c2ln",
        ] {
            assert_eq!(trim(code), code);
        }
        for nothing in ["", ".", "\u{200b}", "%%%"] {
            assert_eq!(trim(nothing), "", "{nothing:?}");
        }
    }
}
