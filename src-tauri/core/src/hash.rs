//! Encoding of a SHA-256 hash, for `#[serde(with)]`: base64url in JSON, and 32 bytes in binary formats.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de};

pub(crate) fn serialize<S: Serializer>(hash: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(hash))
    } else {
        hash.serialize(serializer)
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<[u8; 32], D::Error> {
    if !deserializer.is_human_readable() {
        return <[u8; 32]>::deserialize(deserializer);
    }
    let text = String::deserialize(deserializer)?;
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(de::Error::custom)?;
    bytes
        .try_into()
        .map_err(|_| de::Error::custom("it is not a hash of 32 bytes"))
}
