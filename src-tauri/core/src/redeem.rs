//! Using a code, as whoever opens the link does.

use crate::Result;
use crate::activity::{Event, Occasion};
use crate::code::recognize::recognize;
use crate::code::{CodeRefusal, LEEWAY_SECS, VerifiedCode, verify};
use crate::directory::{Directory, Redemption, User};
use crate::instance::{Policy, Settings, SignInStep};
use crate::lifetime::Lifetime;
use crate::secret::SigningKey;
use crate::session::Session;
use crate::verdict::Verdict;

/// Finds the code in `text`, judges it by the settings of an instance and its keys, and does what
/// the verdict says: it is on disk when this returns, and recorded. A refusal is a verdict, not an error.
///
/// Fails with [`ErrorCode::NoCode`](crate::ErrorCode::NoCode) where there is no code in the text.
pub fn redeem(
    text: &str,
    settings: &Settings,
    keys: &[&SigningKey],
    directory: &dyn Directory,
    by: &Occasion,
) -> Result<Verdict> {
    let found = recognize(text, settings.parameter.as_str())?;
    let code = verify(&found.code, keys, settings.code_rules(), by.at);
    directory.redeem(code.as_ref(), settings.policy, by)
}

/// Who opens a link.
#[derive(Clone, Copy, Debug, Default)]
pub struct Visitor<'a> {
    /// Who is signed in there.
    pub signed_in: Option<&'a User>,
    /// Whether it looks like a program that looks at links, and not like a person.
    pub looks_ahead: bool,
}

/// A code that somebody opens, as it was judged by itself.
#[derive(Debug)]
pub struct Attempt {
    code: std::result::Result<VerifiedCode, CodeRefusal>,
    policy: Policy,
    session: Lifetime,
    step: SignInStep,
    by: Occasion,
}

/// What comes of an attempt before anything is done.
#[derive(Debug)]
pub enum Opening {
    /// Whoever opens it has to say first that they are the one it is for.
    Asks {
        /// What to call whom it is for.
        whom: String,
        /// Whether somebody else is signed in there.
        replaces: bool,
    },
    /// It would be refused, which is said at once, and is to be [recorded](Attempt::refuse).
    Refused(Verdict),
    /// It is to be [redeemed](Attempt::redemption) now.
    Redeems,
}

/// What has become of a code that was redeemed for somebody who stays signed in.
#[derive(Debug)]
pub struct SignIn {
    /// What it did.
    pub verdict: Verdict,
    /// The session, where it is no refusal.
    pub session: Option<Session>,
}

impl Attempt {
    /// Judges a code that came in a link by itself.
    #[must_use]
    pub fn new(code: &str, settings: &Settings, keys: &[&SigningKey], by: Occasion) -> Self {
        Self {
            code: verify(code, keys, settings.code_rules(), by.at),
            policy: settings.policy,
            session: settings.visiting.session,
            step: settings.visiting.step,
            by,
        }
    }

    /// Says whether a click is wanted first: on an instance that says so, for a single-use code, for
    /// a visitor who looks ahead, and before somebody else is signed out. A code that would be refused
    /// is refused at once. Nothing is done.
    pub fn opening(&self, directory: &dyn Directory, visitor: Visitor<'_>) -> Result<Opening> {
        let code = self.code.as_ref();
        let always_asks = self.step == SignInStep::Confirm
            || visitor.looks_ahead
            || code.is_ok_and(|code| code.registered.single_use);
        if !always_asks && visitor.signed_in.is_none() {
            return Ok(Opening::Redeems);
        }
        let verdict = directory.dry_run(code, self.policy)?;
        let Some(user) = verdict.user() else {
            return Ok(Opening::Refused(verdict));
        };
        let replaces = visitor.signed_in.is_some_and(|other| other.id != *user);
        if !always_asks && !replaces {
            return Ok(Opening::Redeems);
        }
        let whom = match directory.user(user)? {
            Some(user) => user.display_name().to_owned(),
            None => code
                .map(|code| code.payload.display_name())
                .unwrap_or_default()
                .to_owned(),
        };
        Ok(Opening::Asks { whom, replaces })
    }

    /// What the directory is asked to do.
    #[must_use]
    pub fn redemption(&self) -> Redemption<'_> {
        Redemption {
            code: self.code.as_ref(),
            policy: self.policy,
            by: &self.by,
        }
    }

    /// Records that it was refused without having been redeemed.
    pub fn refuse(&self, verdict: Verdict, directory: &dyn Directory) -> Result<SignIn> {
        let event = Event::verdict(&verdict, self.code.as_ref().ok());
        directory.record(event, &self.by)?;
        Ok(SignIn {
            verdict,
            session: None,
        })
    }

    /// Begins a session after it was redeemed.
    pub fn sign_in(&self, verdict: Verdict, directory: &dyn Directory) -> Result<SignIn> {
        let session = match (verdict.user(), &self.code) {
            (Some(user), Ok(code)) => {
                let now = self.by.at.as_second();
                // A code that is accepted late, in its leeway, lets nobody in for no time at all.
                let expires_at = code.registered.expires_at.map(|at| match at {
                    at if at <= now => at.saturating_add(LEEWAY_SECS),
                    at => at,
                });
                // Nobody, where the user has been removed since.
                let user = directory.user(user)?;
                user.map(|user| Session::new(&user, self.session, expires_at, self.by.at))
            }
            _ => None,
        };
        Ok(SignIn { verdict, session })
    }
}
