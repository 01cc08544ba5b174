//! Reasons of refusals. Each has a sentence for the visitor, a sentence for the administrator, a
//! title and a stable code.

use std::convert::Infallible;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::seats::Seats;
use crate::protocol::code::{CodeFault, CodeRefusal, Sentences};
use crate::protocol::user_id::UserId;
use crate::time;

/// Reason of a refusal. `C` is the fault of a code by itself.
///
/// The names of [`RecordedRefusal`] are stored, so they never change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Refusal<C = CodeRefusal> {
    /// External authentication is switched off.
    ExternalAuthOff,
    /// The code by itself is refused.
    Code(C),
    /// The administrator has revoked the link.
    LinkRevoked,
    /// A later link of the same person has replaced the link.
    LinkSuperseded,
    /// The link has no uses left.
    LinkAlreadyUsed,
    /// Several users have the address, and the payload names nothing else.
    SharedEmail {
        /// Users who have the address.
        users: Vec<UserId>,
    },
    /// The user does not exist, and this payload creates none.
    UnknownUser {
        /// Address or ID in the payload.
        subject: String,
    },
    /// The user is suspended.
    UserSuspended {
        /// ID of the user.
        user: UserId,
    },
    /// The account of the user has ended.
    UserEnded {
        /// ID of the user.
        user: UserId,
        /// Time of the end, in Unix seconds.
        at: i64,
    },
    /// The user would be created with an account that has ended already.
    AccountOver {
        /// ID in the payload.
        user: UserId,
        /// Time of the end, in Unix seconds.
        at: i64,
    },
    /// The user was removed after the code was issued, or the code does not say when it was issued.
    UserRemoved {
        /// Address or ID of the user.
        subject: String,
        /// Time of the removal, in Unix seconds.
        at: i64,
        /// Whether that time lies in the future, because the clock was wrong then or is wrong now.
        is_ahead: bool,
    },
    /// The address belonged to another user when the code was issued, or may have.
    EmailMoved {
        /// The address.
        email: String,
        /// Time until which it belonged to the other user, in Unix seconds.
        at: i64,
    },
    /// The address belongs to another user.
    EmailInUse {
        /// ID of that user.
        owner: UserId,
    },
    /// The user would be created, but the instance creates no users.
    ProvisioningOff {
        /// ID in the payload.
        user: UserId,
    },
    /// The user would be created, but no seat is free.
    NoSeats {
        /// Seats of the instance.
        seats: Seats,
    },
    /// The ledger has no such short link, or it has the ID of the code for a link of another person.
    UnknownLink,
}

/// Refusal without any text of an unverified code, for records.
pub type RecordedRefusal = Refusal<CodeFault>;

impl<C> Refusal<C> {
    /// Converts the fault of a code by itself. Changes no other refusal.
    pub(crate) fn try_map<D, E>(
        self,
        convert: impl FnOnce(C) -> Result<D, E>,
    ) -> Result<Refusal<D>, E> {
        Ok(match self {
            Self::Code(fault) => Refusal::Code(convert(fault)?),
            Self::ExternalAuthOff => Refusal::ExternalAuthOff,
            Self::LinkRevoked => Refusal::LinkRevoked,
            Self::LinkSuperseded => Refusal::LinkSuperseded,
            Self::LinkAlreadyUsed => Refusal::LinkAlreadyUsed,
            Self::SharedEmail { users } => Refusal::SharedEmail { users },
            Self::UnknownUser { subject } => Refusal::UnknownUser { subject },
            Self::UserSuspended { user } => Refusal::UserSuspended { user },
            Self::UserEnded { user, at } => Refusal::UserEnded { user, at },
            Self::AccountOver { user, at } => Refusal::AccountOver { user, at },
            Self::UserRemoved {
                subject,
                at,
                is_ahead,
            } => Refusal::UserRemoved {
                subject,
                at,
                is_ahead,
            },
            Self::EmailMoved { email, at } => Refusal::EmailMoved { email, at },
            Self::EmailInUse { owner } => Refusal::EmailInUse { owner },
            Self::ProvisioningOff { user } => Refusal::ProvisioningOff { user },
            Self::NoSeats { seats } => Refusal::NoSeats { seats },
            Self::UnknownLink => Refusal::UnknownLink,
        })
    }
}

impl Refusal {
    /// Returns the existing user whom the refusal is about, if there is one.
    #[must_use]
    pub fn user(&self) -> Option<&UserId> {
        match self {
            Self::UserSuspended { user } | Self::UserEnded { user, .. } => Some(user),
            Self::EmailInUse { owner } => Some(owner),
            _ => None,
        }
    }

    /// Returns the refusal without any text of an unverified code.
    #[must_use]
    pub fn recorded(&self) -> RecordedRefusal {
        let recorded = self
            .clone()
            .try_map(|refusal| Ok::<_, Infallible>(refusal.fault()));
        match recorded {
            Ok(recorded) => recorded,
            Err(never) => match never {},
        }
    }

    /// Returns a title of a few words. It follows 'Refused:'.
    #[must_use]
    pub fn title(&self) -> String {
        self.recorded().title()
    }

    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.recorded().code()
    }

    /// Returns the text for the administrator who inspects the code. Unlike `Display`, it may quote
    /// an unverified code.
    #[must_use]
    pub fn shown(&self) -> String {
        self.shown_sentences().to_string()
    }

    /// Returns the part of [`shown`](Self::shown) that the title does not say.
    #[must_use]
    pub fn shown_detail(&self) -> String {
        self.shown_sentences().detail.into_owned()
    }

    fn shown_sentences(&self) -> Sentences {
        self.sentences(CodeRefusal::shown_sentences)
    }

    /// Returns the sentence for the visitor, who may be anybody. It names nobody and does not
    /// reveal who exists.
    #[must_use]
    pub const fn for_visitor(&self) -> &'static str {
        match self {
            Self::NoSeats { .. } => {
                "There is no seat left. Ask whoever gave you this link to make room, then open it again."
            }
            Self::Code(CodeRefusal::Expired { .. })
            | Self::LinkAlreadyUsed
            | Self::LinkSuperseded
            | Self::UserEnded { .. }
            | Self::AccountOver { .. } => {
                "This link does not work any more. Ask whoever gave it to you for a new one."
            }
            Self::Code(CodeRefusal::NotYetValid { .. }) => {
                "This link does not work yet. Open it again later."
            }
            _ => "This link does not work. Ask whoever gave it to you for another.",
        }
    }
}

impl RecordedRefusal {
    /// Returns the part of the text for the administrator that the title does not say.
    #[must_use]
    pub fn detail(&self) -> String {
        self.sentences(|fault| fault.sentences())
            .detail
            .into_owned()
    }

    /// Returns a title of a few words. It follows 'Refused:'.
    #[must_use]
    pub fn title(&self) -> String {
        match self {
            Self::ExternalAuthOff => "external authentication is off".into(),
            Self::Code(fault) => fault.title().into(),
            Self::LinkRevoked => "the link was revoked".into(),
            Self::LinkSuperseded => "a newer link has replaced it".into(),
            Self::LinkAlreadyUsed => "the link has been used".into(),
            Self::SharedEmail { users } => format!("{} users have the email", users.len()),
            Self::UnknownUser { subject } => format!("there is no user {subject}"),
            Self::UserSuspended { user } => format!("{user} is suspended"),
            Self::UserEnded { user, .. } => format!("the account of {user} has ended"),
            Self::AccountOver { user, .. } => format!("the account of {user} would be over"),
            Self::UserRemoved { subject, .. } => format!("{subject} was removed"),
            Self::EmailMoved { email, .. } => format!("{email} was another user's"),
            Self::EmailInUse { owner } => format!("the email belongs to {owner}"),
            Self::ProvisioningOff { .. } => "links create no users here".into(),
            Self::NoSeats { .. } => "no seats left".into(),
            Self::UnknownLink => "there is no such link".into(),
        }
    }

    /// Returns the stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ExternalAuthOff => "external_auth_off",
            Self::Code(fault) => fault.code(),
            Self::LinkRevoked => "link_revoked",
            Self::LinkSuperseded => "link_superseded",
            Self::LinkAlreadyUsed => "link_already_used",
            Self::SharedEmail { .. } => "ambiguous_payload",
            Self::UnknownUser { .. } => "unknown_user",
            Self::UserSuspended { .. } => "user_suspended",
            Self::UserEnded { .. } | Self::AccountOver { .. } => "user_ended",
            Self::UserRemoved { .. } | Self::EmailMoved { .. } => "user_removed",
            Self::EmailInUse { .. } => "email_in_use",
            Self::ProvisioningOff { .. } => "provisioning_off",
            Self::NoSeats { .. } => "no_seats",
            Self::UnknownLink => "unknown_link",
        }
    }
}

impl<C> Refusal<C> {
    /// Returns the sentences for the administrator: what is wrong, and what to do. `of_code` returns
    /// those about the fault of a code.
    fn sentences(&self, of_code: impl FnOnce(&C) -> Sentences) -> Sentences {
        match self {
            Self::Code(fault) => of_code(fault),
            Self::ExternalAuthOff => Sentences::new(
                "External authentication is off.",
                "Every code is refused until it is switched on.",
            ),
            Self::LinkRevoked => Sentences::new("The link was revoked.", "Make a new one."),
            Self::LinkSuperseded => Sentences::new(
                "A newer link has replaced this one.",
                "Only the newest link of this person works. Send that one, or make a new one.",
            ),
            Self::LinkAlreadyUsed => Sentences::new(
                "The link has been used.",
                "It has no uses left. Make a new one.",
            ),
            Self::SharedEmail { users } => {
                let users: Vec<&str> = users.iter().map(UserId::as_str).collect();
                let users = users.join(" and ");
                Sentences::new(
                    "",
                    format!(
                        "The email belongs to {users}, so the code names nobody. Give all of them but one another email, or make a link by ID."
                    ),
                )
            }
            Self::UnknownUser { subject } => Sentences::new(
                format!("There is no user {subject}."),
                "This kind of payload creates none. Add the user, or make a link for a new user.",
            ),
            Self::UserSuspended { user } => Sentences::new(
                format!("{user} is suspended."),
                "Reactivate the user first.",
            ),
            Self::UserEnded { user, at } => Sentences::new(
                format!("The account of {user} has ended."),
                format!(
                    "That was at {}. Extend the account, and the link works again.",
                    time::exact(*at)
                ),
            ),
            Self::AccountOver { user, at } => Sentences::new(
                format!("The account of {user} would be over."),
                format!(
                    "The link says that it ended at {}. Make a new link.",
                    time::exact(*at)
                ),
            ),
            Self::UserRemoved {
                subject,
                at,
                is_ahead,
            } => {
                let at = time::exact(*at);
                let detail = if *is_ahead {
                    format!(
                        "The recorded time of that, {at}, lies in the future: this computer's clock was wrong then, or is now. Set the clock, then set the recorded times to now."
                    )
                } else {
                    format!(
                        "That was at {at}, and this code does not bring the user back. Make a new link for a new user."
                    )
                };
                Sentences::new(format!("{subject} was removed."), detail)
            }
            Self::EmailMoved { email, at } => {
                let at = time::exact(*at);
                Sentences::new(
                    format!("{email} was another user's."),
                    format!(
                        "That was until {at}, and this code does not show that it was issued later. Make a new link."
                    ),
                )
            }
            Self::EmailInUse { owner } => Sentences::new(
                format!("The email belongs to {owner}."),
                "Use another, or change that user's.",
            ),
            Self::ProvisioningOff { user } => Sentences::new(
                "Links create no users here.",
                format!("This one would create {user}. Add the user, or change the policy."),
            ),
            Self::UnknownLink => Sentences::new(
                "There is no such link.",
                "Somebody has mistyped or guessed a short link, its user was removed, or the ID of the code belongs to a link for another person. Make a new link if one is needed.",
            ),
            Self::NoSeats { seats } => Sentences::new(
                "",
                format!(
                    "{} Suspend or remove somebody, or raise the limit.",
                    all_taken(*seats)
                ),
            ),
        }
    }
}

/// Returns a sentence about seats of which none is free.
fn all_taken(Seats { used, limit }: Seats) -> String {
    match limit.unwrap_or(used) {
        limit if used > limit => format!("{used} seats are taken, and the limit is {limit}."),
        1 => "The only seat is taken.".to_owned(),
        limit => format!("All {limit} seats are taken."),
    }
}

/// Writes the sentences of records for the administrator: what is wrong, and what to do.
impl<C: fmt::Display> fmt::Display for Refusal<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sentences(|fault| Sentences::new("", fault.to_string()))
            .fmt(f)
    }
}
