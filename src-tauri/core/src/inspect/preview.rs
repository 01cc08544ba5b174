//! Preview of a signed link, with everything that is known about it.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::activity::AuditContext;
use crate::error::Warning;
use crate::inspect::ClaimTime;
use crate::inspect::forecast::{Forecast, Users};
use crate::instance::Settings;
use crate::link::compose::{Composed, NEVER_EXPIRES};
use crate::link::qr::Qr;
use crate::protocol::code::{self, CodeRefusal};
use crate::protocol::payload::Payload;
use crate::secret::SigningKey;
use crate::verdict::RecordedRefusal;
use crate::{Result, inspect};

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

/// Returns why an instance would refuse a link, as far as its settings and its key show. `key` is
/// the key of the instance, if it can be read. A start time in the future is not a refusal.
///
/// With a directory, a [`Forecast`] says more.
#[must_use]
pub fn refusal(
    composed: &Composed,
    settings: &Settings,
    key: &SigningKey,
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
    match code::verify(composed.code.expose(), &[key], settings.code_rules(), now) {
        Err(CodeRefusal::NotYetValid { never: false, .. }) | Ok(_) => {}
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
    }
    match &composed.claims.payload {
        Payload::User(user) if is_known && !settings.policy.provisioning => Some(Warning::new(
            "provisioning_off",
            format!(
                "'{name}' creates no users from links: the link works only if {} exists.",
                user.id
            ),
        )),
        _ => None,
    }
}
