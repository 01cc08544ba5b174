//! Using a code, as whoever opens the link does.

use jiff::Timestamp;

use crate::Result;
use crate::code::recognize::recognize;
use crate::code::verify;
use crate::directory::Directory;
use crate::instance::Settings;
use crate::secret::SigningKey;
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
