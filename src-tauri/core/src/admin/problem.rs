use serde::{Deserialize, Serialize};

use crate::{Error, ErrorCode};

/// Problem details of a refused request (RFC 9457), as far as a client needs them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// Sentence that says what is wrong and what to do.
    pub detail: String,
    /// Stable error code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<ErrorCode>,
    /// Member of the request that the problem is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Reference of the request, which its log lines have.
    #[serde(default)]
    pub reference: String,
}

impl Problem {
    /// Returns the error that the server has reported.
    #[must_use]
    pub fn into_error(self) -> Error {
        let code = self.code.unwrap_or(ErrorCode::Internal);
        let error = Error::new(code, self.detail);
        match self.field {
            Some(field) => error.about(field),
            None => error,
        }
    }
}
