//! Making the link that a person has asked for.

use jiff::Timestamp;

use super::compose::{Composed, LinkSpec, compose};
use super::message::person_name;
use super::short_code::ShortCode;
use crate::activity::AuditContext;
use crate::directory::{Directory, User};
use crate::instance::Settings;
use crate::ledger::{GivenAs, NewLinkRequest, TakenLink, not_entered};
use crate::protocol::lifetime::Lifetime;
use crate::protocol::payload::{ExistingId, Payload};
use crate::secret::SigningKey;
use crate::{Error, Result};

/// An open request to grant.
#[derive(Clone, Copy, Debug)]
pub struct Granting<'a> {
    /// Number of the request.
    pub number: u64,
    /// Way in which the new link is given out.
    pub given: GivenAs,
    /// Settings of the instance.
    pub settings: &'a Settings,
    /// Key that signs the new link.
    pub key: &'a SigningKey,
}

/// Link that grants a request. Anybody who has it can sign in, so it has no `Debug`.
pub struct Granted {
    /// The link.
    pub composed: Composed,
    /// Short URL, if the old link had one.
    pub short_url: Option<String>,
    /// Name of the person.
    pub name: String,
}

impl Granted {
    /// Returns the URL to give to the person: the short one, if there is one.
    #[must_use]
    pub fn url(&self) -> String {
        let short = self.short_url.clone();
        short.unwrap_or_else(|| self.composed.link.url())
    }
}

/// Makes the link of a request, enters it in the ledger, which closes the request, and returns what
/// `form` makes of it. If `form` fails, nothing is entered. The new link has the note of the old one,
/// and a short link if the old one had one.
///
/// Fails with [`UnknownRequest`](crate::ErrorCode::UnknownRequest) if the request is not open any
/// more, like [`composed`], and if the link cannot be entered.
pub async fn grant<T, E: From<Error>>(
    directory: &dyn Directory,
    granting: Granting<'_>,
    by: &AuditContext,
    form: impl FnOnce(&Granted) -> Result<T, E>,
) -> Result<T, E> {
    let Granting { settings, key, .. } = granting;
    let request = directory.link_request(granting.number, by.at).await?;
    let known = match request.user() {
        Some(user) => directory.user(user).await?,
        None => None,
    };
    let composed = composed(&request, known.as_ref(), settings, key, by.at)?;
    let old = directory.link(&request.link, by.at).await?;
    let old = old.map(|(listed, _)| listed);
    let has_short = old.as_ref().is_some_and(|old| old.link.has_short);
    let short = has_short.then(ShortCode::new).transpose()?;
    let granted = Granted {
        short_url: short.as_ref().map(|code| code.url(&settings.url)),
        name: person_name(&composed.claims.payload, directory).await,
        composed,
    };
    let made = form(&granted)?;
    let taken = settings.giving_out(TakenLink {
        given: granting.given,
        note: old.and_then(|old| old.link.note),
        short: short.as_ref().map(ShortCode::hash),
        grants: Some(request.reference()),
        ..TakenLink::new(granted.composed.claims, key.id().map(str::to_owned))
    })?;
    let entered = directory.take_link(taken, by).await;
    entered.map_err(not_entered)?;
    Ok(made)
}

/// Makes a link like the one of a request: for the same person, with the same number of uses and
/// the same lifetime. If the old link never expired, or its lifetime is not known, the new one has
/// that of the settings.
///
/// `known` is the user of the request, if that is one of the directory. The link for an existing user
/// names only the ID, because the profile and the end of the account in the old link may be out of
/// date.
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
