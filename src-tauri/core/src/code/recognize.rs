//! Finding the code in whatever somebody pasted.

use html5gum::{Token, Tokenizer};
use serde::Serialize;
use url::Url;

use crate::widget;
use crate::{Error, ErrorCode, Result};

/// What the code was found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// The code alone.
    Bare,
    /// A login link.
    Url,
    /// A widget tag.
    WidgetTag,
}

/// A code, and what it stood in. It may still be worthless: nothing has been verified.
#[derive(Clone, PartialEq, Eq)]
pub struct Recognized {
    /// The code.
    pub code: String,
    /// What it stood in.
    pub form: Form,
}

impl std::fmt::Debug for Recognized {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recognized")
            .field("form", &self.form)
            .finish_non_exhaustive()
    }
}

/// Finds the code in a bare code, a URL or a widget tag. Line breaks that a mail program put into
/// it do not matter. In a URL, `parameter` is looked at first, then any parameter that holds
/// something of a code's shape.
///
/// Fails with [`ErrorCode::NoCode`].
pub fn recognize(text: &str, parameter: &str) -> Result<Recognized> {
    let text = text.trim();
    if text.contains('<') {
        return match in_widget_tag(text) {
            Some(code) => Ok(Recognized {
                code,
                form: Form::WidgetTag,
            }),
            None => Err(no_code(
                "The HTML holds no tag with a data-external-auth-code attribute.",
            )),
        };
    }
    let joined: String = text.split_whitespace().collect();
    if joined.is_empty() {
        return Err(no_code(
            "There is nothing here. Paste a code, a login link or a widget tag.",
        ));
    }
    if joined.contains("://") {
        return in_url(&joined, parameter).map(|code| Recognized {
            code,
            form: Form::Url,
        });
    }
    if has_shape(&joined) {
        return Ok(Recognized {
            code: joined,
            form: Form::Bare,
        });
    }
    Err(no_code(
        "This is not a code, a login link or a widget tag. A code has three parts with dots between them and begins with 'ey'.",
    ))
}

fn in_url(text: &str, parameter: &str) -> Result<String> {
    let url = Url::parse(text)
        .map_err(|_| no_code("This looks like a URL and cannot be read as one."))?;
    let fragment = url
        .fragment()
        .map(|fragment| fragment.trim_start_matches(['?', '/']));
    let pairs = || {
        let in_fragment = fragment.unwrap_or_default().as_bytes();
        url.query_pairs()
            .chain(url::form_urlencoded::parse(in_fragment))
    };
    if let Some((_, code)) = pairs().find(|(name, _)| name == parameter) {
        return if code.is_empty() {
            Err(no_code(&format!(
                "The parameter '{parameter}' of the URL is empty."
            )))
        } else {
            Ok(code.into_owned())
        };
    }
    pairs()
        .find(|(_, value)| has_shape(value))
        .map(|(_, code)| code.into_owned())
        .ok_or_else(|| {
            no_code(&format!(
                "The URL has no parameter '{parameter}' and no other that holds a code."
            ))
        })
}

fn in_widget_tag(text: &str) -> Option<String> {
    let attribute = widget::CODE_ATTRIBUTE.as_bytes();
    Tokenizer::new(text)
        .filter_map(Result::ok)
        .find_map(|token| match token {
            Token::StartTag(tag) => tag
                .attributes
                .iter()
                .find(|(name, _)| name.0.as_slice() == attribute)
                .map(|(_, value)| {
                    String::from_utf8_lossy(&value.0)
                        .split_whitespace()
                        .collect()
                }),
            _ => None,
        })
}

/// Three parts, of which the first decodes to something that begins like a JSON object: `{"` is
/// `ey` in base64url, and white space before it is rare enough to be left out.
fn has_shape(text: &str) -> bool {
    text.starts_with("ey")
        && text.matches('.').count() == 2
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'='))
}

fn no_code(message: &str) -> Error {
    Error::new(ErrorCode::NoCode, message).about("code")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "eyJhbGciOiJIUzI1NiJ9.eyJpZCI6MX0.c2ln";

    fn found(text: &str) -> (String, Form) {
        let found = recognize(text, "externalAuthCode").expect(text);
        (found.code, found.form)
    }

    #[test]
    fn a_code_is_found_in_whatever_is_pasted() {
        let whole = |form| (CODE.to_owned(), form);
        assert_eq!(found(CODE), whole(Form::Bare));
        assert_eq!(found(&format!("  {CODE}\r\n")), whole(Form::Bare));
        let (a, b) = CODE.split_at(11);
        assert_eq!(found(&format!("{a}\n  {b}")), whole(Form::Bare));
        assert_eq!(
            found(&format!("https://a.b/?x=1&externalAuthCode={CODE}#top")),
            whole(Form::Url)
        );
        assert_eq!(
            found(&format!("https://a.b/?token={CODE}")),
            whole(Form::Url)
        );
        assert_eq!(
            found(&format!("https://a.b/#/?externalAuthCode={CODE}")),
            whole(Form::Url)
        );
        assert_eq!(
            found(&format!(
                "https://a.b/?externalAuthCode={}",
                CODE.replace('.', "%2E")
            )),
            whole(Form::Url)
        );
        assert_eq!(
            found(&format!(
                "<p>hello</p>\n<SCRIPT defer data-external-auth-code='{CODE}' src=x></SCRIPT>"
            )),
            whole(Form::WidgetTag)
        );
        assert_eq!(
            found(&format!(
                "<script data-external-auth-code=\"{}\">",
                CODE.replace('.', "&#46;")
            )),
            whole(Form::WidgetTag)
        );
    }

    #[test]
    fn a_broken_code_in_the_parameter_is_taken_as_it_is() {
        assert_eq!(found("https://a.b/?externalAuthCode=broken").0, "broken");
    }

    #[test]
    fn what_holds_no_code_says_what_was_looked_for() {
        for text in [
            "",
            " \n ",
            "hello",
            "https://a.b/",
            "https://a.b/?externalAuthCode=",
            "<p>",
            "a.b.c",
            "https://",
        ] {
            let refused = recognize(text, "externalAuthCode").expect_err(text);
            assert_eq!(refused.code, ErrorCode::NoCode, "{text}");
        }
    }
}
