//! Rules for sessions: how long a session lasts, and when it is valid. The default length is 14
//! days.

use jiff::Timestamp;

use super::record::Session;
use crate::directory::User;
use crate::instance::Policy;
use crate::protocol::code::LEEWAY_SECS;
use crate::protocol::lifetime::Lifetime;
use crate::verdict::Status;
use crate::{Error, ErrorCode, Result};

/// Rules of an instance for the length of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionRules {
    /// Maximum length of a session.
    pub length: Lifetime,
    /// Whether a session ends when the code that began it expires.
    pub ends_with_link: bool,
    /// Maximum time without a use.
    pub idle: Lifetime,
}

impl Default for SessionRules {
    /// Returns rules with a length of 14 days and no idle time-out.
    fn default() -> Self {
        Self {
            length: Lifetime::Secs(14 * 86_400),
            ends_with_link: false,
            idle: Lifetime::Never,
        }
    }
}

impl SessionRules {
    /// Minimum idle time-out, in seconds. The last use is recorded only every five minutes, so a
    /// shorter time-out would sign active visitors out when the gateway restarts.
    pub const SHORTEST_IDLE_SECS: i64 = 600;

    /// Maximum time for which a browser keeps a cookie, in seconds (RFC 6265bis §5.5).
    pub const LONGEST_SECS: i64 = 400 * 86_400;

    /// Checks an idle time-out.
    ///
    /// Fails with [`ErrorCode::InvalidSetting`] if it is shorter than 10 minutes.
    pub fn check_idle(idle: Lifetime) -> Result<Lifetime> {
        match idle {
            Lifetime::Secs(secs) if secs < Self::SHORTEST_IDLE_SECS => Err(Error::new(
                ErrorCode::InvalidSetting,
                "The idle time-out is at least 10 minutes. Write it as 30 minutes, 8h or never.",
            )
            .about("session_idle")),
            idle => Ok(idle),
        }
    }

    /// Describes how long a person stays signed in by a code with this expiry.
    #[must_use]
    pub fn stay(self, code_expires_at: Option<i64>) -> String {
        let longest = Lifetime::Secs(Self::LONGEST_SECS);
        let length = match self.length {
            Lifetime::Secs(secs) if secs < Self::LONGEST_SECS => self.length,
            _ => longest,
        };
        let end = if self.ends_with_link && code_expires_at.is_some() {
            format!("until the link expires, and for {length} at most")
        } else {
            match code_expires_at {
                Some(_) => format!("for {length}, however soon the link expires"),
                None => format!("for {length}"),
            }
        };
        let idle = match self.idle {
            Lifetime::Never => String::new(),
            idle @ Lifetime::Secs(_) => format!(", or until {idle} pass without a visit"),
        };
        format!("The person stays signed in {end}{idle}.")
    }

    /// Maximum time, in seconds, by which the begin of a session may be ahead of the clock. A
    /// session that is further ahead was begun with a wrong clock, and would last too long.
    const MAX_AHEAD_SECS: i64 = 86_400;

    /// Returns whether the time of a session is over.
    #[must_use]
    pub fn is_over(self, session: &Session, now: i64) -> bool {
        now >= self.ends_at(session)
            || session.created_at > now.saturating_add(Self::MAX_AHEAD_SECS)
    }

    /// Returns the time when a session ends unless it is used again, in Unix seconds.
    #[must_use]
    pub fn ends_at(self, session: &Session) -> i64 {
        let latest = self.latest_end(session.created_at, session.code_expires_at);
        match self.idle {
            Lifetime::Never => latest,
            Lifetime::Secs(secs) => latest.min(session.last_seen.saturating_add(secs)),
        }
    }

    /// Returns the latest time when a session that began at `created_at` ends, even if it is used
    /// all the time.
    #[must_use]
    pub fn latest_end(self, created_at: i64, code_expires_at: Option<i64>) -> i64 {
        let length = match self.length {
            Lifetime::Never => Self::LONGEST_SECS,
            Lifetime::Secs(secs) => secs.min(Self::LONGEST_SECS),
        };
        let by_length = created_at.saturating_add(length);
        // Without this, a code that was accepted in its leeway would begin a session that has
        // already ended.
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

impl Session {
    /// Returns whether the session is valid now for `user`, by the policy and the rules of the
    /// instance.
    #[must_use]
    pub fn is_good(
        &self,
        user: &User,
        policy: Policy,
        rules: SessionRules,
        now: Timestamp,
    ) -> bool {
        policy.external_auth
            && user.id == self.user
            && user.generation == self.generation
            && user.status_at(now.as_second()) == Status::Active
            && !self.is_over(rules, now)
    }

    /// Returns whether the time of the session is over. The state of its user does not count.
    #[must_use]
    pub fn is_over(&self, rules: SessionRules, now: Timestamp) -> bool {
        rules.is_over(self, now.as_second())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_session_is_described_in_a_sentence() {
        let days = SessionRules::default();
        let with_link = SessionRules {
            ends_with_link: true,
            ..days
        };
        let idle = SessionRules {
            idle: Lifetime::Secs(1800),
            length: Lifetime::Never,
            ..days
        };
        for (rules, expires_at, said) in [
            (days, Some(9), "for 14 days, however soon the link expires."),
            (
                with_link,
                Some(9),
                "until the link expires, and for 14 days at most.",
            ),
            (with_link, None, "for 14 days."),
            (
                idle,
                None,
                "for 400 days, or until 30 minutes pass without a visit.",
            ),
        ] {
            let sentence = rules.stay(expires_at);
            assert_eq!(sentence, format!("The person stays signed in {said}"));
        }
    }

    #[test]
    fn an_idle_time_out_is_at_least_ten_minutes() {
        assert!(SessionRules::check_idle(Lifetime::Never).is_ok());
        assert!(SessionRules::check_idle(Lifetime::Secs(600)).is_ok());
        let refused = SessionRules::check_idle(Lifetime::Secs(599)).unwrap_err();
        assert_eq!(refused.field.as_deref(), Some("session_idle"));
    }

    #[test]
    fn a_session_lasts_at_most_as_long_as_browsers_keep_a_cookie() {
        assert_eq!(SessionRules::LONGEST_SECS, 34_560_000);
    }
}
