//! The use of a link that works a limited number of times, and who may repeat it.

use serde::{Deserialize, Serialize};

use super::browser_key::BrowserKey;
use super::id::SessionKey;

/// How long the browser that used a link may repeat it, in seconds: a double click or a page that is sent
/// again is no second use.
pub const REPEAT_SECS: i64 = 30;

/// The sign-in that used a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkUse {
    /// When, in Unix seconds.
    pub at: i64,
    /// The browser, where it was told from others.
    pub browser: Option<BrowserKey>,
    /// The session that began. Once it has ended, by signing out or with its user, nothing is repeated.
    pub session: Option<SessionKey>,
}

impl LinkUse {
    /// Whether `browser` may sign in by the link once more.
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
