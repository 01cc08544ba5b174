//! The verdict: what opening a code does, decided in one place and without doing it.
//!
//! [`judge`] is a pure function of the code, the policy and what the directory knows. Whoever asks
//! what would happen and whoever lets it happen call the same one; only redeeming applies it.

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
    /// May, and takes a seat.
    Active,
    /// May not, also with a valid code, and takes none.
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

/// The user whom a payload names, as far as a verdict depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownUser {
    /// Who it is.
    pub id: UserId,
    /// Whether they may sign in.
    pub status: Status,
    /// When the profile was last set, in Unix seconds: the `iat` of the code that did, or when an
    /// administrator did.
    pub profile_as_of: i64,
    /// Whether an administrator set the profile last, so that the time is this computer's.
    pub profile_set_here: bool,
}

/// The seats that are taken, and how many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Seats {
    /// Taken by active users.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub used: u64,
    /// All there are; no limit, if `None`. It may be lower than what is used.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub limit: Option<u64>,
}

impl Seats {
    /// Whether one more user can be active.
    #[must_use]
    pub fn has_free(self) -> bool {
        self.limit.is_none_or(|limit| self.used < limit)
    }
}

/// What has become of the code's own id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// Nothing: it can be redeemed.
    #[default]
    Open,
    /// Somebody signed in with it. That matters for a single-use code only.
    Used,
    /// The administrator took it back.
    Revoked,
}

/// What a directory knows of a code's payload and id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectoryFacts {
    /// The user whom the payload names: by id, or for `{"email"}` by address.
    pub user: Option<KnownUser>,
    /// For `{"email"}`: all users who have the address, if there are several.
    pub email_sharers: Vec<UserId>,
    /// Another user who has the payload's `user.email`.
    pub email_owner: Option<UserId>,
    /// When a user of that id was last removed, in Unix seconds, if one was. A user may have the id again.
    pub removed_at: Option<i64>,
    /// For `{"email"}`: until when another user had the address, in Unix seconds, if one had.
    pub email_moved_at: Option<i64>,
    /// Whether the code is a link that Latchkey made after the removal, or after the address moved. The order
    /// is known then, and no clocks are compared.
    pub made_since_removal: bool,
    /// Whether the code is a link that Latchkey made after the user was edited.
    pub made_since_edit: bool,
    /// The seats.
    pub seats: Seats,
    /// What has become of the code's id.
    pub link: LinkState,
}

/// What opening a code does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// An existing user is signed in.
    SignedIn {
        /// Who.
        user: UserId,
        /// Whether the profile is taken from the code.
        refreshes_profile: bool,
    },
    /// The user is created, takes a seat, and is signed in.
    Provisioned {
        /// Who.
        user: UserId,
        /// Which seat it takes, counted from 1.
        seat: u64,
        /// How many seats there are, if there is a limit.
        limit: Option<u64>,
    },
    /// Nobody is signed in and nothing is changed.
    Refused(Refusal),
}

/// Why nobody is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// External authentication is switched off.
    ExternalAuthOff,
    /// The code by itself is refused.
    Code(CodeRefusal),
    /// The administrator took the link back.
    LinkRevoked,
    /// The link works once, and has.
    LinkAlreadyUsed,
    /// Several users have the address, and the payload names nothing else.
    SharedEmail {
        /// The users who have it.
        users: Vec<UserId>,
    },
    /// There is no such user, and this payload creates none.
    UnknownUser {
        /// The address or the id.
        subject: String,
    },
    /// The user is suspended.
    UserSuspended {
        /// Who.
        user: UserId,
    },
    /// The user was removed after the code was issued, or the code cannot say when it was.
    UserRemoved {
        /// Who.
        subject: String,
        /// When, in Unix seconds.
        at: i64,
        /// Whether that lies in the future: the clock was wrong then, or is now.
        is_ahead: bool,
    },
    /// The address was another user's when the code was issued, or may have been.
    EmailMoved {
        /// It.
        email: String,
        /// Until when, in Unix seconds.
        at: i64,
    },
    /// The address belongs to somebody else.
    EmailInUse {
        /// Who has it.
        owner: UserId,
    },
    /// The user would be created, and the instance creates none.
    ProvisioningOff {
        /// Who.
        user: UserId,
    },
    /// The user would be created, and there is no seat.
    NoSeats {
        /// The seats.
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
    // A code from before a removal stays out, also when the id was given to a user again, and one for an
    // address that was somebody else's at the time. A code without `iat` may be such a one. A moment that
    // lies in the future proves no order.
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
        // A code that does not say when it was issued cannot show that it is newer.
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
    /// Who is signed in by it; nobody, where it is a refusal.
    #[must_use]
    pub const fn user(&self) -> Option<&UserId> {
        match self {
            Self::SignedIn { user, .. } | Self::Provisioned { user, .. } => Some(user),
            Self::Refused(_) => None,
        }
    }

    /// The stable code: `signed_in`, `no_seats`.
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
    /// The existing user whom it is about, if there is one.
    #[must_use]
    pub fn user(&self) -> Option<&UserId> {
        match self {
            Self::UserSuspended { user } => Some(user),
            Self::EmailInUse { owner } => Some(owner),
            _ => None,
        }
    }

    /// In a few words, after 'Refused:'.
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

    /// The sentence for the administrator who looks at the code. It may quote a code that does not
    /// verify, which `Display` never does.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Code(refusal) => refusal.shown(),
            other => other.to_string(),
        }
    }

    /// The stable code.
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

    /// The sentence for the visitor, who may be anybody: it names nobody and says nothing of who
    /// exists.
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

/// The sentence for the administrator that the activity has: what is wrong, and what to do.
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
