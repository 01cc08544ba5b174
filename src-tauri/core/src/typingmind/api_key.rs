use zeroize::Zeroizing;

use crate::protocol::code::invisible::is_invisible;
use crate::secret::Secret;
use crate::{Error, ErrorCode, Result};

/// Maximum length of an API key in bytes. TypingMind's are far shorter.
const MAX_BYTES: usize = 512;

/// Parses an API key of TypingMind that a person pasted or that was in a file. Removes white space
/// around it and invisible characters.
///
/// Fails with [`ErrorCode::EmptySecret`] or [`ErrorCode::InvalidSecret`] about `typingmind_key`.
pub fn parse_key(text: &Secret) -> Result<Secret> {
    let visible = text.expose().chars().filter(|sign| !is_invisible(*sign));
    let visible: Zeroizing<String> = Zeroizing::new(visible.collect());
    let key = visible.trim();
    let refuse = |code, message: &str| Err(Error::new(code, message).about("typingmind_key"));
    if key.is_empty() {
        return refuse(
            ErrorCode::EmptySecret,
            "The API key is empty. Make one at TypingMind under Integrations, API Integration.",
        );
    }
    if key.len() > MAX_BYTES || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return refuse(
            ErrorCode::InvalidSecret,
            "This is not an API key of TypingMind: it has white space or signs that no key has, or is too long. Paste the key alone.",
        );
    }
    Ok(Secret::new(key.to_owned()))
}
