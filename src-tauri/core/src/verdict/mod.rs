//! The verdict on a code: what opening it does. It is decided only here.
//!
//! [`judge`] is a pure function of the code, the policy and the facts of the directory. The dry run
//! shows its verdict. Redeeming the code applies the verdict.

mod policy;
mod refusal;
mod seats;

use std::convert::Infallible;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use policy::Policy;
pub use refusal::{RecordedRefusal, Refusal};
pub use seats::Seats;

use crate::protocol::account_end::AccountEnd;
use crate::protocol::code::{CodeFault, CodeRefusal, VerifiedCode};
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
    /// The account has ended. The user may not sign in, even with a valid code, and takes no seat.
    Ended,
}

impl Status {
    /// Returns the stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Ended => "ended",
        }
    }
}

/// The user whom a payload names, with the fields that a verdict depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownUser {
    /// ID of the user.
    pub id: UserId,
    /// Whether the user may sign in now.
    pub status: Status,
    /// Time when the account ends or has ended, in Unix seconds.
    pub ends_at: Option<i64>,
    /// Time when the profile was last set, in Unix seconds: `iat` of the code that did, or the time
    /// when an administrator did.
    pub profile_as_of: i64,
    /// Whether an administrator set the profile last, so that the time is that of this computer.
    pub profile_set_here: bool,
}

/// State of the code in the directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// The code can be redeemed.
    #[default]
    Open,
    /// The code has no uses left.
    Used,
    /// The administrator has revoked the code.
    Revoked,
    /// A later link of the same person has replaced the code.
    Superseded,
    /// The code has the ID of a link for another person.
    OfAnother,
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

/// Result of opening a code. `C` is the fault of a code by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict<C = CodeRefusal> {
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
    Refused(Refusal<C>),
}

/// Verdict without any text of an unverified code.
pub type RecordedVerdict = Verdict<CodeFault>;

impl<C> Verdict<C> {
    /// Converts the fault of a code by itself. Keeps all other verdicts.
    pub(crate) fn try_map<D, E>(
        self,
        convert: impl FnOnce(C) -> Result<D, E>,
    ) -> Result<Verdict<D>, E> {
        Ok(match self {
            Self::SignedIn {
                user,
                refreshes_profile,
            } => Verdict::SignedIn {
                user,
                refreshes_profile,
            },
            Self::Provisioned { user, seat, limit } => Verdict::Provisioned { user, seat, limit },
            Self::Refused(refusal) => Verdict::Refused(refusal.try_map(convert)?),
        })
    }
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

/// Returns the verdict on a short link that is not in the ledger.
#[must_use]
pub fn unknown_link(policy: Policy) -> Verdict {
    let refusal = if policy.external_auth {
        Refusal::UnknownLink
    } else {
        Refusal::ExternalAuthOff
    };
    Verdict::Refused(refusal)
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
        LinkState::Superseded => return Err(Refusal::LinkSuperseded),
        LinkState::Used => return Err(Refusal::LinkAlreadyUsed),
        LinkState::OfAnother | LinkState::Open => {}
    }
    if let (Payload::Email(_), [_, _, ..]) = (&code.payload, known.email_sharers.as_slice()) {
        return Err(Refusal::SharedEmail {
            users: known.email_sharers.clone(),
        });
    }
    match (&known.user, &code.payload) {
        (Some(user), payload) => returning(user, payload, code, policy, known),
        (None, _) if known.link == LinkState::OfAnother => Err(Refusal::UnknownLink),
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
    match user.status {
        Status::Active => {}
        Status::Suspended => {
            return Err(Refusal::UserSuspended {
                user: user.id.clone(),
            });
        }
        Status::Ended => {
            return Err(Refusal::UserEnded {
                user: user.id.clone(),
                at: user.ends_at.unwrap_or(code.judged_at),
            });
        }
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
    // The code of an earlier owner of the address is refused above, which says why.
    if known.link == LinkState::OfAnother {
        return Err(Refusal::UnknownLink);
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
    if let Some(AccountEnd::At(at)) = code.registered.account_end
        && at <= code.judged_at
    {
        return Err(Refusal::AccountOver {
            user: user.id.clone(),
            at,
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
    pub fn code(&self) -> &'static str {
        match self {
            Self::SignedIn { .. } => "signed_in",
            Self::Provisioned { .. } => "provisioned",
            Self::Refused(refusal) => refusal.code(),
        }
    }

    /// Returns the verdict without any text of an unverified code.
    #[must_use]
    pub fn recorded(&self) -> RecordedVerdict {
        let recorded = self.clone();
        match recorded.try_map(|refused| Ok::<_, Infallible>(refused.fault())) {
            Ok(recorded) => recorded,
            Err(never) => match never {},
        }
    }
}
