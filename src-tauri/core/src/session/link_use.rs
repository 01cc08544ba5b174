//! Record of who used a single-use link, so that the same browser may open it again for a short time.

use serde::{Deserialize, Serialize};

use super::browser_key::BrowserKey;
use super::id::SessionKey;

/// Time for which the browser that used a link may repeat it, in seconds. A double click or a page
/// that is sent again is not a second use.
pub const REPEAT_SECS: i64 = 30;

/// Sign-in that used a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkUse {
    /// Time of the sign-in, in Unix seconds.
    pub at: i64,
    /// Browser, if it was identified.
    pub browser: Option<BrowserKey>,
    /// Session that began. When it has been signed out or its user is gone, the use cannot be
    /// repeated.
    pub session: Option<SessionKey>,
}

impl LinkUse {
    /// Returns whether `browser` may sign in by the link again.
    #[must_use]
    pub fn may_be_repeated(self, browser: Option<BrowserKey>, now: i64) -> bool {
        let age = now.saturating_sub(self.at);
        self.browser.is_some() && self.browser == browser && (0..REPEAT_SECS).contains(&age)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_browser_may_repeat_and_only_for_thirty_seconds() {
        let key = |letter: &str| BrowserKey::of(letter.repeat(22).as_bytes());
        let used = LinkUse {
            at: 1000,
            browser: key("a"),
            session: None,
        };
        assert!(used.may_be_repeated(key("a"), 1000));
        assert!(used.may_be_repeated(key("a"), 1029));
        assert!(!used.may_be_repeated(key("a"), 1030));
        assert!(!used.may_be_repeated(key("a"), 999));
        assert!(!used.may_be_repeated(key("b"), 1000));
        assert!(!used.may_be_repeated(None, 1000));
        let by_a_program = LinkUse {
            browser: None,
            ..used
        };
        assert!(!by_a_program.may_be_repeated(None, 1000));
        assert_eq!(BrowserKey::of(b"1"), None);
    }
}
