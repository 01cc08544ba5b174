//! Outline of a link that a gateway signs: everything but the signature. The gateway has the key, so
//! the link exists only once somebody takes it.

use jiff::Timestamp;
use serde_json::Value;

use crate::error::Warning;
use crate::inspect::ClaimTime;
use crate::inspect::forecast::{Forecast, Judged, Users};
use crate::inspect::preview::{header, warnings};
use crate::instance::Settings;
use crate::link::LoginLink;
use crate::link::compose::signed;
use crate::link::qr::Qr;
use crate::protocol::claims::Claims;
use crate::protocol::code;
use crate::secret::SigningKey;
use crate::{Result, inspect};

/// A link without its signature.
#[derive(Clone, Debug)]
pub struct Outline {
    /// Claims to sign.
    pub claims: Claims,
    /// The link, with an empty signature.
    pub link: LoginLink,
    /// QR code of a link of the same length, or the reason why there is none. Only its size counts,
    /// because no gateway accepts the link that it shows.
    pub qr: Result<Qr>,
    /// Header of the code, as indented JSON.
    pub header_json: String,
    /// Claims of the code, as indented JSON.
    pub claims_json: String,
    /// Times among the claims.
    pub times: Vec<ClaimTime>,
    /// Warnings to read before giving the link away.
    pub warnings: Vec<Warning>,
    /// The claims as the gateway judges them after it has signed them.
    judged: Judged,
}

impl Outline {
    /// Returns the outline of a link with these claims, for an instance with these settings.
    ///
    /// Fails like [`signed`].
    pub fn new(settings: &Settings, claims: Claims, now: Timestamp) -> Result<Self> {
        // Nobody keeps this key. It gives the code its length, and lets the rules for codes run.
        let key = SigningKey::generate(settings.algorithm)?;
        let composed = signed(&settings.target(), &key, claims)?;
        let judged = code::verify(composed.code.expose(), &[&key], settings.code_rules(), now);
        let qr = Qr::for_url(&composed.link.url());
        let mut warnings = warnings(&composed, settings, &key);
        if let Ok(qr) = &qr {
            warnings.extend(qr.warnings(&settings.url));
        }
        let members = composed.claims.members();
        Ok(Self {
            times: inspect::times(&members, now),
            header_json: header(settings),
            claims_json: format!("{:#}", Value::Object(members)),
            link: LoginLink {
                signature: String::new(),
                ..composed.link
            },
            claims: composed.claims,
            qr,
            warnings,
            judged: judged.map(Box::new),
        })
    }

    /// Returns the forecast of opening the link once it is signed.
    pub async fn forecast(
        &self,
        settings: &Settings,
        users: Users<'_>,
        now: Timestamp,
    ) -> Result<Forecast> {
        Forecast::new(&self.judged, settings, users, now).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::instance::{Hosted, Name};
    use crate::link::BaseUrl;
    use crate::link::compose::{LinkSpec, claims};
    use crate::protocol::email::Email;
    use crate::protocol::payload::Payload;

    fn settings() -> Settings {
        let url = BaseUrl::parse("https://chat.acme.example").unwrap();
        Settings::new(Name::parse("Acme").unwrap(), url, Hosted::Here)
    }

    fn outline(settings: &Settings) -> (Claims, Outline) {
        let email = Email::parse("ada@acme.example", "email").unwrap();
        let spec = LinkSpec::new(Payload::Email(email), "7 days".parse().unwrap());
        let now = Timestamp::from_second(1_795_300_000).unwrap();
        let claims = claims(spec, now).unwrap();
        let outline = Outline::new(settings, claims.clone(), now).unwrap();
        (claims, outline)
    }

    #[test]
    fn an_outline_is_the_signed_link_without_its_signature() {
        let settings = settings();
        let (claims, outline) = outline(&settings);
        let key = SigningKey::generate(settings.algorithm).unwrap();
        let composed = signed(&settings.target(), &key, claims).unwrap();
        assert_eq!(outline.link.signature, "");
        assert_eq!(
            LoginLink {
                signature: composed.link.signature.clone(),
                ..outline.link
            },
            composed.link
        );
        let (expected, shown) = (
            Qr::for_url(&composed.link.url()).unwrap(),
            outline.qr.unwrap(),
        );
        assert_eq!(shown.version(), expected.version());
        assert_ne!(shown.path(), expected.path(), "nobody can scan the link");
        assert!(outline.claims_json.contains("ada@acme.example"));
        assert!(outline.header_json.contains("HS256"));
    }
}
