//! Forecasts: what would happen if a link were opened now, or what has happened, as a title and a
//! sentence.

use jiff::Timestamp;
use serde::Serialize;

use crate::directory::Directory;
use crate::inspect::diagnosis::{self, Hint};
use crate::instance::Settings;
use crate::protocol::account_end::AccountEnd;
use crate::protocol::code::{CodeRefusal, VerifiedCode};
use crate::protocol::payload::Payload;
use crate::protocol::user_id::UserId;
use crate::typingmind::{UserCopy, known};
use crate::verdict::{Refusal, Verdict};
use crate::{Error, Result, time};

/// Tone of a forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// The link works.
    Good,
    /// The link works, but there is something to know first.
    Caution,
    /// The link is refused.
    Refused,
}

/// Forecast of opening a link now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Forecast {
    /// Tone of the forecast.
    pub tone: Tone,
    /// Title, such as `Signs in ada`.
    pub title: String,
    /// Sentence with details, and what to do about a refusal.
    pub detail: String,
    /// Stable code of the verdict. `None` for a code that verifies if the users are not known here.
    pub verdict: Option<&'static str>,
    /// User whom the link signs in or would create.
    #[cfg_attr(feature = "ts", ts(as = "Option<String>"))]
    pub user: Option<UserId>,
    /// Time for which the person stays signed in, if that is decided here.
    pub stay: Option<String>,
    /// The refusal, for which Studio finds its hint.
    #[serde(skip)]
    pub refusal: Option<Refusal>,
}

/// Access to the users of an instance.
#[derive(Clone, Copy)]
pub enum Users<'a> {
    /// Another server has the users, and there is no copy here.
    Elsewhere,
    /// TypingMind has the users, and this is a copy.
    Copied(&'a UserCopy),
    /// The users are in this directory.
    Here(&'a dyn Directory),
    /// The users are here, but their directory cannot be opened.
    OutOfReach(&'a Error),
}

pub use crate::protocol::code::recognize::Judged;

impl Forecast {
    /// Returns the forecast for a verified or refused code at an instance with these settings. The
    /// verdict is the same as that of redeeming.
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
            Users::Copied(copy) => Ok(match code {
                Ok(verified) => {
                    let known = known(&verified.payload, copy, now);
                    let detail = format!("{}{}", known.sentence, not_enforced(verified));
                    let mut forecast = Self::verifies(verified, detail, now);
                    if known.exists == Some(false) {
                        forecast.tone = Tone::Caution;
                    }
                    forecast
                }
                Err(refused) => Self::refused(&Refusal::Code(refused.clone()), now),
            }),
            Users::Elsewhere => Ok(match code {
                Ok(verified) => Self::verifies(verified, elsewhere(verified, settings), now),
                Err(refused) => Self::refused(&Refusal::Code(refused.clone()), now),
            }),
        }
    }

    /// Adds the time for which the person stays signed in.
    fn staying(mut self, code: Option<&VerifiedCode>, settings: &Settings) -> Self {
        let expires_at = code.and_then(|code| code.registered.expires_at);
        self.stay = Some(settings.session_rules().stay(expires_at));
        self
    }

    /// Returns the forecast for the link in which the code was found. If that link does not open at
    /// the instance, the forecast is about the code in another link.
    #[must_use]
    pub fn for_link(mut self, hints: &[Hint]) -> Self {
        if self.tone != Tone::Refused && diagnosis::opens_elsewhere(hints) {
            self.tone = Tone::Caution;
            self.detail
                .insert_str(0, "Only in a link of this instance. ");
        }
        self
    }

    /// Returns the forecast for a code without a key to verify it.
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

    /// Returns what redeeming a code has done.
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
                    detail: format!("The link {terms}.{profile}{}", keeps_end(code)),
                    verdict: Some(verdict.code()),
                    user: Some(user.clone()),
                    stay: None,
                    refusal: None,
                }
            }
            Verdict::Provisioned { user, seat, limit } => Self {
                tone,
                title: format!("Creates {user}: {}", seat_of(*seat, *limit)),
                detail: format!(
                    "There is no such user yet. The link {terms}.{}",
                    account_end(code, now)
                ),
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
            Refusal::Code(CodeRefusal::NotYetValid {
                at, never: false, ..
            }) => (
                Tone::Caution,
                format!("Begins to work {}", time::relative(*at, now)),
                "Until then it is refused as not yet valid.".to_owned(),
            ),
            _ => (
                Tone::Refused,
                format!("Refused: {}", refusal.title()),
                refusal.shown_detail(),
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

    /// Returns the forecast for a code of which only the verification is known.
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

/// Describes the lifetime of a code and its uses, such as `expires in 7 days, works once`.
fn terms(code: &VerifiedCode, now: Timestamp) -> String {
    let expiry = code.registered.expires_at.map_or_else(
        || "never expires".to_owned(),
        |at| format!("expires {}", time::relative(at, now)),
    );
    match code.registered.uses.limit() {
        None => expiry,
        Some(1) => format!("{expiry}, works once"),
        Some(uses) => format!("{expiry}, works {uses} times"),
    }
}

/// Describes the end of the account that a code creates, as a sentence to add.
fn account_end(code: Option<&VerifiedCode>, now: Timestamp) -> String {
    match code.and_then(|code| code.registered.account_end) {
        None => String::new(),
        Some(AccountEnd::At(at)) => format!(
            " The account ends {}, at {}.",
            time::relative(at, now),
            time::exact(at)
        ),
        Some(end @ AccountEnd::AfterDays(_)) => {
            format!(" The account ends {end} after the first sign-in.")
        }
    }
}

/// Says that the account of an existing user keeps its end, if the code has another, as a sentence
/// to add.
fn keeps_end(code: Option<&VerifiedCode>) -> &'static str {
    match code.and_then(|code| code.registered.account_end) {
        None => "",
        Some(_) => " The user exists, so the end of the account in the link does not count.",
    }
}

/// Says that another application does not enforce the end of the account, as a sentence to add.
fn not_enforced(code: &VerifiedCode) -> &'static str {
    match code.registered.account_end {
        None => "",
        Some(_) => " The end of the account in the link is not enforced there.",
    }
}

fn seat_of(seat: u64, limit: Option<u64>) -> String {
    limit.map_or_else(
        || format!("seat {seat}, no limit"),
        |limit| format!("seat {seat} of {limit}"),
    )
}

fn elsewhere(code: &VerifiedCode, settings: &Settings) -> String {
    let (subject, host) = (code.payload.subject(), settings.url.authority());
    let end = not_enforced(code);
    match &code.payload {
        Payload::User(_) => format!(
            "Whether {subject} exists at {host} already, or takes a seat, is not known: there is no copy of its users here.{end}"
        ),
        _ => format!(
            "Whether {subject} exists at {host} is not known: there is no copy of its users here."
        ),
    }
}
