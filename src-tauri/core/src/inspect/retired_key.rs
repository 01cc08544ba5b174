//! The cause of a signature that no key matches: the key of the link is not kept any more.

use jiff::Timestamp;

use super::Inspection;
use super::diagnosis::{Hint, HintCode};
use crate::directory::Directory;
use crate::secret::SigningKey;

/// Returns a cause if no key matches the signature of a code, and the ledger has a link with its
/// ID whose key is not one of `keys`.
///
/// The ID is read from a code that is not verified. Whether the code is that link is not known, and
/// the hint says so. Without the ledger there is no hint, and the reason is in the log.
pub async fn retired_key(
    inspection: &Inspection,
    keys: &[&SigningKey],
    ledger: &dyn Directory,
    now: Timestamp,
) -> Option<Hint> {
    if !inspection.has_bad_signature() {
        return None;
    }
    let claims = inspection.shown.claims_json.as_ref()?;
    let id = claims.get("jti")?.as_str()?;
    let found = ledger.link(id, now).await.unwrap_or_else(|cause| {
        tracing::warn!(error = %cause.logged(), "it is not known which key signed a link");
        None
    });
    let (listed, _) = found?;
    let key = listed.link.key.as_deref()?;
    if keys.iter().any(|known| known.id() == Some(key)) {
        return None;
    }
    Some(Hint::new(
        HintCode::KeyRetired,
        "The signing key of this link is not kept here any more",
        format!(
            "The ledger has a link with this ID, which the key {key} signed. That key has retired or was replaced. Without it, nobody can tell whether this code is that link. Make a new link."
        ),
    ))
}
