//! Tests of verdicts: each decision in a test of its own.

use latchkey_core::instance::Policy;
use latchkey_core::protocol::code::{CodeRefusal, CodeRules, VerifiedCode, verify};
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::verdict::{
    DirectoryFacts, KnownUser, LinkState, Refusal, Seats, Status, Verdict, judge,
};

use crate::signed::{HEADER, RULES, key, now, signed};

pub(crate) const EMAIL: &str = r#""email":"ada@example.com""#;
pub(crate) const ID: &str = r#""id":"ada""#;
pub(crate) const USER: &str = r#""user":{"id":"ada","email":"ada@example.com","team":"Research"}"#;

pub(crate) fn second(distance: i64) -> i64 {
    now().as_second() + distance
}

/// Returns a code that was issued a minute ago and works for an hour, with further claims.
fn code(payload: &str, more: &str) -> Result<VerifiedCode, CodeRefusal> {
    let (iat, exp) = (second(-60), second(3_600));
    code_of(
        &format!(r#"{{{payload},"iat":{iat},"exp":{exp},"jti":"one"{more}}}"#),
        RULES,
    )
}

fn code_of(claims: &str, rules: CodeRules<'_>) -> Result<VerifiedCode, CodeRefusal> {
    verify(&signed(HEADER, claims), &[&key()], rules, now())
}

pub(crate) fn ada(status: Status) -> KnownUser {
    KnownUser {
        id: UserId::parse("ada", "id").unwrap(),
        status,
        ends_at: None,
        profile_as_of: second(-1_000),
        profile_set_here: false,
    }
}

pub(crate) fn known(user: Option<Status>) -> DirectoryFacts {
    DirectoryFacts {
        user: user.map(ada),
        seats: Seats {
            used: 7,
            limit: Some(10),
        },
        ..DirectoryFacts::default()
    }
}

fn verdict(payload: &str, policy: Policy, known: &DirectoryFacts) -> Verdict {
    judge(code(payload, "").as_ref(), policy, known)
}

fn by_default(payload: &str, known: &DirectoryFacts) -> Verdict {
    verdict(payload, Policy::default(), known)
}

#[test]
fn an_active_user_is_signed_in_by_any_payload() {
    let active = known(Some(Status::Active));
    for payload in [EMAIL, ID, USER] {
        assert_eq!(
            by_default(payload, &active).code(),
            "signed_in",
            "{payload}"
        );
    }
}

#[test]
fn a_link_whose_account_would_have_ended_creates_nobody() {
    let of = |end: i64, known: &DirectoryFacts| {
        let code = code(USER, &format!(r#","account_ends":{}"#, second(end)));
        judge(code.as_ref(), Policy::default(), known)
    };
    assert_eq!(of(1, &known(None)).code(), "provisioned");
    for end in [0, -1000] {
        let refused = of(end, &known(None));
        assert_eq!(refused.code(), "user_ended");
        assert_eq!(refused.user(), None);
        let returning = of(end, &known(Some(Status::Active)));
        assert_eq!(returning.code(), "signed_in", "the user keeps what is set");
    }
}

#[test]
fn an_end_of_an_account_beside_no_user_is_refused() {
    for payload in [EMAIL, ID] {
        for end in [r#","account_ends":9"#, r#","account_days":9"#] {
            let refused = code(payload, end).unwrap_err();
            assert_eq!(refused.code(), "invalid_payload", "{payload}{end}");
        }
    }
}

#[test]
fn an_unknown_id_or_email_creates_nothing() {
    for payload in [EMAIL, ID] {
        assert_eq!(
            by_default(payload, &known(None)).code(),
            "unknown_user",
            "{payload}"
        );
    }
}

#[test]
fn an_unknown_user_is_created_and_takes_the_next_seat() {
    let Verdict::Provisioned { user, seat, limit } = by_default(USER, &known(None)) else {
        panic!("a new user was expected");
    };
    assert_eq!((user.as_str(), seat, limit), ("ada", 8, Some(10)));
}

#[test]
fn the_last_seat_is_given_and_no_more() {
    let with = |used, limit| DirectoryFacts {
        seats: Seats { used, limit },
        ..known(None)
    };
    assert_eq!(by_default(USER, &with(9, Some(10))).code(), "provisioned");
    assert_eq!(by_default(USER, &with(10, Some(10))).code(), "no_seats");
    assert_eq!(
        by_default(USER, &with(12, Some(10))).code(),
        "no_seats",
        "over the limit"
    );
    assert_eq!(by_default(USER, &with(0, Some(0))).code(), "no_seats");
    assert_eq!(
        by_default(USER, &with(1_000_000, None)).code(),
        "provisioned"
    );
}

#[test]
fn a_user_who_exists_signs_in_even_above_the_seat_limit() {
    let full = DirectoryFacts {
        seats: Seats {
            used: 12,
            limit: Some(10),
        },
        ..known(Some(Status::Active))
    };
    assert_eq!(by_default(USER, &full).code(), "signed_in");
}

#[test]
fn a_suspended_user_is_refused_even_with_a_valid_code() {
    for payload in [EMAIL, ID, USER] {
        let verdict = by_default(payload, &known(Some(Status::Suspended)));
        assert_eq!(verdict.code(), "user_suspended", "{payload}");
    }
}

#[test]
fn a_code_from_before_a_removal_is_refused_even_if_a_user_has_the_id_again() {
    let again = |at| DirectoryFacts {
        removed_at: Some(at),
        ..known(Some(Status::Active))
    };
    for payload in [EMAIL, ID, USER] {
        // The code was issued a minute ago.
        let verdict = by_default(payload, &again(second(-120)));
        assert_eq!(verdict.code(), "user_removed", "{payload}");
        let verdict = by_default(payload, &again(second(-121)));
        assert_eq!(verdict.code(), "signed_in", "{payload}");
        // A clock was wrong.
        let verdict = by_default(payload, &again(second(3600)));
        assert_eq!(verdict.code(), "signed_in", "{payload}");
        let known = DirectoryFacts {
            made_since_removal: true,
            ..again(second(-120))
        };
        assert_eq!(by_default(payload, &known).code(), "signed_in", "{payload}");
    }
    let moved = |at| DirectoryFacts {
        email_moved_at: Some(at),
        ..known(Some(Status::Active))
    };
    let refused = by_default(EMAIL, &moved(second(-120)));
    assert_eq!(refused.code(), "user_removed", "the address was another's");
    assert_eq!(by_default(EMAIL, &moved(second(-121))).code(), "signed_in");
}

#[test]
fn a_code_from_before_the_removal_never_brings_the_user_back_and_a_newer_one_does() {
    let removed = |at| DirectoryFacts {
        removed_at: Some(at),
        ..known(None)
    };
    // The code was issued a minute ago.
    assert_eq!(
        by_default(USER, &removed(second(-60))).code(),
        "user_removed",
        "in the same second"
    );
    assert_eq!(
        by_default(USER, &removed(second(-120))).code(),
        "user_removed",
        "a minute later, by a clock that may be a minute ahead"
    );
    assert_eq!(
        by_default(USER, &removed(second(-121))).code(),
        "provisioned"
    );
    let made_since = DirectoryFacts {
        made_since_removal: true,
        ..removed(second(-60))
    };
    assert_eq!(
        by_default(USER, &made_since).code(),
        "provisioned",
        "Latchkey made it afterwards"
    );
    let without_iat = code_of(&format!("{{{USER}}}"), RULES);
    let verdict = judge(
        without_iat.as_ref(),
        Policy::default(),
        &removed(second(-90_000)),
    );
    assert_eq!(
        verdict.code(),
        "user_removed",
        "it cannot show that it is newer"
    );
}

#[test]
fn an_email_of_somebody_else_is_refused_and_takes_no_seat() {
    let taken = |user| DirectoryFacts {
        email_owner: Some(UserId::parse("grace", "id").unwrap()),
        ..known(user)
    };
    let verdict = by_default(USER, &taken(None));
    let Verdict::Refused(Refusal::EmailInUse { owner }) = verdict else {
        panic!("a refusal was expected");
    };
    assert_eq!(owner.as_str(), "grace");
    assert_eq!(
        by_default(USER, &taken(Some(Status::Active))).code(),
        "email_in_use"
    );
    assert_eq!(
        by_default(ID, &taken(Some(Status::Active))).code(),
        "signed_in"
    );
}

#[test]
fn a_newer_code_refreshes_a_profile_if_the_instance_says_so() {
    let refreshes = |payload, policy, profile_as_of| {
        let mut known = known(Some(Status::Active));
        known.user.as_mut().unwrap().profile_as_of = profile_as_of;
        matches!(
            verdict(payload, policy, &known),
            Verdict::SignedIn {
                refreshes_profile: true,
                ..
            }
        )
    };
    let never = Policy {
        refresh_profile: false,
        ..Policy::default()
    };
    assert!(refreshes(USER, Policy::default(), second(-61)));
    assert!(
        !refreshes(USER, Policy::default(), second(-60)),
        "no newer than the profile"
    );
    assert!(!refreshes(USER, never, second(-61)));
    assert!(
        !refreshes(ID, Policy::default(), second(-61)),
        "it brings no profile"
    );
}

#[test]
fn the_state_of_the_link_decides_before_the_user_does() {
    let code = code(ID, r#","uses":3"#);
    for (link, expected) in [
        (LinkState::Open, "user_suspended"),
        (LinkState::Used, "link_already_used"),
        (LinkState::Superseded, "link_superseded"),
        (LinkState::Revoked, "link_revoked"),
        // The user decides first, because an address may have had another owner.
        (LinkState::OfAnother, "user_suspended"),
    ] {
        let known = DirectoryFacts {
            link,
            ..known(Some(Status::Suspended))
        };
        let verdict = judge(code.as_ref(), Policy::default(), &known);
        assert_eq!(verdict.code(), expected);
    }
}

#[test]
fn no_sentence_for_a_visitor_names_anybody() {
    let grace = UserId::parse("grace", "id").unwrap();
    let seats = Seats {
        used: 10,
        limit: Some(10),
    };
    for refusal in [
        Refusal::ExternalAuthOff,
        Refusal::Code(CodeRefusal::BadSignature),
        Refusal::Code(CodeRefusal::Expired { at: 5 }),
        Refusal::Code(CodeRefusal::NotYetValid {
            at: 5,
            member: "nbf",
            never: false,
        }),
        Refusal::LinkRevoked,
        Refusal::LinkSuperseded,
        Refusal::LinkAlreadyUsed,
        Refusal::UnknownLink,
        Refusal::Code(CodeRefusal::WrongType),
        Refusal::Code(CodeRefusal::WrongAudience {
            expected: "https://grace.example/".into(),
        }),
        Refusal::SharedEmail {
            users: vec![grace.clone(), grace.clone()],
        },
        Refusal::UnknownUser {
            subject: "grace".into(),
        },
        Refusal::UserSuspended {
            user: grace.clone(),
        },
        Refusal::UserRemoved {
            subject: "grace".into(),
            at: 5,
            is_ahead: false,
        },
        Refusal::EmailInUse {
            owner: grace.clone(),
        },
        Refusal::ProvisioningOff {
            user: grace.clone(),
        },
        Refusal::NoSeats { seats },
    ] {
        let said = refusal.for_visitor();
        assert!(!said.contains("grace") && !said.contains("user"), "{said}");
        assert!(refusal.to_string().len() > 20, "{refusal}");
    }
    let unknown = Refusal::UnknownUser {
        subject: "grace".into(),
    }
    .for_visitor();
    let suspended = Refusal::UserSuspended { user: grace }.for_visitor();
    assert_eq!(unknown, suspended, "nobody learns who exists");
}

#[test]
fn a_refusal_without_seats_counts_the_users_who_are_over_the_limit() {
    for (used, limit, expected) in [
        (1, 1, "The only seat is taken."),
        (3, 1, "3 seats are taken, and the limit is 1."),
        (5, 5, "All 5 seats are taken."),
        (6, 5, "6 seats are taken, and the limit is 5."),
    ] {
        let seats = Seats {
            used,
            limit: Some(limit),
        };
        let refusal: Refusal = Refusal::NoSeats { seats };
        assert!(refusal.to_string().contains(expected), "{refusal}");
    }
}
