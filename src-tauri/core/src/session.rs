//! A session: what somebody who has opened a link holds, and how long it is good for.
//!
//! Nothing is kept of it. What it says is signed by whoever gives it out, and each time it is shown
//! it is judged by what the directory says now.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::directory::User;
use crate::instance::Policy;
use crate::lifetime::Lifetime;
use crate::user_id::UserId;
use crate::verdict::Status;

/// Who is signed in, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Who.
    pub user: UserId,
    /// The user's [`User::sessions_since`] when it began.
    pub since: i64,
    /// When it ends at the latest, in Unix seconds.
    pub expires_at: i64,
}

impl Session {
    /// The longest that a browser keeps a cookie for, in seconds (RFC 6265bis §5.5).
    pub const LONGEST_SECS: i64 = 400 * 86_400;

    /// A session that begins now. It lasts no longer than the code that it came from.
    #[must_use]
    pub fn new(
        user: &User,
        length: Lifetime,
        code_expires_at: Option<i64>,
        now: Timestamp,
    ) -> Self {
        let now_secs = now.as_second();
        let ends = [
            length.expires_at(now),
            code_expires_at,
            Some(now_secs.saturating_add(Self::LONGEST_SECS)),
        ];
        Self {
            user: user.id.clone(),
            since: user.sessions_since,
            expires_at: ends.into_iter().flatten().min().unwrap_or(now_secs),
        }
    }

    /// Whether it is still good, by the policy and by what the directory says of its user now.
    #[must_use]
    pub fn is_good(&self, user: &User, policy: Policy, now: Timestamp) -> bool {
        policy.external_auth
            && user.id == self.user
            && user.status == Status::Active
            && user.sessions_since == self.since
            && now.as_second() < self.expires_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Origin;
    use crate::metadata::Metadata;

    fn ada() -> User {
        User {
            id: UserId::parse("ada", "id").unwrap(),
            email: None,
            metadata: Metadata::default(),
            status: Status::Active,
            origin: Origin::Link,
            created_at: 100,
            last_sign_in: None,
            sign_ins: 0,
            profile_as_of: 100,
            sessions_since: 100,
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn no_browser_keeps_a_cookie_for_longer() {
        assert_eq!(Session::LONGEST_SECS, 34_560_000);
    }

    #[test]
    fn it_ends_with_its_length_with_its_code_and_when_a_cookie_does() {
        for (length, code, ends) in [
            (Lifetime::Secs(50), None, 1050),
            (Lifetime::Secs(50), Some(1040), 1040),
            (Lifetime::Secs(50), Some(9000), 1050),
            (Lifetime::Never, Some(9000), 9000),
            (Lifetime::Never, None, 1000 + Session::LONGEST_SECS),
        ] {
            let session = Session::new(&ada(), length, code, at(1000));
            assert_eq!(session.expires_at, ends);
            assert!(session.is_good(&ada(), Policy::default(), at(ends - 1)));
            assert!(!session.is_good(&ada(), Policy::default(), at(ends)));
        }
    }

    #[test]
    fn it_ends_when_its_user_is_suspended_signed_out_or_another_one() {
        let session = Session::new(&ada(), Lifetime::Never, None, at(1000));
        let suspended = User {
            status: Status::Suspended,
            ..ada()
        };
        let signed_out = User {
            sessions_since: 101,
            ..ada()
        };
        let other = User {
            id: UserId::parse("bob", "id").unwrap(),
            ..ada()
        };
        let off = Policy {
            external_auth: false,
            ..Policy::default()
        };
        assert!(session.is_good(&ada(), Policy::default(), at(1001)));
        assert!(!session.is_good(&ada(), off, at(1001)));
        for user in [suspended, signed_out, other] {
            assert!(!session.is_good(&user, Policy::default(), at(1001)));
        }
    }
}
