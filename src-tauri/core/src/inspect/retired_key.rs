//! The cause of a signature that no key matches: the key of the link does not verify any more.

use jiff::Timestamp;
use serde_json::Value;

use super::Inspection;
use super::diagnosis::{Hint, HintCode};
use crate::Result;
use crate::directory::Directory;
use crate::secret::SigningKey;

/// Returns the cause if no key matches the signature of a code, and the ledger has a link with its
/// ID whose key is not one of `keys`.
///
/// The ID is read from a code that is not verified. Whether the code is that link is not known, and
/// the hint says so.
pub async fn retired_key(
    inspection: &Inspection,
    keys: &[&SigningKey],
    ledger: &dyn Directory,
    now: Timestamp,
) -> Result<Option<Hint>> {
    if !inspection.has_bad_signature() {
        return Ok(None);
    }
    let claims = inspection.shown.claims_json.as_ref();
    let id = claims.and_then(|claims| claims.get("jti"));
    let Some(id) = id.and_then(Value::as_str) else {
        return Ok(None);
    };
    let Some((listed, _)) = ledger.link(id, now).await? else {
        return Ok(None);
    };
    let key = listed.link.key.as_deref();
    let key = key.filter(|key| keys.iter().all(|known| known.id() != Some(key)));
    Ok(key.map(|key| {
        Hint::new(
            HintCode::KeyRetired,
            "The signing key of this link does not verify any more",
            format!(
                "The ledger has a link with this ID, which the key {key} signed. That key has retired or was replaced. Without it, nobody can tell whether this code is that link. Make a new link."
            ),
        )
    }))
}
