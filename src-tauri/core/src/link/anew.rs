//! Making the link that a person has asked for.

use jiff::Timestamp;

use super::compose::{Composed, LinkSpec, compose};
use crate::Result;
use crate::directory::{Directory, User};
use crate::instance::Settings;
use crate::ledger::{GivenAs, NewLinkRequest, TakenLink};
use crate::protocol::lifetime::Lifetime;
use crate::protocol::payload::{ExistingId, Payload};
use crate::secret::SigningKey;

/// Makes a link like the one of a request: for the same person, with the same number of uses and
/// the same lifetime. If the old link never expired, or its lifetime is not known, the new one has
/// that of the settings.
///
/// `known` is the [person](person_of) of the request. The link for an existing user names only the
/// ID, because the profile and the end of the account in the old link may be out of date.
///
/// Fails like [`compose`].
pub fn composed(
    request: &NewLinkRequest,
    known: Option<&User>,
    settings: &Settings,
    key: &SigningKey,
    now: Timestamp,
) -> Result<Composed> {
    let mut claims = request.old_claims()?;
    if let (Some(user), Payload::User(_)) = (known, &claims.payload) {
        claims.payload = Payload::Id(ExistingId::parse(user.id.as_str(), true)?);
        claims.registered.account_end = None;
    }
    let lifetime = claims.registered.lifetime();
    let lifetime = lifetime.filter(|lifetime| *lifetime != Lifetime::Never);
    let spec = LinkSpec {
        uses: claims.registered.uses,
        account_end: claims.registered.account_end,
        issuer: claims.registered.issuer,
        subject: claims.registered.subject,
        audience: claims.registered.audience,
        ..LinkSpec::new(claims.payload, lifetime.unwrap_or(settings.lifetime))
    };
    compose(&settings.target(), key, spec, now)
}

/// Returns the person of a request, if that is a user of the directory.
pub async fn person_of(
    request: &NewLinkRequest,
    directory: &dyn Directory,
) -> Result<Option<User>> {
    match request.user() {
        Some(user) => directory.user(user).await,
        None => Ok(None),
    }
}

/// Returns the new link for the ledger. Its entry closes the request.
///
/// Fails like [`Settings::giving_out`].
pub fn taken(
    request: &NewLinkRequest,
    composed: &Composed,
    settings: &Settings,
    key: &SigningKey,
    given: GivenAs,
) -> Result<TakenLink> {
    settings.giving_out(TakenLink {
        given,
        grants: Some(request.reference()),
        ..TakenLink::new(composed.claims.clone(), key.id().map(str::to_owned))
    })
}
