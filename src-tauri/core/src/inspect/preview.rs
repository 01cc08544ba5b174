//! Preview of a signed link, with everything that is known about it.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::activity::AuditContext;
use crate::directory::Directory;
use crate::error::Warning;
use crate::inspect::ClaimTime;
use crate::inspect::forecast::{Forecast, Users};
use crate::instance::{Hosted, Settings};
use crate::link::compose::{Composed, NEVER_EXPIRES};
use crate::link::qr::Qr;
use crate::protocol::code::{self, CodeRefusal};
use crate::secret::{KeySet, SigningKey, outlives};
use crate::verdict::{RecordedRefusal, Verdict};
use crate::{Result, inspect, time};

/// Code of the warning that the end of the account in a link does not count.
pub const ACCOUNT_EXISTS: &str = "account_exists";
/// Code of the warning about a link that works longer than the key that has signed it.
pub const OUTLIVES_KEY: &str = "outlives_key";

/// A composed link, its other forms, and what would happen if it were opened now.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The link.
    pub composed: Composed,
    /// QR code, or the reason why there is none.
    pub qr: Result<Qr>,
    /// Header of the code, as indented JSON.
    pub header_json: String,
    /// Claims of the code, as indented JSON.
    pub claims_json: String,
    /// Times among the claims.
    pub times: Vec<ClaimTime>,
    /// Forecast of opening the link now.
    pub forecast: Forecast,
    /// Warnings to read before giving the link away.
    pub warnings: Vec<Warning>,
}

/// Judges the code of a composed link like its instance, with the users that are known. The time of
/// `by` may be later than that of composing. Also notes the link in the directory, because a person
/// who sees it may scan it.
pub async fn preview(
    settings: &Settings,
    key: &SigningKey,
    composed: Composed,
    users: Users<'_>,
    by: &AuditContext,
) -> Result<Preview> {
    let now = by.at;
    if let Users::Here(directory) = users {
        // Without the note, the `iat` of the code decides its order.
        if let Err(cause) = directory.link_shown(&composed.claims, by).await {
            tracing::warn!(error = %cause.logged(), "the order of a link was not noted");
        }
    }
    let judged =
        code::verify(composed.code.expose(), &[key], settings.code_rules(), now).map(Box::new);
    let qr = Qr::for_url(&composed.link.url());
    let claims = composed.claims.members();
    let mut warnings = warnings(&composed, settings, key);
    if let Ok(qr) = &qr {
        warnings.extend(qr.warnings(&settings.url));
    }
    Ok(Preview {
        times: inspect::times(&claims, now),
        header_json: header(settings),
        claims_json: format!("{:#}", Value::Object(claims)),
        forecast: Forecast::new(&judged, settings, users, now).await?,
        composed,
        qr,
        warnings,
    })
}

/// Returns the header of the codes of an instance, as indented JSON.
pub(super) fn header(settings: &Settings) -> String {
    format!("{:#}", json!({ "typ": "JWT", "alg": settings.algorithm }))
}

/// Returns warnings to read before giving a link away, for an instance with these settings.
#[must_use]
pub fn warnings(composed: &Composed, settings: &Settings, key: &SigningKey) -> Vec<Warning> {
    let mut warnings = composed.warnings(&settings.target(), key);
    if settings.code_rules().require_expiry {
        // Such a link is refused, so this warning would be wrong.
        warnings.retain(|warning| warning.code != NEVER_EXPIRES);
    }
    if !settings.hosted.is_latchkey() {
        warnings.extend(composed.single_use_elsewhere(&settings.url));
        warnings.extend(composed.account_end_elsewhere(&settings.url));
    }
    warnings
}

/// Returns the warning about what an instance would do with a new link now: that it refuses it, or that
/// the end of the account in it does not count. `keys` are the keys of the instance that can be read, and
/// `directory` is that of an instance that is hosted here. A start time in the future is not a
/// refusal.
pub async fn outcome_warning(
    composed: &Composed,
    settings: &Settings,
    keys: &[&SigningKey],
    directory: &dyn Directory,
    now: Timestamp,
) -> Option<Warning> {
    let is_known = settings.hosted.is_latchkey();
    let name = settings.name.as_str();
    if is_known && !settings.policy.external_auth {
        return Some(Warning::new(
            RecordedRefusal::ExternalAuthOff.code(),
            format!("'{name}' refuses the link: its external authentication is off."),
        ));
    }
    let verified = match code::verify(composed.code.expose(), keys, settings.code_rules(), now) {
        Ok(verified) => verified,
        Err(CodeRefusal::NotYetValid { never: false, .. }) => return None,
        Err(refused @ CodeRefusal::BadSignature) => {
            return Some(Warning::new(
                refused.code(),
                format!(
                    "The link is not signed with the secret that is kept for '{name}', so it is refused where \
                     that secret is used."
                ),
            ));
        }
        Err(refused) => {
            return Some(Warning::new(
                refused.code(),
                format!("'{name}' refuses the link. {refused}"),
            ));
        }
    };
    if settings.hosted != Hosted::Here {
        return None;
    }
    match directory.dry_run(Ok(&verified), settings.policy).await {
        Ok(Verdict::Refused(refused)) => Some(Warning::new(
            refused.code(),
            format!("'{name}' refuses the link. {}", refused.shown()),
        )),
        Ok(Verdict::SignedIn { user, .. }) => {
            composed.claims.registered.account_end.map(|_| {
                let message =
                    format!("{user} has an account already, so the end of the account in the link does not count.");
                Warning::new(ACCOUNT_EXISTS, message)
            })
        }
        Ok(Verdict::Provisioned { .. }) => None,
        Err(cause) => {
            tracing::warn!(error = %cause.logged(), "it is not known what a new link does");
            None
        }
    }
}

/// Returns the warning about a link that works longer than the key that has signed it.
#[must_use]
pub fn outlives_key(composed: &Composed, keys: &KeySet) -> Option<Warning> {
    let registered = &composed.claims.registered;
    let retires_at = keys.retires_at(registered.id.as_deref()?)?;
    outlives(registered.expires_at, retires_at).then(|| {
        Warning::new(
            OUTLIVES_KEY,
            format!(
                "The link is signed with a key that retires at {}. From then on it is refused.",
                time::exact(retires_at)
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::compose::{LinkSpec, compose};
    use crate::protocol::payload::{ExistingId, Payload};

    #[test]
    fn a_link_that_ends_after_its_key_retires_is_warned_of() {
        const NOW: i64 = 1_795_300_000;
        const DAY: i64 = 86_400;
        let settings = Settings::sample().unwrap();
        let key = || SigningKey::generate(settings.algorithm).unwrap();
        let (active, retiring) = (key(), key());
        let keys = KeySet::from(active.clone()).with_retiring(retiring.clone(), NOW + 2 * DAY);
        let warns = |key: &SigningKey, lifetime: &str| {
            let payload = Payload::Id(ExistingId::parse("ada", false).unwrap());
            let spec = LinkSpec::new(payload, lifetime.parse().unwrap());
            let now = Timestamp::from_second(NOW).unwrap();
            let composed = compose(&settings.target(), key, spec, now).unwrap();
            outlives_key(&composed, &keys).map(|warning| warning.code)
        };
        assert_eq!(warns(&retiring, "2 days"), None);
        assert_eq!(warns(&retiring, "3 days").as_deref(), Some("outlives_key"));
        assert_eq!(warns(&retiring, "never").as_deref(), Some("outlives_key"));
        assert_eq!(warns(&active, "never"), None);
    }
}
