//! Text that is safe to print in a terminal. Headers, claims, names and arguments are not trusted.

use std::fmt::{Display, Write as _};

/// Printable text of several lines, with the characters of [`is_unsafe`] escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text(String);

impl Text {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds one line. Escapes line breaks in it, so that no part of it looks like another line.
    pub(crate) fn line(&mut self, line: impl Display) {
        self.add(&line.to_string(), |_| true);
        self.0.push('\n');
    }

    /// Adds one line of fields separated by tabs. Escapes tabs in the fields.
    pub(crate) fn row(&mut self, fields: &[&str]) {
        for (index, field) in fields.iter().enumerate() {
            if index > 0 {
                self.0.push('\t');
            }
            self.add(field, |_| true);
        }
        self.0.truncate(self.0.trim_end_matches('\t').len());
        self.0.push('\n');
    }

    /// Adds text with line breaks of the program, such as JSON.
    pub(crate) fn block(&mut self, block: impl Display) {
        self.add(&block.to_string(), |c| c != '\n');
        if !self.0.ends_with('\n') {
            self.0.push('\n');
        }
    }

    /// Adds text of the program with control sequences.
    pub(crate) fn own(&mut self, text: &str) {
        self.0.push_str(text);
    }

    /// Returns the text without a final line break.
    pub(crate) fn as_str(&self) -> &str {
        self.0.trim_end_matches('\n')
    }

    fn add(&mut self, text: &str, escaped: impl Fn(char) -> bool) {
        for c in text.chars() {
            match c {
                _ if !(is_unsafe(c) && escaped(c)) => self.0.push(c),
                '\n' => self.0.push_str("\\n"),
                '\r' => self.0.push_str("\\r"),
                '\t' => self.0.push_str("\\t"),
                _ => self.0.extend(c.escape_unicode()),
            }
        }
    }
}

/// Makes one line.
impl From<&str> for Text {
    fn from(line: &str) -> Self {
        let mut text = Self::new();
        text.line(line);
        text
    }
}

/// Makes one line.
impl From<String> for Text {
    fn from(line: String) -> Self {
        line.as_str().into()
    }
}

/// Escapes the characters of [`is_unsafe`] in JSON, without changing its meaning.
pub(crate) fn escaped_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if is_unsafe(c) && c != '\n' {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String does not fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Syntax of the content of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syntax {
    Csv,
    Json,
}

/// Escapes the characters of [`is_unsafe`] in a piece of a file's content, but for the ends of its
/// lines. Leaves out a byte order mark. The meaning of JSON does not change.
pub(crate) fn escaped_content(content: &[u8], syntax: Syntax) -> String {
    let content = String::from_utf8_lossy(content);
    let content = content.trim_start_matches('\u{feff}');
    match syntax {
        Syntax::Json => escaped_json(content),
        Syntax::Csv => {
            let mut text = Text::new();
            text.add(&content.replace("\r\n", "\n"), |c| c != '\n');
            text.0
        }
    }
}

/// Returns whether a character controls the terminal, changes the direction or the lines of the
/// text around it, or is invisible: control characters (C0, DEL, C1), line and paragraph
/// separators, and Unicode's format characters.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{600}'..='\u{605}'
                | '\u{61c}'
                | '\u{6dd}'
                | '\u{70f}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_invisible_characters_are_escaped() {
        for (c, shown) in [
            ('\u{1b}', r"\u{1b}"),
            ('\u{7}', r"\u{7}"),
            ('\u{7f}', r"\u{7f}"),
            ('\u{9b}', r"\u{9b}"),
            ('\n', r"\n"),
            ('\r', r"\r"),
            ('\t', r"\t"),
            ('\u{202e}', r"\u{202e}"),
            ('\u{2066}', r"\u{2066}"),
            ('\u{2028}', r"\u{2028}"),
            ('\u{200b}', r"\u{200b}"),
            ('\u{feff}', r"\u{feff}"),
            ('\u{e0041}', r"\u{e0041}"),
        ] {
            let mut row = Text::new();
            row.row(&[&format!("a{c}b"), "c"]);
            assert_eq!(row.as_str(), format!("a{shown}b\tc"));
            assert_eq!(Text::from(format!("a{c}b")).as_str(), format!("a{shown}b"));
        }
        for kept in ["Jürgen", "日本", "محمد", "👩", "e\u{301}", "a b"] {
            assert_eq!(Text::from(kept).as_str(), kept);
        }
    }

    #[test]
    fn content_in_a_terminal_keeps_its_lines_and_loses_its_control_characters() {
        let csv = "\u{feff}id,name\r\nada,\u{1b}[31mAda\u{202e}\r\n";
        assert_eq!(
            escaped_content(csv.as_bytes(), Syntax::Csv),
            "id,name\nada,\\u{1b}[31mAda\\u{202e}\n"
        );
        let json = "{\"name\":\"\u{9b}31m\"}\n";
        assert_eq!(
            escaped_content(json.as_bytes(), Syntax::Json),
            "{\"name\":\"\\u009b31m\"}\n"
        );
    }

    #[test]
    fn escaped_json_has_the_same_value() {
        let value = serde_json::json!({ "a\u{9b}": ["\u{202e}\u{e0041}\u{7f}\u{1b}", "ü\n"] });
        let printed = escaped_json(&format!("{value:#}"));
        assert!(printed.chars().all(|c| !is_unsafe(c) || c == '\n'));
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&printed).unwrap(),
            value
        );
    }
}
