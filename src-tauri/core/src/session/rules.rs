use super::Session;
use crate::code::LEEWAY_SECS;
use crate::lifetime::Lifetime;

/// How long sessions of an instance last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionRules {
    /// The longest time after the sign-in.
    pub length: Lifetime,
    /// Whether a session ends when the code that began it expires.
    pub ends_with_link: bool,
    /// The longest time without a use.
    pub idle: Lifetime,
}

impl Default for SessionRules {
    /// 14 days, used or not.
    fn default() -> Self {
        Self {
            length: Lifetime::Secs(14 * 86_400),
            ends_with_link: false,
            idle: Lifetime::Never,
        }
    }
}

impl SessionRules {
    /// The longest time for which a browser keeps a cookie, in seconds (RFC 6265bis §5.5).
    pub const LONGEST_SECS: i64 = 400 * 86_400;

    /// When a session ends if it is not used again, in Unix seconds.
    #[must_use]
    pub fn ends_at(self, session: &Session) -> i64 {
        let latest = self.latest_end(session.created_at, session.code_expires_at);
        match self.idle {
            Lifetime::Never => latest,
            Lifetime::Secs(secs) => latest.min(session.last_seen.saturating_add(secs)),
        }
    }

    /// When a session that began at `created_at` ends at the latest, however much it is used.
    #[must_use]
    pub fn latest_end(self, created_at: i64, code_expires_at: Option<i64>) -> i64 {
        let length = match self.length {
            Lifetime::Never => Self::LONGEST_SECS,
            Lifetime::Secs(secs) => secs.min(Self::LONGEST_SECS),
        };
        let by_length = created_at.saturating_add(length);
        // A code that was accepted in its leeway would otherwise begin a session that is over.
        let by_link = code_expires_at.map(|at| match at {
            at if at <= created_at => at.saturating_add(LEEWAY_SECS),
            at => at,
        });
        match by_link.filter(|_| self.ends_with_link) {
            Some(by_link) => by_length.min(by_link),
            None => by_length,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_browser_keeps_a_cookie_for_longer() {
        assert_eq!(SessionRules::LONGEST_SECS, 34_560_000);
    }
}
