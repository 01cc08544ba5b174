//! Cells of CSV that a spreadsheet would take for a formula.
//!
//! A cell that begins with one of [`is_trigger`]'s characters gets an apostrophe before it, which
//! spreadsheets take for the mark of text. An import removes it. A cell that begins with apostrophes
//! before such a character gets another one, so that every text survives both.

use std::borrow::Cow;

/// Returns whether a spreadsheet may take a cell that begins with this character for a formula.
const fn is_trigger(sign: char) -> bool {
    matches!(
        sign,
        '=' | '+'
            | '-'
            | '@'
            | '\t'
            | '\r'
            | '\n'
            | '\u{ff1d}'
            | '\u{ff0b}'
            | '\u{ff0d}'
            | '\u{ff20}'
    )
}

/// Returns whether the text is any number of apostrophes and then a trigger.
fn is_marked(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(is_trigger)
}

/// Returns the text as a cell that is no formula.
#[must_use]
pub fn harmless(text: &str) -> Cow<'_, str> {
    if is_marked(text) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Removes the apostrophe that [`harmless`] has added. Returns other cells unchanged.
#[must_use]
pub fn original(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if is_marked(text) => text,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_begins_like_a_formula_is_made_harmless_and_read_back() {
        for text in [
            "=1+1",
            "+49 30 1",
            "-5",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "\u{ff1d}1",
            "'=1",
            "''-x",
        ] {
            let cell = harmless(text);
            assert!(cell.starts_with('\''), "{text}");
            assert!(cell.len() == text.len() + 1, "{text}");
            assert_eq!(original(&cell), text);
        }
        for text in ["", "ada", "'ada'", "'", "1+1", " =1", "\u{e9}", "o'=brien"] {
            assert_eq!(harmless(text), text);
            assert_eq!(original(text), text);
        }
    }
}
