//! The widget tag: a login link in the form of a script tag for a page.

use std::fmt::Write as _;

use crate::link::BaseUrl;
use crate::protocol::code::ExternalAuthCode;

/// Attribute that carries the code.
pub const CODE_ATTRIBUTE: &str = "data-external-auth-code";

/// Returns the tag for a page of the host application.
#[must_use]
pub fn tag(base: &BaseUrl, code: &ExternalAuthCode) -> String {
    format!(
        "<script defer {CODE_ATTRIBUTE}=\"{}\" src=\"{}\"></script>",
        escape_attribute(code.expose()),
        escape_attribute(base.sibling("widget.js").as_str())
    )
}

/// Escapes a text for a double-quoted attribute (HTML §13.1.2.3). Also escapes `<`, `>` and `'`, so
/// that the text is safe elsewhere, too.
fn escape_attribute(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' | '<' | '>' | '"' | '\'' => {
                // Writing to a String does not fail.
                let _ = write!(escaped, "&#{};", u32::from(character));
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::code::recognize::recognize;

    #[test]
    fn the_tag_is_that_of_the_protocol() {
        let base = BaseUrl::parse("https://chat.yourcompany.com").unwrap();
        let code = ExternalAuthCode::from_text("eyJ.b.c".into());
        assert_eq!(
            tag(&base, &code),
            "<script defer data-external-auth-code=\"eyJ.b.c\" src=\"https://chat.yourcompany.com/widget.js\"></script>"
        );
    }

    #[test]
    fn characters_that_would_end_the_attribute_are_escaped_and_parsed_back() {
        let base = BaseUrl::parse("https://a.b/x'y&z/").unwrap();
        let code = ExternalAuthCode::from_text("ey\"><script>&.b.c".into());
        let tag = tag(&base, &code);
        assert_eq!(tag.matches("<script").count(), 1, "{tag}");
        assert_eq!(tag.matches('"').count(), 4, "{tag}");
        assert_eq!(
            recognize(&tag, "externalAuthCode").unwrap().code,
            code.expose()
        );
    }
}
