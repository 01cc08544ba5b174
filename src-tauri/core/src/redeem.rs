//! Using a code, as whoever opens the link does.

use crate::Result;
use crate::activity::{Event, Occasion};
use crate::code::recognize::recognize;
use crate::code::{CodeRefusal, VerifiedCode, verify};
use crate::directory::{Directory, User};
use crate::instance::{Settings, SignInStep};
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

/// What has become of a link that was opened.
#[derive(Debug)]
pub enum Opened {
    /// Nothing yet: whoever opened it has to say first that they are the one it is for.
    Asks {
        /// What to call whom it is for.
        whom: String,
        /// Whether somebody else is signed in there.
        replaces: bool,
    },
    /// It was redeemed, or refused.
    Done(SignIn),
}

/// Opens a link by its code. Where a click is wanted first nothing is done: on an instance that says
/// so, for a single-use code, for a visitor who looks ahead, and before somebody else is signed out.
/// A code that would be refused is refused at once.
pub fn open(
    code: &str,
    settings: &Settings,
    keys: &[&SigningKey],
    directory: &dyn Directory,
    visitor: Visitor<'_>,
    by: &Occasion,
) -> Result<Opened> {
    let code = verify(code, keys, settings.code_rules(), by.at);
    let always_asks = settings.visiting.step == SignInStep::Confirm
        || visitor.looks_ahead
        || code.as_ref().is_ok_and(|code| code.registered.single_use);
    if always_asks || visitor.signed_in.is_some() {
        let verdict = directory.dry_run(code.as_ref(), settings.policy)?;
        let Some(user) = verdict.user() else {
            directory.record(Event::verdict(&verdict, code.as_ref().ok()), by)?;
            return Ok(Opened::Done(SignIn::refused(verdict)));
        };
        let replaces = visitor.signed_in.is_some_and(|other| other.id != *user);
        if always_asks || replaces {
            let named = code.as_ref().map(|code| code.payload.display_name());
            let whom = match directory.user(user)? {
                Some(user) => user.display_name().to_owned(),
                None => named.unwrap_or_default().to_owned(),
            };
            return Ok(Opened::Asks { whom, replaces });
        }
    }
    sign_in_with(&code, settings, directory, by).map(Opened::Done)
}

/// What has become of a code that was redeemed for somebody who stays signed in.
#[derive(Debug)]
pub struct SignIn {
    /// What it did.
    pub verdict: Verdict,
    /// The session, where it is no refusal.
    pub session: Option<Session>,
}

impl SignIn {
    fn refused(verdict: Verdict) -> Self {
        Self {
            verdict,
            session: None,
        }
    }
}

/// Redeems a code that came in a link, and begins a session.
pub fn sign_in(
    code: &str,
    settings: &Settings,
    keys: &[&SigningKey],
    directory: &dyn Directory,
    by: &Occasion,
) -> Result<SignIn> {
    let code = verify(code, keys, settings.code_rules(), by.at);
    sign_in_with(&code, settings, directory, by)
}

fn sign_in_with(
    code: &std::result::Result<VerifiedCode, CodeRefusal>,
    settings: &Settings,
    directory: &dyn Directory,
    by: &Occasion,
) -> Result<SignIn> {
    let verdict = directory.redeem(code.as_ref(), settings.policy, by)?;
    let session = match (verdict.user(), code) {
        (Some(user), Ok(code)) => {
            let expires_at = code.registered.expires_at;
            // Nobody, where the user has been removed since.
            let user = directory.user(user)?;
            user.map(|user| Session::new(&user, settings.visiting.session, expires_at, by.at))
        }
        _ => None,
    };
    Ok(SignIn { verdict, session })
}
