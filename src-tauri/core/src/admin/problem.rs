use serde::de::{self, IntoDeserializer as _};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{Error, ErrorCode, Result};

/// Problem details of a refused request (RFC 9457), as far as a client needs them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// Sentence that says what is wrong and what to do.
    pub detail: String,
    /// Stable error code.
    #[serde(
        default,
        deserialize_with = "known_code",
        skip_serializing_if = "Option::is_none"
    )]
    pub code: Option<ErrorCode>,
    /// Member of the request that the problem is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Reference of the request, which its log lines have.
    #[serde(default)]
    pub reference: String,
}

/// Reads an error code. One that only a newer Latchkey knows becomes `None`.
fn known_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ErrorCode>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let code = |text: String| -> Result<ErrorCode, de::value::Error> {
        ErrorCode::deserialize(text.into_deserializer())
    };
    Ok(text.and_then(|text| code(text).ok()))
}

impl Problem {
    /// Returns the error that the server has reported.
    #[must_use]
    pub fn into_error(self) -> Error {
        let code = self.code.unwrap_or(ErrorCode::Internal);
        let error = Error::new(code, self.detail);
        match (code, self.field) {
            // Core names a member of a user in this way.
            (ErrorCode::UserExists | ErrorCode::EmailInUse, Some(field)) => {
                error.about(format!("user.{field}"))
            }
            (_, Some(field)) => error.about(field),
            (_, None) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_with_a_code_of_a_newer_version_keeps_its_sentence() {
        let read = |code: &str| {
            let text = format!(r#"{{"status":409,"detail":"No.","code":{code}}}"#);
            serde_json::from_str::<Problem>(&text).unwrap().into_error()
        };
        assert_eq!(read("\"no_seats\"").code, ErrorCode::NoSeats);
        for code in ["\"of_a_newer_version\"", "null"] {
            assert_eq!(read(code).code, ErrorCode::Internal, "{code}");
            assert_eq!(read(code).message, "No.");
        }
    }
}
