//! What would happen if a link were opened now, in a title and a sentence.

use jiff::Timestamp;
use serde::Serialize;

use crate::code::{CodeRefusal, VerifiedCode};
use crate::instance::{Hosted, Settings};
use crate::payload::Payload;
use crate::time;

/// How a forecast sounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// It will work.
    Good,
    /// It will work, and there is something to know first.
    Caution,
    /// It will be refused.
    Refused,
}

/// What would happen if the link were opened now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Forecast {
    /// How it sounds.
    pub tone: Tone,
    /// `Verifies, expires in 7 days`.
    pub title: String,
    /// What else is known, or is not.
    pub detail: String,
}

impl Forecast {
    /// The forecast for a code that was judged by itself, for an instance with these settings.
    #[must_use]
    pub fn new(
        judged: &Result<Box<VerifiedCode>, CodeRefusal>,
        settings: &Settings,
        now: Timestamp,
    ) -> Self {
        let here = settings.hosted == Hosted::Here;
        if here && !settings.policy.external_auth {
            return Self {
                tone: Tone::Refused,
                title: "Refused: external authentication is off".into(),
                detail: "Every code is refused until it is switched on in Settings.".into(),
            };
        }
        match judged {
            Err(CodeRefusal::NotYetValid { at }) => Self {
                tone: Tone::Caution,
                title: format!("Begins to work {}", time::relative(*at, now)),
                detail: "Until then it is refused as not yet valid.".into(),
            },
            Err(refused) => Self {
                tone: Tone::Refused,
                title: format!("Refused: {}", title_of(refused)),
                detail: refused.to_string(),
            },
            Ok(verified) => Self::of_verified(verified, settings, now),
        }
    }

    fn of_verified(verified: &VerifiedCode, settings: &Settings, now: Timestamp) -> Self {
        let registered = &verified.registered;
        let expiry = registered.expires_at.map_or_else(
            || "never expires".to_owned(),
            |at| format!("expires {}", time::relative(at, now)),
        );
        let once = if registered.single_use {
            ", works once"
        } else {
            ""
        };
        let subject = verified.payload.subject();
        let detail = match (settings.hosted, &verified.payload) {
            (Hosted::Elsewhere, Payload::User(_)) => format!(
                "Whether {subject} exists at {} already, or takes a seat, is not known here.",
                settings.url.authority()
            ),
            (Hosted::Elsewhere, _) => format!(
                "Whether {subject} exists at {} is not known here.",
                settings.url.authority()
            ),
            (Hosted::Here, Payload::User(_)) => {
                format!("Signs in {subject}, and creates the user the first time.")
            }
            (Hosted::Here, _) => format!("Signs in {subject}, if there is such a user."),
        };
        Self {
            tone: if registered.expires_at.is_some() {
                Tone::Good
            } else {
                Tone::Caution
            },
            title: format!("Verifies, {expiry}{once}"),
            detail,
        }
    }
}

fn title_of(refused: &CodeRefusal) -> &'static str {
    match refused {
        CodeRefusal::MalformedCode { .. } => "not a well-formed code",
        CodeRefusal::UnsupportedAlgorithm { .. } => "another algorithm",
        CodeRefusal::BadSignature => "the signature does not match",
        CodeRefusal::Expired { .. } => "expired",
        CodeRefusal::NotYetValid { .. } => "not valid yet",
        CodeRefusal::ExpiryRequired => "an expiry is required",
        CodeRefusal::InvalidPayload { .. } => "invalid payload",
        CodeRefusal::AmbiguousPayload { .. } => "it may name two people",
    }
}
