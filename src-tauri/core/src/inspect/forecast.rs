//! What would happen if a link were opened now, or what has, in a title and a sentence.

use jiff::Timestamp;
use serde::Serialize;

use crate::directory::Directory;
use crate::instance::Settings;
use crate::protocol::code::{CodeRefusal, VerifiedCode};
use crate::protocol::payload::Payload;
use crate::protocol::user_id::UserId;
use crate::verdict::{Refusal, Verdict};
use crate::{Error, Result, time};

/// How a forecast sounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
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
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Forecast {
    /// How it sounds.
    pub tone: Tone,
    /// `Signs in ada`.
    pub title: String,
    /// What else is known, or is not, and what to do about it.
    pub detail: String,
    /// The verdict's stable code; `None` for a code that verifies where the users are not known.
    pub verdict: Option<&'static str>,
    /// The user whom it is about, where there is one or would be.
    #[cfg_attr(feature = "ts", ts(as = "Option<String>"))]
    pub user: Option<UserId>,
    /// How long the person stays signed in, where that is decided here.
    pub stay: Option<String>,
    /// The refusal, by which Studio finds its hint.
    #[serde(skip)]
    pub refusal: Option<Refusal>,
}

/// What can be asked about the users of an instance.
#[derive(Clone, Copy)]
pub enum Users<'a> {
    /// Another server knows them, and there is no copy of them here.
    Elsewhere,
    /// They are here.
    Here(&'a dyn Directory),
    /// They are here and cannot be looked at.
    OutOfReach(&'a Error),
}

pub use crate::protocol::code::recognize::Judged;

impl Forecast {
    /// The forecast for a code that was judged by itself, for an instance with these settings. What
    /// the directory says is what redeeming would say: it is the same verdict.
    pub async fn new(
        judged: &Judged,
        settings: &Settings,
        users: Users<'_>,
        now: Timestamp,
    ) -> Result<Self> {
        let code = judged.as_deref();
        match users {
            Users::Here(directory) => {
                let verdict = directory.dry_run(code, settings.policy).await?;
                let forecast = Self::of_verdict(&verdict, code.ok(), now);
                Ok(match verdict {
                    Verdict::Refused(_) => forecast,
                    _ => forecast.staying(code.ok(), settings),
                })
            }
            Users::OutOfReach(why) => Ok(match code {
                Ok(verified) => {
                    let subject = verified.payload.subject();
                    let detail = format!("What it does for {subject} is not known now. {why}");
                    Self::verifies(verified, detail, now).staying(Some(verified), settings)
                }
                Err(refused) => Self::refused(&Refusal::Code(refused.clone()), now),
            }),
            Users::Elsewhere => Ok(match code {
                Ok(verified) => Self::verifies(verified, elsewhere(verified, settings), now),
                Err(refused) => Self::refused(&Refusal::Code(refused.clone()), now),
            }),
        }
    }

    /// Says how long the person stays signed in.
    fn staying(mut self, code: Option<&VerifiedCode>, settings: &Settings) -> Self {
        let expires_at = code.and_then(|code| code.registered.expires_at);
        self.stay = Some(settings.session_rules().stay(expires_at));
        self
    }

    /// For a code that there was no key to check with.
    #[must_use]
    pub fn unchecked(why: Option<&Error>) -> Self {
        Self {
            tone: Tone::Caution,
            title: "Not checked".into(),
            detail: why.map_or_else(
                || "There was no signing key to check it with.".to_owned(),
                ToString::to_string,
            ),
            verdict: None,
            user: None,
            stay: None,
            refusal: None,
        }
    }

    /// What a code has done.
    #[must_use]
    pub fn redeemed(verdict: &Verdict, now: Timestamp) -> Self {
        match verdict {
            Verdict::SignedIn {
                user,
                refreshes_profile,
            } => Self {
                tone: Tone::Good,
                title: format!("Signed in {user}"),
                detail: if *refreshes_profile {
                    "The sign-in is recorded, and the profile is taken from the code.".into()
                } else {
                    "The sign-in is recorded.".into()
                },
                verdict: Some(verdict.code()),
                user: Some(user.clone()),
                stay: None,
                refusal: None,
            },
            Verdict::Provisioned { user, seat, limit } => Self {
                tone: Tone::Good,
                title: format!("Created {user}: {}", seat_of(*seat, *limit)),
                detail: "The user is created and signed in.".into(),
                verdict: Some(verdict.code()),
                user: Some(user.clone()),
                stay: None,
                refusal: None,
            },
            Verdict::Refused(refusal) => Self::refused(refusal, now),
        }
    }

    fn of_verdict(verdict: &Verdict, code: Option<&VerifiedCode>, now: Timestamp) -> Self {
        let terms = code.map(|code| terms(code, now)).unwrap_or_default();
        let never = code.is_some_and(|code| code.registered.expires_at.is_none());
        let tone = if never { Tone::Caution } else { Tone::Good };
        match verdict {
            Verdict::SignedIn {
                user,
                refreshes_profile,
            } => {
                let profile = if *refreshes_profile {
                    " The profile is taken from the code."
                } else {
                    ""
                };
                Self {
                    tone,
                    title: format!("Signs in {user}"),
                    detail: format!("The link {terms}.{profile}"),
                    verdict: Some(verdict.code()),
                    user: Some(user.clone()),
                    stay: None,
                    refusal: None,
                }
            }
            Verdict::Provisioned { user, seat, limit } => Self {
                tone,
                title: format!("Creates {user}: {}", seat_of(*seat, *limit)),
                detail: format!("There is no such user yet. The link {terms}."),
                verdict: Some(verdict.code()),
                user: Some(user.clone()),
                stay: None,
                refusal: None,
            },
            Verdict::Refused(refusal) => Self::refused(refusal, now),
        }
    }

    fn refused(refusal: &Refusal, now: Timestamp) -> Self {
        let (tone, title, detail) = match refusal {
            Refusal::Code(CodeRefusal::NotYetValid { at, .. }) => (
                Tone::Caution,
                format!("Begins to work {}", time::relative(*at, now)),
                "Until then it is refused as not yet valid.".to_owned(),
            ),
            _ => (
                Tone::Refused,
                format!("Refused: {}", refusal.title()),
                refusal.shown(),
            ),
        };
        Self {
            tone,
            title,
            detail,
            verdict: Some(refusal.code()),
            user: refusal.user().cloned(),
            stay: None,
            refusal: Some(refusal.clone()),
        }
    }

    /// For a code of which no more is known than that it verifies.
    fn verifies(code: &VerifiedCode, detail: String, now: Timestamp) -> Self {
        Self {
            tone: if code.registered.expires_at.is_some() {
                Tone::Good
            } else {
                Tone::Caution
            },
            title: format!("Verifies, {}", terms(code, now)),
            detail,
            verdict: None,
            user: None,
            stay: None,
            refusal: None,
        }
    }
}

/// How long a code works and how often: `expires in 7 days, works once`.
fn terms(code: &VerifiedCode, now: Timestamp) -> String {
    let expiry = code.registered.expires_at.map_or_else(
        || "never expires".to_owned(),
        |at| format!("expires {}", time::relative(at, now)),
    );
    let once = if code.registered.single_use {
        ", works once"
    } else {
        ""
    };
    expiry + once
}

fn seat_of(seat: u64, limit: Option<u64>) -> String {
    limit.map_or_else(
        || format!("seat {seat}, no limit"),
        |limit| format!("seat {seat} of {limit}"),
    )
}

fn elsewhere(code: &VerifiedCode, settings: &Settings) -> String {
    let (subject, host) = (code.payload.subject(), settings.url.authority());
    match &code.payload {
        Payload::User(_) => format!(
            "Whether {subject} exists at {host} already, or takes a seat, is not known: there is no copy of its users here."
        ),
        _ => format!(
            "Whether {subject} exists at {host} is not known: there is no copy of its users here."
        ),
    }
}
