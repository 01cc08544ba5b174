//! Sessions. A session is the record in the directory that a browser is signed in. The cookie is the
//! [`SessionId`]. The directory stores only a hash of its random bits.

mod browser_key;
mod browser_name;
mod handle;
mod id;
mod link_use;
mod listed;
mod record;
pub mod return_address;
mod rules;

pub use browser_key::BrowserKey;
pub use browser_name::browser_name;
pub use handle::{SessionHandle, unknown_session};
pub use id::{SessionId, SessionKey, random_text};
pub use link_use::{LinkUse, REPEAT_SECS};
pub use listed::{SessionCursor, SessionPage, SessionQuery, UserSession};
pub use record::{NewSession, SEEN_SECS, Session, SessionScope, kept_browser};
pub use rules::SessionRules;

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::directory::Origin;
    use crate::directory::User;
    use crate::instance::Policy;
    use crate::protocol::lifetime::Lifetime;
    use crate::protocol::metadata::Metadata;
    use crate::protocol::user_id::UserId;
    use crate::verdict::Status;

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
            ends_at: None,
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
    fn a_session_ends_by_its_length_and_if_the_instance_says_so_with_the_link() {
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
    fn a_code_in_its_leeway_begins_a_session_until_the_leeway_is_over() {
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
    fn a_session_ends_when_its_user_is_suspended_signed_out_ended_or_another_one() {
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
        let ended = User {
            ends_at: Some(1001),
            ..ada()
        };
        assert!(good(&session, &ended, rules, 1000), "it ends in a second");
        for user in [suspended, signed_out, other, ended] {
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
