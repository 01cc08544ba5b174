use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::{Error, ErrorCode, Result};

/// Encoding of the key in the text of a secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum SecretEncoding {
    /// The bytes of the text are the key, as in the protocol.
    #[default]
    Text,
    /// The text is the key in base64 or base64url, with or without padding.
    Base64,
    /// The text is the key in hexadecimal.
    Hex,
}

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

impl SecretEncoding {
    /// All encodings.
    pub const ALL: [Self; 3] = [Self::Text, Self::Base64, Self::Hex];

    /// Returns the name in settings and options.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Base64 => "base64",
            Self::Hex => "hex",
        }
    }

    /// Returns whether this is the encoding of the protocol.
    #[must_use]
    pub fn is_text(&self) -> bool {
        *self == Self::Text
    }

    /// Decodes the text of a secret. White space in base64 and hexadecimal is ignored.
    ///
    /// Fails with [`ErrorCode::InvalidSecret`].
    pub(crate) fn decode(self, text: &str) -> Result<Zeroizing<Vec<u8>>> {
        let dense = || -> Zeroizing<Vec<u8>> {
            let bytes = text.bytes().filter(|byte| !byte.is_ascii_whitespace());
            Zeroizing::new(bytes.collect())
        };
        let invalid = |message: &str| Error::new(ErrorCode::InvalidSecret, message).about("secret");
        match self {
            Self::Text => Ok(Zeroizing::new(text.as_bytes().to_vec())),
            Self::Base64 => {
                let mut dense = dense();
                for byte in dense.iter_mut() {
                    match byte {
                        b'-' => *byte = b'+',
                        b'_' => *byte = b'/',
                        _ => {}
                    }
                }
                // The cause is dropped, because it contains a byte of the secret.
                let decoded = LENIENT.decode(&*dense).map_err(|_| {
                    invalid("The secret is not base64. Correct it, or read it as text.")
                })?;
                Ok(Zeroizing::new(decoded))
            }
            Self::Hex => {
                let dense = dense();
                let digit = |byte: u8| {
                    char::from(byte)
                        .to_digit(16)
                        .and_then(|digit| u8::try_from(digit).ok())
                };
                let pairs = dense.chunks(2).map(|pair| match pair {
                    [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
                    _ => None,
                });
                let decoded: Option<Vec<u8>> = pairs.collect();
                decoded.map(Zeroizing::new).ok_or_else(|| {
                    invalid("The secret is not hexadecimal: an even number of digits 0 to 9 and a to f. Correct it, or read it as text.")
                })
            }
        }
    }
}

impl fmt::Display for SecretEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for SecretEncoding {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|encoding| encoding.name() == text)
            .ok_or_else(|| {
                Error::new(
                    ErrorCode::InvalidSetting,
                    "The encoding of a secret is text, base64 or hex.",
                )
                .about("secret_encoding")
            })
    }
}
