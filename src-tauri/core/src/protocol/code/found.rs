//! A code that was found in a text or a picture.

use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use crate::error::Warning;
use crate::{Error, ErrorCode, Result};

/// Maximum number of possible codes that are checked in one text.
pub(super) const MAX_CANDIDATES: usize = 64;

/// Kind of text or picture that contained the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "ts", ts(rename = "CodeForm"))]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A bare code.
    Bare,
    /// A login link.
    Url,
    /// A widget tag.
    WidgetTag,
    /// Any other text: a mail, JSON, a shell command, a link inside another link.
    Text,
    /// A picture of a QR code. A face sets it after it has read the picture.
    Qr,
}

/// A code that was found in a text. It has not been verified.
#[derive(Clone, PartialEq, Eq)]
pub struct Recognized {
    /// The code.
    pub code: String,
    /// Kind of text that contained the code.
    pub form: Form,
    /// Address that carries the code: that of a link up to the code, or that of a widget tag's
    /// script.
    pub address: Option<Url>,
    /// Number of other whole codes in the text.
    pub others: usize,
}

impl Recognized {
    /// Fails with [`ErrorCode::TooMany`] if the text contains several codes, because they may sign
    /// in different people.
    pub fn require_alone(&self) -> Result<()> {
        if self.others == 0 {
            return Ok(());
        }
        let message = format!(
            "There are {} codes in this text, which may be those of different people. Give one of them alone.",
            self.others + 1
        );
        Err(Error::new(ErrorCode::TooMany, message).about("code"))
    }

    /// Returns the warning about a text with several codes. `None` for a text with one.
    #[must_use]
    pub fn several(&self) -> Option<Warning> {
        (self.others > 0).then(|| {
            let message = format!(
                "There are {} codes in this text. This is the first that verifies, or the first of all.",
                self.others + 1
            );
            Warning::new("several_codes", message)
        })
    }
}

impl std::fmt::Debug for Recognized {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recognized")
            .field("form", &self.form)
            .finish_non_exhaustive()
    }
}
