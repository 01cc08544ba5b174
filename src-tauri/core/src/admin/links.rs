//! Login links that the gateway signs.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::error::Warning;
use crate::ledger::{self, GivenAs};
use crate::link::LoginLink;
use crate::link::compose::{Composed, LinkSpec};
use crate::protocol::account_end::AccountEnd;
use crate::protocol::claims::{Claims, Registered};
use crate::protocol::code::{ExternalAuthCode, unverified};
use crate::protocol::lifetime::Lifetime;
use crate::protocol::payload::Payload;
use crate::protocol::uses::Uses;
use crate::{Error, Result, time};

/// Request for a login link.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LinkRequest {
    /// Payload of the code, which says who signs in. `{"email": …}` or `{"id": …}` names an
    /// existing user. `{"user": {"id": …}}` names a new or returning user, with an optional `email`
    /// and metadata.
    #[schema(value_type = Who, example = json!({"user": {"id": "ada", "email": "ada@yourcompany.com"}}))]
    pub payload: Map<String, Value>,
    /// Lifetime of the link, such as `7 days`, `12h` or `never`. Defaults to the setting of the
    /// instance.
    #[schema(example = "7 days", nullable = false)]
    #[serde(
        default,
        deserialize_with = "super::some",
        skip_serializing_if = "Option::is_none"
    )]
    pub expires_in: Option<String>,
    /// Time from which the link works. Its lifetime begins then. By default the link works at once.
    #[schema(format = DateTime, nullable = false)]
    #[serde(
        default,
        deserialize_with = "super::some",
        skip_serializing_if = "Option::is_none"
    )]
    pub not_before: Option<String>,
    /// Whether the first sign-in uses the link up. The same as `uses` 1.
    #[serde(default)]
    pub single_use: bool,
    /// Number of sign-ins for which the link works, from 1 to 1,000. By default it is not limited.
    #[serde(
        default,
        deserialize_with = "super::some",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(nullable = false, minimum = 1, maximum = 1000)]
    pub uses: Option<u64>,
    /// End of the account that the link creates: a time, or a number of days after the first sign-in
    /// such as `14 days`. Only for a new user. By default the account has no end.
    #[schema(nullable = false, example = "14 days")]
    #[serde(
        default,
        deserialize_with = "super::some",
        skip_serializing_if = "Option::is_none"
    )]
    pub account_ends: Option<String>,
    /// Note of the administrator, at most 200 characters. It is in the ledger and not in the code.
    #[schema(nullable = false, max_length = 200)]
    #[serde(
        default,
        deserialize_with = "super::some",
        skip_serializing_if = "Option::is_none"
    )]
    pub note: Option<String>,
    /// Whether older links of the person stop working. The setting of the instance may say so for
    /// all links.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schema(default = false)]
    pub supersede: bool,
    /// Whether the link also has a short link, for chats and small QR codes.
    // Left out if false, because older gateways do not know it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub short: bool,
    /// Way in which the link is given out, for the ledger. By default as a link.
    #[serde(
        default,
        deserialize_with = "super::some",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(nullable = false, inline)]
    pub given: Option<GivenAs>,
    /// Value of `iss`, if the application needs one.
    #[schema(nullable = false)]
    #[serde(
        default,
        deserialize_with = "super::some",
        skip_serializing_if = "Option::is_none"
    )]
    pub issuer: Option<String>,
    /// Value of `sub`, if the application needs one.
    #[schema(nullable = false)]
    #[serde(
        default,
        deserialize_with = "super::some",
        skip_serializing_if = "Option::is_none"
    )]
    pub subject: Option<String>,
    /// Value of `aud`, if the application needs one.
    #[schema(nullable = false)]
    #[serde(
        default,
        deserialize_with = "super::some",
        skip_serializing_if = "Option::is_none"
    )]
    pub audience: Option<String>,
}

impl From<&LinkSpec> for LinkRequest {
    fn from(spec: &LinkSpec) -> Self {
        let claims = Claims {
            payload: spec.payload.clone(),
            registered: Registered::default(),
        };
        Self {
            payload: claims.members(),
            expires_in: Some(spec.lifetime.to_string()),
            not_before: spec.not_before.map(|at| at.to_string()),
            single_use: spec.uses == Uses::ONCE,
            uses: spec.uses.limit().filter(|uses| *uses > 1),
            account_ends: spec.account_end.map(|end| end.to_string()),
            note: None,
            supersede: false,
            short: false,
            given: None,
            issuer: spec.issuer.clone(),
            subject: spec.subject.clone(),
            audience: spec.audience.clone(),
        }
    }
}

/// Way in which a link is given out again, or made on request.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyRequest {
    /// Way in which the link is given out.
    pub given: GivenAs,
}

impl LinkRequest {
    /// Returns the note.
    ///
    /// Fails if it is too long or has control characters.
    pub fn note(&self) -> Result<Option<String>> {
        let note = self.note.as_deref().map(|note| ledger::note(note, "note"));
        Ok(note.transpose()?.flatten())
    }

    /// Checks the members. `default` is the lifetime of a link without one.
    pub fn parse(self, default: Lifetime) -> Result<LinkSpec> {
        let lifetime = self.expires_in.map(|text| text.parse());
        let not_before = self.not_before;
        let not_before = not_before.map(|text| time::parse(&text, &TimeZone::UTC, "notBefore"));
        let account_end = self.account_ends.as_deref();
        let account_end =
            account_end.map(|text| AccountEnd::parse(text, &TimeZone::UTC, "accountEnds"));
        Ok(LinkSpec {
            lifetime: lifetime
                .transpose()
                .map_err(|refused: Error| refused.about("expiresIn"))?
                .unwrap_or(default),
            payload: Payload::from_request(&self.payload)?,
            not_before: not_before.transpose()?,
            uses: uses(self.single_use, self.uses)?,
            account_end: account_end.transpose()?,
            issuer: self.issuer,
            subject: self.subject,
            audience: self.audience,
        })
    }
}

/// Returns the number of uses of a request.
fn uses(single_use: bool, uses: Option<u64>) -> Result<Uses> {
    match (single_use, uses) {
        (true, Some(2..)) => {
            let message = "'singleUse' and 'uses' contradict each other. Send one of them.";
            Err(Error::member("uses", message))
        }
        (true, None) => Ok(Uses::ONCE),
        (_, uses) => Uses::parse(uses, "uses"),
    }
}

/// The three payloads of the protocol. Only the `OpenAPI` description uses this type; `payload` is
/// read by [`Payload::from_request`].
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only the description uses it")]
enum Who {
    Email(ByEmail),
    Id(ById),
    User(ByUser),
}

/// An existing user, named by address.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the description uses it")]
struct ByEmail {
    #[schema(min_length = 3, max_length = 254)]
    email: String,
}

/// An existing user, named by ID. An address beside the ID is ignored and is not in the code.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the description uses it")]
struct ById {
    id: IdText,
    #[schema(nullable = false, min_length = 3, max_length = 254)]
    email: Option<String>,
}

/// A text or a whole number. `"1234"` and `1234` name the same user.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only the description uses it")]
enum IdText {
    Text(String),
    Number(i64),
}

/// A new or returning user.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the description uses it")]
struct ByUser {
    user: NewUser,
}

/// A user who is created by the first sign-in. Further members are metadata.
#[derive(ToSchema)]
#[schema(as = UserOfLink)]
#[expect(dead_code, reason = "only the description uses it")]
struct NewUser {
    #[schema(min_length = 1, max_length = 255)]
    id: String,
    #[schema(min_length = 3, max_length = 254)]
    email: Option<String>,
}

/// A login link. Anybody who has it can sign in, so it has no `Debug`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// URL that opens the link. A QR code shows it.
    pub url: String,
    /// Code in the URL.
    pub code: String,
    /// Script tag for a page that shows the widget.
    pub widget: String,
    /// ID of the code (`jti`), by which the activity names the link.
    #[schema(required)]
    pub id: Option<String>,
    /// Short URL that opens the link, too, if one was requested. It is shown only here.
    #[schema(required)]
    pub short_url: Option<String>,
    /// Time at which the link expires. `null` if it never does.
    #[schema(required, format = DateTime)]
    pub expires_at: Option<String>,
    /// Warnings to read before giving the link away.
    pub warnings: Vec<Warning>,
}

/// Takes a link that a gateway has signed. The client does not have the key, so it trusts the gateway.
///
/// Fails if the link has no code or the code breaks a rule, which no gateway sends.
impl TryFrom<Link> for Composed {
    type Error = Error;

    fn try_from(link: Link) -> Result<Self> {
        let unreadable = || Error::internal("the gateway has sent a link that cannot be read");
        let code = ExternalAuthCode::from_text(link.code);
        let parts = LoginLink::of(&link.url, &code).ok_or_else(unreadable)?;
        let Some(Value::Object(claims)) = unverified::read(code.expose()).claims_json else {
            return Err(unreadable());
        };
        Ok(Self {
            claims: Claims::from_signed(&claims)?,
            link: parts,
            widget: link.widget,
            code,
        })
    }
}

impl Link {
    /// Describes a composed link.
    #[must_use]
    pub fn new(composed: &Composed, warnings: Vec<Warning>) -> Self {
        let registered = &composed.claims.registered;
        Self {
            url: composed.link.url(),
            code: composed.code.expose().to_owned(),
            widget: composed.widget.clone(),
            id: registered.id.clone(),
            short_url: None,
            expires_at: registered
                .expires_at
                .and_then(|at| Timestamp::from_second(at).ok())
                .map(|at| at.to_string()),
            warnings,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::instance::Settings;
    use crate::link::compose::compose;
    use crate::protocol::payload::ExistingId;
    use crate::secret::SigningKey;

    fn composed() -> Composed {
        let target = Settings::sample().unwrap().target();
        let key = SigningKey::generate(target.algorithm).unwrap();
        let payload = Payload::Id(ExistingId::parse("1234", false).unwrap());
        let mut spec = LinkSpec::new(payload, "7 days".parse().unwrap());
        spec.uses = Uses::ONCE;
        let now = Timestamp::from_second(1_795_300_000).unwrap();
        compose(&target, &key, spec, now).unwrap()
    }

    #[test]
    fn a_link_of_a_gateway_is_taken_as_the_gateway_has_composed_it() {
        let composed = composed();
        let taken = Composed::try_from(Link::new(&composed, Vec::new())).unwrap();
        assert_eq!(taken.link, composed.link);
        assert_eq!(taken.code.expose(), composed.code.expose());
        assert_eq!(taken.widget, composed.widget);
        assert_eq!(taken.claims.members(), composed.claims.members());
    }

    #[test]
    fn a_link_without_its_code_is_refused() {
        let mut link = Link::new(&composed(), Vec::new());
        link.url = "https://chat.acme.example/".into();
        assert!(Composed::try_from(link).is_err());
    }
}
