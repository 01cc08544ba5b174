//! From what an administrator enters to a signed code in a link.

use jiff::Timestamp;

use super::widget;
use crate::Result;
use crate::error::Warning;
use crate::link::{BaseUrl, LoginLink, Parameter};
use crate::protocol::claims::{self, Claims, Registered};
use crate::protocol::code::{self, Algorithm, ExternalAuthCode};
use crate::protocol::lifetime::Lifetime;
use crate::protocol::payload::Payload;
use crate::secret::SigningKey;

/// Code of the warning for a link without an expiry.
pub(crate) const NEVER_EXPIRES: &str = "never_expires";

/// Where a link leads, and how its code is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The instance's address.
    pub url: BaseUrl,
    /// The query parameter.
    pub parameter: Parameter,
    /// The algorithm.
    pub algorithm: Algorithm,
}

/// What an administrator composes.
#[derive(Clone, Debug)]
pub struct LinkSpec {
    /// Who is to sign in.
    pub payload: Payload,
    /// How long the link works.
    pub lifetime: Lifetime,
    /// From when on it works; at once, if `None`.
    pub not_before: Option<Timestamp>,
    /// Whether the first sign-in uses it up.
    pub single_use: bool,
    /// `iss`, if the application wants one.
    pub issuer: Option<String>,
    /// `sub`, if the application wants one.
    pub subject: Option<String>,
    /// `aud`, if the application wants one.
    pub audience: Option<String>,
}

impl LinkSpec {
    /// A link that works at once, any number of times, with no further claims.
    #[must_use]
    pub fn new(payload: Payload, lifetime: Lifetime) -> Self {
        Self {
            payload,
            lifetime,
            not_before: None,
            single_use: false,
            issuer: None,
            subject: None,
            audience: None,
        }
    }
}

/// A login link in all its shapes but the QR code, which is [`Qr::for_url`](crate::link::qr::Qr::for_url)
/// of its URL and may be refused where the link is not.
#[derive(Clone, Debug)]
pub struct Composed {
    /// What was signed.
    pub claims: Claims,
    /// The code.
    pub code: ExternalAuthCode,
    /// The URL.
    pub link: LoginLink,
    /// The widget tag.
    pub widget: String,
}

impl Composed {
    /// Returns what to know before the link is given out, for a target that is no instance.
    #[must_use]
    pub fn warnings(&self, target: &Target, key: &SigningKey) -> Vec<Warning> {
        let mut warnings: Vec<Warning> = key.short_for(target.algorithm).into_iter().collect();
        if self.claims.registered.expires_at.is_none() {
            warnings.push(Warning::new(
                NEVER_EXPIRES,
                "The link never expires: whoever finds it signs in, for ever.",
            ));
        }
        if target.url.is_exposed() {
            warnings.push(Warning::new(
                "exposed_url",
                "The URL begins with http: the link crosses the network unencrypted.",
            ));
        }
        if let Payload::User(user) = &self.claims.payload {
            warnings.extend(user.metadata.warnings());
        }
        warnings
    }
}

/// Signs a composition at `now` and puts the code into the target's address. The lifetime runs from the
/// start of the link's validity.
///
/// Fails as [`code::sign`] does.
pub fn compose(
    target: &Target,
    key: &SigningKey,
    composition: LinkSpec,
    now: Timestamp,
) -> Result<Composed> {
    let starts_at = composition.not_before.map_or(now, |start| start.max(now));
    let expires_at = composition.lifetime.expires_at(starts_at);
    let not_before = composition.not_before.map(Timestamp::as_second);
    let claims = Claims {
        payload: composition.payload,
        registered: Registered {
            issued_at: Some(now.as_second()),
            expires_at,
            not_before,
            id: Some(claims::new_id()?),
            issuer: composition.issuer,
            subject: composition.subject,
            audience: composition.audience,
            single_use: composition.single_use,
        },
    };
    let code = code::sign(&claims, key, target.algorithm)?;
    Ok(Composed {
        link: LoginLink::new(&target.url, &target.parameter, &code),
        widget: widget::tag(&target.url, &code),
        claims,
        code,
    })
}
