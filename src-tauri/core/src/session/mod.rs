//! Sessions: the signed-in states of browsers. Sessions are records in the directory. The cookie is the
//! [`SessionId`], and the directory keeps only a hash of the id's random bits.

mod browser_key;
mod id;
mod link_use;
pub mod return_address;
mod rules;

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use browser_key::BrowserKey;
pub use id::{SessionId, SessionKey, random_text};
pub use link_use::{LinkUse, REPEAT_SECS};
pub use rules::SessionRules;

use crate::Result;
use crate::directory::{Directory, User};
use crate::instance::{Policy, Settings};
use crate::protocol::user_id::UserId;
use crate::verdict::Status;

/// How old the recorded last use may become before it is written again, in seconds.
pub const SEEN_SECS: i64 = 300;

/// The longest text that is kept of a browser's name, in bytes.
const MAX_BROWSER_BYTES: usize = 256;

/// The place at which somebody is signed in. A session is valid at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionScope {
    /// The gateway's own pages, and the applications behind it.
    Page,
    /// The widget's frame, in a page of another site.
    Frame,
}

/// A session, as a directory keeps it. Times are in Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The user who is signed in.
    pub user: UserId,
    /// The user's [`User::generation`] when the session began.
    pub generation: u64,
    /// The place at which it is valid.
    pub place: SessionScope,
    /// The `jti` of the code that began it.
    pub link: Option<String>,
    /// The browser's own name (`User-Agent`). It is unverified text.
    pub browser: Option<String>,
    /// The address from which the link was opened.
    pub address: Option<IpAddr>,
    /// When it began.
    pub created_at: i64,
    /// When it was last used. Written at most every [`SEEN_SECS`].
    pub last_seen: i64,
    /// When the code that began it expires.
    pub code_expires_at: Option<i64>,
}

/// A session that begins if a code signs somebody in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// The key under which it is kept.
    pub key: SessionKey,
    /// The place at which it is valid.
    pub place: SessionScope,
    /// The browser's own name (`User-Agent`).
    pub browser: Option<String>,
    /// The key that tells the browser from others, if it has one.
    pub browser_key: Option<BrowserKey>,
    /// The session of the same browser that it replaces, which ends.
    pub replaces: Option<SessionKey>,
}

/// A session that is valid, and its user.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedIn {
    /// The key of the session.
    pub key: SessionKey,
    /// The session.
    pub session: Session,
    /// The user, as the directory has it now.
    pub user: User,
}

impl Session {
    /// Whether it is valid now for `user`, by the policy and the rules of the instance.
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
            && user.status == Status::Active
            && !self.is_over(rules, now)
    }

    /// Whether its time is over. The state of its user does not count.
    #[must_use]
    pub fn is_over(&self, rules: SessionRules, now: Timestamp) -> bool {
        rules.is_over(self, now.as_second())
    }
}

/// Finds the valid session of an id at a place. `last_use` is the time of its last use where the
/// caller knows of a later one than the directory has recorded.
pub async fn find(
    directory: &dyn Directory,
    key: SessionKey,
    place: SessionScope,
    settings: &Settings,
    last_use: Option<i64>,
    now: Timestamp,
) -> Result<Option<SignedIn>> {
    let Some(mut session) = directory.session(&key).await? else {
        return Ok(None);
    };
    if session.place != place {
        return Ok(None);
    }
    session.last_seen = session.last_seen.max(last_use.unwrap_or(session.last_seen));
    let user = directory.user(&session.user).await?;
    let rules = settings.session_rules();
    let good = user.filter(|user| session.is_good(user, settings.policy, rules, now));
    Ok(good.map(|user| SignedIn { key, session, user }))
}

/// The beginning of a browser's name that is kept, without control characters.
#[must_use]
pub fn kept_browser(text: &str) -> Option<String> {
    let mut kept = String::new();
    for character in text.chars().filter(|character| !character.is_control()) {
        if kept.len() + character.len_utf8() > MAX_BROWSER_BYTES {
            break;
        }
        kept.push(character);
    }
    let kept = kept.trim();
    (!kept.is_empty()).then(|| kept.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Origin;
    use crate::protocol::lifetime::Lifetime;
    use crate::protocol::metadata::Metadata;

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
            generation: 7,
        }
    }

    fn session(code_expires_at: Option<i64>) -> Session {
        Session {
            user: ada().id,
            generation: 7,
            place: SessionScope::Page,
            link: None,
            browser: None,
            address: None,
            created_at: 1000,
            last_seen: 1000,
            code_expires_at,
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn good(session: &Session, user: &User, rules: SessionRules, second: i64) -> bool {
        session.is_good(user, Policy::default(), rules, at(second))
    }

    #[test]
    fn a_session_ends_by_its_own_length_and_with_the_link_where_the_instance_says_so() {
        let longest = 1000 + SessionRules::LONGEST_SECS;
        for (length, ends_with_link, code, ends) in [
            (Lifetime::Secs(50), false, None, 1050),
            (Lifetime::Secs(50), false, Some(1040), 1050),
            (Lifetime::Secs(50), true, Some(1040), 1040),
            (Lifetime::Secs(50), true, Some(9000), 1050),
            (Lifetime::Never, true, Some(9000), 9000),
            (Lifetime::Never, false, Some(9000), longest),
            (Lifetime::Never, true, None, longest),
        ] {
            let rules = SessionRules {
                length,
                ends_with_link,
                idle: Lifetime::Never,
            };
            assert_eq!(rules.ends_at(&session(code)), ends);
            assert!(good(&session(code), &ada(), rules, ends - 1));
            assert!(!good(&session(code), &ada(), rules, ends));
        }
    }

    #[test]
    fn a_code_in_its_leeway_lets_somebody_in_until_the_leeway_is_over() {
        let rules = SessionRules {
            ends_with_link: true,
            ..SessionRules::default()
        };
        assert_eq!(rules.ends_at(&session(Some(990))), 1050);
    }

    #[test]
    fn a_session_ends_when_it_is_idle_for_longer_than_the_instance_allows() {
        let rules = SessionRules {
            idle: Lifetime::Secs(600),
            ..SessionRules::default()
        };
        let mut session = session(None);
        assert!(good(&session, &ada(), rules, 1599));
        assert!(!good(&session, &ada(), rules, 1600));
        session.last_seen = 1500;
        assert!(good(&session, &ada(), rules, 2099));
        assert!(!good(&session, &ada(), rules, 2100));
    }

    #[test]
    fn a_session_that_began_by_a_clock_far_ahead_is_over() {
        let rules = SessionRules::default();
        assert!(good(&session(None), &ada(), rules, 1000 - 86_400));
        assert!(!good(&session(None), &ada(), rules, 1000 - 86_401));
    }

    #[test]
    fn a_session_ends_when_its_user_is_suspended_signed_out_or_another_one() {
        let session = session(None);
        let rules = SessionRules::default();
        let suspended = User {
            status: Status::Suspended,
            ..ada()
        };
        let signed_out = User {
            generation: 8,
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
        assert!(good(&session, &ada(), rules, 1001));
        assert!(!session.is_good(&ada(), off, rules, at(1001)));
        for user in [suspended, signed_out, other] {
            assert!(!good(&session, &user, rules, 1001));
        }
    }

    #[test]
    fn a_browsers_name_is_cut_and_has_no_control_characters() {
        assert_eq!(kept_browser("Mozilla\u{1b}[31m\n").unwrap(), "Mozilla[31m");
        assert_eq!(kept_browser(&"ä".repeat(500)).unwrap().len(), 256);
        assert_eq!(kept_browser(" \u{7} "), None);
    }
}
