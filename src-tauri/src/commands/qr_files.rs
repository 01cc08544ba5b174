//! Files with the QR code of a link.

use std::path::PathBuf;

use latchkey_core::link::qr::Qr;
use serde::{Deserialize, Serialize};
use tauri::{AppHandle, Runtime};
use ts_rs::TS;

use crate::dialogs;

/// Format of a picture file.
#[derive(Clone, Copy, Debug, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are clear")]
pub enum QrFormat {
    Png,
    Svg,
}

impl QrFormat {
    /// Returns the content of the file.
    pub(super) fn bytes(self, qr: &Qr) -> latchkey_core::Result<Vec<u8>> {
        match self {
            Self::Png => qr.png(),
            Self::Svg => Ok(qr.svg().into_bytes()),
        }
    }
}

/// Result of saving a QR code.
#[derive(Clone, Debug, Serialize, TS)]
pub struct QrSaved {
    /// Name of the file. Null if the user cancelled.
    pub file: Option<String>,
}

/// Asks for the file of a QR code. Returns `None` if the user cancelled.
pub(super) async fn choose_qr_file<R: Runtime>(
    app: &AppHandle<R>,
    format: QrFormat,
) -> Option<PathBuf> {
    let file = match format {
        QrFormat::Png => ("PNG picture", "png"),
        QrFormat::Svg => ("SVG picture", "svg"),
    };
    dialogs::save(app, "Save the QR code", "login-link", file).await
}
