//! The verdict on a code: what opening it does. It is decided here only, without changing anything.
//!
//! [`judge`] is a pure function of the code, the policy and the facts of the directory. The dry run
//! and the redemption call it alike; only the redemption applies the verdict.

mod policy;

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use policy::Policy;

use crate::protocol::code::{CodeRefusal, VerifiedCode};

use crate::protocol::payload::{NewUser, Payload};
use crate::protocol::user_id::UserId;
use crate::time;

/// Whether a user may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
#[schema(as = UserStatus)]
pub enum Status {
    /// The user may sign in, and takes a seat.
    Active,
    /// The user may not sign in, even with a valid code, and takes no seat.
    Suspended,
}

impl Status {
    /// Returns the stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }
}

/// The user whom a payload names, with the fields that a verdict depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownUser {
    /// ID of the user.
    pub id: UserId,
    /// Whether the user may sign in.
    pub status: Status,
    /// Time when the profile was last set, in Unix seconds: `iat` of the code that did, or the time
    /// when an administrator did.
    pub profile_as_of: i64,
    /// Whether an administrator set the profile last, so that the time is that of this computer.
    pub profile_set_here: bool,
}

/// Number of used seats, and of all seats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Seats {
    /// Number of seats that active users take.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub used: u64,
    /// Number of all seats. `None` for no limit. It may be lower than that of used seats.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub limit: Option<u64>,
}

impl Seats {
    /// Returns whether one more user can be active.
    #[must_use]
    pub fn has_free(self) -> bool {
        self.limit.is_none_or(|limit| self.used < limit)
    }
}

/// State of the code in the directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// The code can be redeemed.
    #[default]
    Open,
    /// A user has signed in by the code. It counts for a single-use code only.
    Used,
    /// The administrator has revoked the code.
    Revoked,
}

/// Facts of a directory that a verdict depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectoryFacts {
    /// User whom the payload names: by ID, or for `{"email"}` by address.
    pub user: Option<KnownUser>,
    /// For `{"email"}`: all users who have the address, if there are several.
    pub email_sharers: Vec<UserId>,
    /// Another user who has the payload's `user.email`.
    pub email_owner: Option<UserId>,
    /// Time of the last removal of a user with that ID, in Unix seconds. A user may have the ID
    /// again.
    pub removed_at: Option<i64>,
    /// For `{"email"}`: time until which another user had the address, in Unix seconds.
    pub email_moved_at: Option<i64>,
    /// Whether the code is a link that Latchkey made after the removal, or after the address moved.
    /// The order is then known without comparing clocks.
    pub made_since_removal: bool,
    /// Whether the code is a link that Latchkey made after the user was edited.
    pub made_since_edit: bool,
    /// Seats of the instance.
    pub seats: Seats,
    /// State of the code.
    pub link: LinkState,
}

/// Result of opening a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// An existing user is signed in.
    SignedIn {
        /// ID of the user.
        user: UserId,
        /// Whether the profile is taken from the code.
        refreshes_profile: bool,
    },
    /// The user is created, takes a seat, and is signed in.
    Provisioned {
        /// ID of the user.
        user: UserId,
        /// Number of the seat, counted from 1.
        seat: u64,
        /// Number of seats, if there is a limit.
        limit: Option<u64>,
    },
    /// Nobody is signed in, and nothing is changed.
    Refused(Refusal),
}

/// Reason of a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// External authentication is switched off.
    ExternalAuthOff,
    /// The code by itself is refused.
    Code(CodeRefusal),
    /// The administrator has revoked the link.
    LinkRevoked,
    /// The single-use link was already used.
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
}

/// Judges a code.
#[must_use]
pub fn judge(
    code: Result<&VerifiedCode, &CodeRefusal>,
    policy: Policy,
    known: &DirectoryFacts,
) -> Verdict {
    judged(code, policy, known).unwrap_or_else(Verdict::Refused)
}

fn judged(
    code: Result<&VerifiedCode, &CodeRefusal>,
    policy: Policy,
    known: &DirectoryFacts,
) -> Result<Verdict, Refusal> {
    if !policy.external_auth {
        return Err(Refusal::ExternalAuthOff);
    }
    let code = code.map_err(|refused| Refusal::Code(refused.clone()))?;
    match known.link {
        LinkState::Revoked => return Err(Refusal::LinkRevoked),
        LinkState::Used if code.registered.single_use => return Err(Refusal::LinkAlreadyUsed),
        LinkState::Used | LinkState::Open => {}
    }
    if let (Payload::Email(_), [_, _, ..]) = (&code.payload, known.email_sharers.as_slice()) {
        return Err(Refusal::SharedEmail {
            users: known.email_sharers.clone(),
        });
    }
    match (&known.user, &code.payload) {
        (Some(user), payload) => returning(user, payload, code, policy, known),
        (None, Payload::User(user)) => new(user, code, policy, known),
        (None, Payload::Id(_) | Payload::Email(_)) => Err(absent(code, known)),
    }
}

fn returning(
    user: &KnownUser,
    payload: &Payload,
    code: &VerifiedCode,
    policy: Policy,
    known: &DirectoryFacts,
) -> Result<Verdict, Refusal> {
    if user.status == Status::Suspended {
        return Err(Refusal::UserSuspended {
            user: user.id.clone(),
        });
    }
    // A code from before a removal stays refused, even if a user has the ID again. So does a code
    // for an address that belonged to another user at the time. A code without `iat` may be such a
    // code. A recorded time in the future proves no order.
    let may_be_before = |at: &i64| {
        let is_after = known.made_since_removal || code.is_issued_after(*at);
        !is_after && !time::is_ahead(*at, code.judged_at)
    };
    if let Some(at) = known.removed_at.filter(may_be_before) {
        return Err(removed(user.id.as_str(), at, code));
    }
    if let Some(at) = known.email_moved_at.filter(may_be_before) {
        return Err(Refusal::EmailMoved {
            email: code.payload.subject().to_owned(),
            at,
        });
    }
    let brings_profile = matches!(payload, Payload::User(_));
    if brings_profile {
        refuse_foreign_email(known)?;
    }
    let is_newer = known.made_since_edit
        || if user.profile_set_here {
            code.is_issued_after(user.profile_as_of)
        } else {
            // Both times are of the issuer's clock.
            let issued_at = code.registered.issued_at;
            issued_at.is_some_and(|issued_at| issued_at > user.profile_as_of)
        };
    Ok(Verdict::SignedIn {
        user: user.id.clone(),
        refreshes_profile: brings_profile && policy.refresh_profile && is_newer,
    })
}

fn new(
    user: &NewUser,
    code: &VerifiedCode,
    policy: Policy,
    known: &DirectoryFacts,
) -> Result<Verdict, Refusal> {
    if let Some(at) = known.removed_at {
        // A code without `iat` cannot prove that it is newer.
        if !known.made_since_removal && !code.is_issued_after(at) {
            return Err(removed(user.id.as_str(), at, code));
        }
    }
    refuse_foreign_email(known)?;
    if !policy.provisioning {
        return Err(Refusal::ProvisioningOff {
            user: user.id.clone(),
        });
    }
    if !known.seats.has_free() {
        return Err(Refusal::NoSeats { seats: known.seats });
    }
    Ok(Verdict::Provisioned {
        user: user.id.clone(),
        seat: known.seats.used + 1,
        limit: known.seats.limit,
    })
}

fn absent(code: &VerifiedCode, known: &DirectoryFacts) -> Refusal {
    let subject = code.payload.subject();
    match known.removed_at {
        Some(at) => removed(subject, at, code),
        None => Refusal::UnknownUser {
            subject: subject.to_owned(),
        },
    }
}

fn removed(subject: &str, at: i64, code: &VerifiedCode) -> Refusal {
    Refusal::UserRemoved {
        subject: subject.to_owned(),
        at,
        is_ahead: time::is_ahead(at, code.judged_at),
    }
}

fn refuse_foreign_email(known: &DirectoryFacts) -> Result<(), Refusal> {
    match &known.email_owner {
        Some(owner) => Err(Refusal::EmailInUse {
            owner: owner.clone(),
        }),
        None => Ok(()),
    }
}

impl Verdict {
    /// Returns the user who is signed in. `None` for a refusal.
    #[must_use]
    pub const fn user(&self) -> Option<&UserId> {
        match self {
            Self::SignedIn { user, .. } | Self::Provisioned { user, .. } => Some(user),
            Self::Refused(_) => None,
        }
    }

    /// Returns the stable code, such as `signed_in` or `no_seats`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::SignedIn { .. } => "signed_in",
            Self::Provisioned { .. } => "provisioned",
            Self::Refused(refusal) => refusal.code(),
        }
    }
}

impl Refusal {
    /// Returns the existing user whom the refusal is about, if there is one.
    #[must_use]
    pub fn user(&self) -> Option<&UserId> {
        match self {
            Self::UserSuspended { user } => Some(user),
            Self::EmailInUse { owner } => Some(owner),
            _ => None,
        }
    }

    /// Returns a title of a few words. It follows 'Refused:'.
    #[must_use]
    pub fn title(&self) -> String {
        match self {
            Self::ExternalAuthOff => "external authentication is off".into(),
            Self::Code(refusal) => refusal.title().into(),
            Self::LinkRevoked => "the link was revoked".into(),
            Self::LinkAlreadyUsed => "the link has been used".into(),
            Self::SharedEmail { users } => format!("{} users have the email", users.len()),
            Self::UnknownUser { subject } => format!("there is no user {subject}"),
            Self::UserSuspended { user } => format!("{user} is suspended"),
            Self::UserRemoved { subject, .. } => format!("{subject} was removed"),
            Self::EmailMoved { email, .. } => format!("{email} was another user's"),
            Self::EmailInUse { owner } => format!("the email belongs to {owner}"),
            Self::ProvisioningOff { .. } => "links create no users here".into(),
            Self::NoSeats { .. } => "no seats left".into(),
        }
    }

    /// Returns the sentence for the administrator who inspects the code. Unlike `Display`, it may
    /// quote an unverified code.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Code(refusal) => refusal.shown(),
            other => other.to_string(),
        }
    }

    /// Returns the stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ExternalAuthOff => "external_auth_off",
            Self::Code(refusal) => refusal.code(),
            Self::LinkRevoked => "link_revoked",
            Self::LinkAlreadyUsed => "link_already_used",
            Self::SharedEmail { .. } => "ambiguous_payload",
            Self::UnknownUser { .. } => "unknown_user",
            Self::UserSuspended { .. } => "user_suspended",
            Self::UserRemoved { .. } | Self::EmailMoved { .. } => "user_removed",
            Self::EmailInUse { .. } => "email_in_use",
            Self::ProvisioningOff { .. } => "provisioning_off",
            Self::NoSeats { .. } => "no_seats",
        }
    }

    /// Returns the sentence for the visitor, who may be anybody. It names nobody and does not
    /// reveal who exists.
    #[must_use]
    pub const fn for_visitor(&self) -> &'static str {
        match self {
            Self::NoSeats { .. } => {
                "There is no seat left. Ask whoever gave you this link to make room, then open it again."
            }
            Self::Code(CodeRefusal::Expired { .. }) | Self::LinkAlreadyUsed => {
                "This link does not work any more. Ask whoever gave it to you for a new one."
            }
            Self::Code(CodeRefusal::NotYetValid { .. }) => {
                "This link does not work yet. Open it again later."
            }
            _ => "This link does not work. Ask whoever gave it to you for another.",
        }
    }
}

/// Writes the sentence of the activity for the administrator: what is wrong, and what to do.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ExternalAuthOff => f.write_str(
                "External authentication is off, so every code is refused. Switch it on.",
            ),
            Self::Code(refusal) => refusal.fmt(f),
            Self::LinkRevoked => f.write_str("The link was revoked. Make a new one."),
            Self::LinkAlreadyUsed => f.write_str(
                "The link works once, and somebody has signed in with it. Make a new one.",
            ),
            Self::SharedEmail { users } => {
                let users: Vec<&str> = users.iter().map(UserId::as_str).collect();
                write!(
                    f,
                    "The email belongs to {}, so the code names nobody. Give all of them but one another email, or make a link by ID.",
                    users.join(" and ")
                )
            }
            Self::UnknownUser { subject } => write!(
                f,
                "There is no user {subject}, and this kind of payload creates none. Add the user, or make a link for a new user."
            ),
            Self::UserSuspended { user } => {
                write!(f, "{user} is suspended. Reactivate the user first.")
            }
            Self::UserRemoved {
                subject,
                at,
                is_ahead: true,
            } => write!(
                f,
                "{subject} was removed, and the recorded time, {}, lies in the future: this computer's clock was wrong then, or is now. Set the clock, then set the recorded times to now.",
                time::exact(*at)
            ),
            Self::UserRemoved { subject, at, .. } => write!(
                f,
                "{subject} was removed at {}, and this code does not bring the user back. Make a new link for a new user.",
                time::exact(*at)
            ),
            Self::EmailMoved { email, at } => write!(
                f,
                "{email} was another user's until {}, and this code does not show that it was issued later. Make a new link.",
                time::exact(*at)
            ),
            Self::EmailInUse { owner } => write!(
                f,
                "The email belongs to {owner} already. Use another, or change that user's."
            ),
            Self::ProvisioningOff { user } => write!(
                f,
                "{user} would be created, and this instance creates no users from links. Add the user, or change the policy."
            ),
            Self::NoSeats { seats } if seats.limit == Some(1) => f.write_str(
                "The only seat is taken. Suspend or remove somebody, or raise the limit.",
            ),
            Self::NoSeats { seats } => write!(
                f,
                "All {} seats are taken. Suspend or remove somebody, or raise the limit.",
                seats.limit.unwrap_or(seats.used)
            ),
        }
    }
}
