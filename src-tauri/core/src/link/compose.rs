//! Composing a login link: from the input of an administrator to a signed code in a URL.

use jiff::Timestamp;

use super::widget;
use crate::error::Warning;
use crate::link::{BaseUrl, LoginLink, Parameter};
use crate::protocol::account_end::{ACCOUNT_ENDS, AccountEnd};
use crate::protocol::claims::{Claims, Registered};
use crate::protocol::code::{self, Algorithm, ExternalAuthCode};
use crate::protocol::lifetime::Lifetime;
use crate::protocol::link_id;
use crate::protocol::payload::Payload;
use crate::protocol::uses::Uses;
use crate::secret::SigningKey;
use crate::{Error, ErrorCode, Result, time};

/// Code of the warning for a link without an expiry.
pub(crate) const NEVER_EXPIRES: &str = "never_expires";

/// Target of a link, and the algorithm of its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// URL of the instance.
    pub url: BaseUrl,
    /// Query parameter that carries the code.
    pub parameter: Parameter,
    /// Signature algorithm.
    pub algorithm: Algorithm,
}

/// Link that an administrator composes.
#[derive(Clone, Debug)]
pub struct LinkSpec {
    /// User who signs in.
    pub payload: Payload,
    /// Lifetime of the link.
    pub lifetime: Lifetime,
    /// Time from which the link works. `None` if it works at once.
    pub not_before: Option<Timestamp>,
    /// Number of sign-ins for which the link works.
    pub uses: Uses,
    /// End of the account that the link creates.
    pub account_end: Option<AccountEnd>,
    /// Value of `iss`, if the application needs one.
    pub issuer: Option<String>,
    /// Value of `sub`, if the application needs one.
    pub subject: Option<String>,
    /// Value of `aud`, if the application needs one.
    pub audience: Option<String>,
}

impl LinkSpec {
    /// Creates a link that works at once and any number of times, without further claims.
    #[must_use]
    pub fn new(payload: Payload, lifetime: Lifetime) -> Self {
        Self {
            payload,
            lifetime,
            not_before: None,
            uses: Uses::UNLIMITED,
            account_end: None,
            issuer: None,
            subject: None,
            audience: None,
        }
    }
}

/// A login link in all its forms but the QR code. [`Qr::for_url`](crate::link::qr::Qr::for_url)
/// makes that from the URL, and may fail for a link that is fine.
#[derive(Clone, Debug)]
pub struct Composed {
    /// Signed claims.
    pub claims: Claims,
    /// Signed code.
    pub code: ExternalAuthCode,
    /// Login URL.
    pub link: LoginLink,
    /// Widget tag.
    pub widget: String,
}

impl Composed {
    /// Returns warnings to read before giving the link away, for a target without an instance.
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

    /// Returns the warning about a link with a limited number of uses, if the application itself
    /// decides who signs in.
    #[must_use]
    pub fn single_use_elsewhere(&self, url: &BaseUrl) -> Option<Warning> {
        self.claims.registered.uses.is_limited().then(|| {
            Warning::new(
                "single_use_elsewhere",
                format!(
                    "{} decides how often the link works; the protocol has no number of uses.",
                    url.authority()
                ),
            )
        })
    }

    /// Returns the warning about a link with an end of the account, if the application itself has
    /// the accounts.
    #[must_use]
    pub fn account_end_elsewhere(&self, url: &BaseUrl) -> Option<Warning> {
        self.claims.registered.account_end.map(|_| {
            Warning::new(
                "account_end_elsewhere",
                format!(
                    "{} decides how long the account lasts; the protocol has no end of an account.",
                    url.authority()
                ),
            )
        })
    }
}

/// Signs a link at `now` and puts the code into the URL of the target. The lifetime begins at the
/// start time of the link.
///
/// Fails like [`code::sign`].
pub fn compose(
    target: &Target,
    key: &SigningKey,
    spec: LinkSpec,
    now: Timestamp,
) -> Result<Composed> {
    let mut claims = claims(spec, now)?;
    claims.registered.id = Some(link_id::new_link_id(key)?);
    signed(target, key, claims)
}

/// Returns the claims of a link that a gateway signs at `now`, with a new ID.
///
/// Fails with [`ErrorCode::InvalidTime`] if the account that the link creates would end before the
/// link works, or with [`ErrorCode::InvalidPayload`] if it creates none.
pub fn claims(spec: LinkSpec, now: Timestamp) -> Result<Claims> {
    require_possible_end(&spec, now)?;
    let starts_at = spec.not_before.map_or(now, |start| start.max(now));
    let expires_at = spec.lifetime.expires_at(starts_at);
    let not_before = spec.not_before.map(Timestamp::as_second);
    Ok(Claims {
        payload: spec.payload,
        registered: Registered {
            issued_at: Some(now.as_second()),
            expires_at,
            not_before,
            id: Some(link_id::random_id()?),
            issuer: spec.issuer,
            subject: spec.subject,
            audience: spec.audience,
            uses: spec.uses,
            account_end: spec.account_end,
        },
    })
}

fn require_possible_end(spec: &LinkSpec, now: Timestamp) -> Result<()> {
    let Some(end) = spec.account_end else {
        return Ok(());
    };
    if !matches!(spec.payload, Payload::User(_)) {
        let message = "Only a link for a new user creates an account that ends. Make the link for a new user, or leave the end out.";
        return Err(Error::member(ACCOUNT_ENDS, message));
    }
    let starts_at = spec.not_before.map_or(now, |start| start.max(now));
    match end {
        AccountEnd::At(at) if at <= starts_at.as_second() => {
            let message = format!(
                "The account would end at {}, before the link works. Choose a later time.",
                time::exact(at)
            );
            Err(Error::new(ErrorCode::InvalidTime, message).about(ACCOUNT_ENDS))
        }
        _ => Ok(()),
    }
}

/// Signs claims and puts the code into the URL of the target.
///
/// Fails like [`code::sign`].
pub fn signed(target: &Target, key: &SigningKey, claims: Claims) -> Result<Composed> {
    let code = code::sign(&claims, key, target.algorithm)?;
    Ok(Composed {
        link: LoginLink::new(&target.url, &target.parameter, &code),
        widget: widget::tag(&target.url, &code),
        claims,
        code,
    })
}
