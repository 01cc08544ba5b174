//! Using a code, as whoever opens the link does.

use jiff::Timestamp;

use crate::Result;
use crate::code::recognize::recognize;
use crate::code::{VerifiedCode, verify};
use crate::directory::Directory;
use crate::instance::Settings;
use crate::secret::SigningKey;
use crate::session::Session;
use crate::verdict::Verdict;

/// Finds the code in `text`, judges it by the settings of an instance and its keys, and does what
/// the verdict says: it is on disk when this returns. A refusal is a verdict, not an error.
///
/// Fails with [`ErrorCode::NoCode`](crate::ErrorCode::NoCode) where there is no code in the text.
pub fn redeem(
    text: &str,
    settings: &Settings,
    keys: &[&SigningKey],
    directory: &dyn Directory,
    now: Timestamp,
) -> Result<Verdict> {
    let found = recognize(text, settings.parameter.as_str())?;
    let code = verify(&found.code, keys, settings.code_rules(), now);
    directory.redeem(code.as_ref(), settings.policy, now)
}

/// What somebody who has opened a link is to be asked or told before it is redeemed.
#[derive(Debug)]
pub struct Arrival {
    /// What redeeming would do.
    pub verdict: Verdict,
    /// The code, where it verifies.
    pub code: Option<VerifiedCode>,
}

/// Looks at a code that came in a link, and does nothing.
pub fn arrive(
    code: &str,
    settings: &Settings,
    keys: &[&SigningKey],
    directory: &dyn Directory,
    now: Timestamp,
) -> Result<Arrival> {
    let code = verify(code, keys, settings.code_rules(), now);
    let verdict = directory.dry_run(code.as_ref(), settings.policy)?;
    Ok(Arrival {
        verdict,
        code: code.ok(),
    })
}

/// What has become of a code that was redeemed for somebody who stays signed in.
#[derive(Debug)]
pub struct SignIn {
    /// What it did.
    pub verdict: Verdict,
    /// The session, where it is no refusal.
    pub session: Option<Session>,
}

/// Redeems a code that came in a link, and begins a session.
pub fn sign_in(
    code: &str,
    settings: &Settings,
    keys: &[&SigningKey],
    directory: &dyn Directory,
    now: Timestamp,
) -> Result<SignIn> {
    let code = verify(code, keys, settings.code_rules(), now);
    let verdict = directory.redeem(code.as_ref(), settings.policy, now)?;
    let session = match (&verdict, &code) {
        (Verdict::SignedIn { user, .. } | Verdict::Provisioned { user, .. }, Ok(code)) => {
            let expires_at = code.registered.expires_at;
            // Nobody, where the user has been removed since.
            let user = directory.user(user)?;
            user.map(|user| Session::new(&user, settings.visiting.session, expires_at, now))
        }
        _ => None,
    };
    Ok(SignIn { verdict, session })
}
