//! Parts of a link for the clipboard.

use arboard::ImageData;
use latchkey_core::Error;
use latchkey_core::error::Warning;
use latchkey_core::ledger::GivenAs;
use latchkey_core::link::compose::Composed;
use latchkey_core::link::qr::Qr;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::clipboard::{CLEARED_AFTER, Content};

/// Part of a preview to copy.
#[derive(Clone, Copy, Debug, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are clear")]
pub enum CopyWhat {
    Link,
    Code,
    Widget,
    Qr,
    Message,
}

impl CopyWhat {
    /// Returns the way in which the link is given out.
    pub(super) const fn given(self) -> GivenAs {
        match self {
            Self::Link => GivenAs::Link,
            Self::Code => GivenAs::Code,
            Self::Widget => GivenAs::Widget,
            Self::Qr => GivenAs::QrCode,
            Self::Message => GivenAs::Message,
        }
    }

    /// Returns whether the part shows the URL, so that a short link can replace it.
    pub(super) const fn is_url(self) -> bool {
        matches!(self, Self::Link | Self::Qr | Self::Message)
    }
}

/// Result of copying something to the clipboard.
#[derive(Clone, Copy, Debug, Serialize, TS)]
pub struct Copied {
    /// Seconds until the clipboard is cleared, unless another program replaces the content.
    #[ts(type = "number")]
    pub clears_in_secs: u64,
}

impl Default for Copied {
    fn default() -> Self {
        Self {
            clears_in_secs: CLEARED_AFTER.as_secs(),
        }
    }
}

/// Result of copying a part of a link to the clipboard.
#[derive(Clone, Debug, Serialize, TS)]
pub struct CopiedLink {
    /// Copy to the clipboard.
    #[serde(flatten)]
    pub copied: Copied,
    /// Warning to read before giving the link away: that it works longer than its signing key, or that
    /// a new link is refused now. Null if there is none.
    pub warning: Option<Warning>,
}

impl CopiedLink {
    pub(super) fn new(warning: Option<Warning>) -> Self {
        Self {
            copied: Copied::default(),
            warning,
        }
    }
}

/// Returns a part of a link for the clipboard. `url` is its long or its short URL, and `message` makes the message to its person.
pub(super) fn content(
    what: CopyWhat,
    composed: &Composed,
    url: &str,
    qr: &latchkey_core::Result<Qr>,
    message: impl FnOnce() -> latchkey_core::Result<String>,
) -> latchkey_core::Result<Content> {
    Ok(match what {
        CopyWhat::Link => Content::Text(url.to_owned()),
        CopyWhat::Code => Content::Text(composed.code.expose().to_owned()),
        CopyWhat::Widget => Content::Text(composed.widget.clone()),
        CopyWhat::Qr => Content::Picture(picture(qr.as_ref().map_err(Error::clone)?)),
        CopyWhat::Message => Content::Text(message()?),
    })
}

fn picture(qr: &Qr) -> ImageData<'static> {
    let picture = qr.picture();
    let bytes: Vec<u8> = picture
        .pixels()
        .flat_map(|pixel| {
            let [grey] = pixel.0;
            [grey, grey, grey, u8::MAX]
        })
        .collect();
    ImageData {
        width: picture.width() as usize,
        height: picture.height() as usize,
        bytes: bytes.into(),
    }
}
