//! The text in which a code is looked for: an argument, a file, a picture or standard input.

use std::path::Path;

use latchkey_core::link::qr;
use latchkey_core::protocol::text;
use latchkey_core::{Error, ErrorCode};

use crate::context::Context;
use crate::failure::Failure;
use crate::input;

/// Endings of the names of picture files, in lower case.
const PICTURES: [&str; 10] = [
    "png", "jpg", "jpeg", "webp", "gif", "bmp", "svg", "heic", "heif", "avif",
];

/// Text in which a code is looked for.
pub(crate) struct Pasted<'a> {
    given: &'a str,
    pub(crate) text: String,
    pub(super) is_picture: bool,
}

impl<'a> Pasted<'a> {
    /// Reads a text, a file, or standard input for `-`.
    pub(crate) fn read(given: &'a str, context: &Context) -> Result<Self, Failure> {
        let (text, is_picture) = text_of(given, context)?;
        Ok(Self {
            given,
            text,
            is_picture,
        })
    }

    /// Adds to the error for a text without a code what kind of text it is.
    pub(crate) fn without_code(&self, refused: Error) -> Error {
        if self.is_picture {
            qr::without_code(refused, &self.text)
        } else {
            may_be_a_path(refused, self.given)
        }
    }
}

/// Returns the text, and whether it comes from a picture.
fn text_of(given: &str, context: &Context) -> Result<(String, bool), Failure> {
    let path = Path::new(given);
    if given != "-" && !context.is_file(path) {
        let looks_like_a_file = path
            .extension()
            .and_then(|extension| extension.to_str())
            .is_some_and(|extension| PICTURES.contains(&extension.to_ascii_lowercase().as_str()));
        if looks_like_a_file && !given.contains("://") {
            return Err(
                Error::new(ErrorCode::Storage, format!("There is no file {given}."))
                    .about("code")
                    .into(),
            );
        }
        return Ok((given.to_owned(), false));
    }
    let bytes = context
        .read(path, input::PICTURE)
        .map_err(|failure| failure.about("code"))?;
    if qr::is_picture(&bytes) {
        return Ok((qr::read_picture(&bytes)?, true));
    }
    // Reads only ASCII of a text in another encoding than UTF-8.
    let other = text::decode_ascii(&bytes);
    text::decode(bytes)
        .or(other)
        .map(|text| (text, false))
        .ok_or_else(|| {
            let message = "This is neither a text nor a picture of a QR code that can be read. \
                           Save the picture as a PNG or a JPEG.";
            Error::new(ErrorCode::InvalidPicture, message)
                .about("code")
                .into()
        })
}

/// Adds to the error for a text without a code that no file has this name, if the text can be a
/// path.
fn may_be_a_path(refused: Error, given: &str) -> Error {
    let is_path = given != "-" && !given.contains("://") && !given.contains(char::is_whitespace);
    if refused.code != ErrorCode::NoCode || !is_path || given.is_empty() {
        return refused;
    }
    let path = Path::new(given);
    let message = if path.is_dir() {
        format!("{given} is a folder. Name a file, or paste a text that contains a code.")
    } else if path.exists() {
        return refused;
    } else {
        format!("There is no file {given}, and no code in that text.")
    };
    Error::new(ErrorCode::NoCode, message).about("code")
}
