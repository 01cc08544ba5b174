//! Tests of what became of a link, judged from its terms and the cutoffs.

use latchkey_core::ledger::{
    Cutoff, InstanceCutoffs, IssuedLink, LinkOrigin, LinkStatus, LinkTerms, PersonCutoffs,
    REQUEST_SECS, Standing,
};
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::protocol::uses::Uses;
use latchkey_core::session::{REPEAT_SECS, Session, SessionRules, SessionScope};

const AT: i64 = 1_800_000_000;

/// Returns the terms of a link that was given out in the change 5, and expires.
fn terms() -> LinkTerms<'static> {
    LinkTerms {
        key: Some("key-1"),
        issued_at: Some(AT),
        expires_at: Some(AT + 1_000),
        taken_in: Some(5),
        ..LinkTerms::default()
    }
}

fn cutoff(at: i64, ends_sessions: bool) -> Cutoff {
    Cutoff {
        at,
        before: None,
        change: 10,
        ends_sessions,
    }
}

fn of_person(revoked: Option<Cutoff>, superseded: Option<Cutoff>) -> PersonCutoffs {
    PersonCutoffs {
        revoked,
        superseded,
    }
}

fn standing(link: &LinkTerms<'_>, now: i64) -> (LinkStatus, Option<i64>) {
    let (person, instance) = (PersonCutoffs::default(), InstanceCutoffs::default());
    let standing = Standing::of(link, &person, &instance, now);
    assert!(!standing.ends_sessions);
    (standing.status, standing.ended_at)
}

fn taken_back(person: PersonCutoffs, instance: &InstanceCutoffs) -> Option<Standing> {
    Standing::taken_back(&terms(), &person, instance)
}

const fn back(status: LinkStatus, at: i64, ends_sessions: bool) -> Standing {
    Standing {
        status,
        ended_at: Some(at),
        ends_sessions,
    }
}

#[test]
fn a_link_is_not_used_in_use_used_up_or_expired() {
    let used = |used, uses| LinkTerms {
        used,
        uses,
        last_use: Some(AT + 7),
        ..terms()
    };
    let three = Uses::limited(3).unwrap();
    assert_eq!(standing(&terms(), AT), (LinkStatus::NotUsed, None));
    assert_eq!(standing(&used(1, three), AT), (LinkStatus::InUse, None));
    assert_eq!(standing(&used(2, three), AT), (LinkStatus::InUse, None));
    let spent = (LinkStatus::UsedUp, Some(AT + 7));
    assert_eq!(standing(&used(3, three), AT), spent);
    assert_eq!(standing(&used(9, Uses::UNLIMITED), AT).0, LinkStatus::InUse);
    // The clock of a gateway may be a minute behind.
    assert_eq!(terms().over_at(), Some(AT + 1_060));
    assert_eq!(standing(&terms(), AT + 1_059).0, LinkStatus::NotUsed);
    let expired = (LinkStatus::Expired, Some(AT + 1_000));
    assert_eq!(standing(&terms(), AT + 1_060), expired);
    assert_eq!(standing(&used(2, three), AT + 1_060), expired);
    assert_eq!(standing(&used(3, three), AT + 1_060), spent);
    let forever = LinkTerms {
        expires_at: None,
        ..terms()
    };
    assert_eq!(forever.over_at(), None);
    assert_eq!(standing(&forever, i64::MAX).0, LinkStatus::NotUsed);
}

#[test]
fn a_link_is_revoked_by_itself_or_with_its_person_key_or_instance() {
    let none = InstanceCutoffs::default();
    assert_eq!(taken_back(PersonCutoffs::default(), &none), None);
    let revoked = of_person(Some(cutoff(AT + 9, true)), None);
    let expected = Some(back(LinkStatus::Revoked, AT + 9, true));
    assert_eq!(taken_back(revoked, &none), expected);
    let whole = InstanceCutoffs {
        revoked: Some(cutoff(AT + 8, false)),
        ..InstanceCutoffs::default()
    };
    let expected = Some(back(LinkStatus::Revoked, AT + 8, false));
    assert_eq!(taken_back(PersonCutoffs::default(), &whole), expected);
    let of_key = |key: &str| InstanceCutoffs {
        keys: vec![(key.to_owned(), cutoff(AT + 7, false))],
        ..InstanceCutoffs::default()
    };
    let expected = Some(back(LinkStatus::Revoked, AT + 7, false));
    assert_eq!(
        taken_back(PersonCutoffs::default(), &of_key("key-1")),
        expected
    );
    assert_eq!(taken_back(PersonCutoffs::default(), &of_key("key-2")), None);
    // The first revocation says when, and any of them ends the sessions.
    let expected = Some(back(LinkStatus::Revoked, AT + 7, true));
    assert_eq!(taken_back(revoked, &of_key("key-1")), expected);
    let by_itself = LinkTerms {
        revoked_at: Some(AT + 6),
        revoked_ends_sessions: true,
        ..terms()
    };
    let found = Standing::taken_back(&by_itself, &PersonCutoffs::default(), &whole);
    assert_eq!(found, Some(back(LinkStatus::Revoked, AT + 6, true)));
    // Formats before 10 did not record the time.
    let earlier = LinkTerms {
        revoked_at: Some(0),
        ..terms()
    };
    let found = Standing::taken_back(&earlier, &PersonCutoffs::default(), &none);
    assert_eq!(found.unwrap().ended_at, None);
}

#[test]
fn a_later_link_replaces_a_link_unless_that_was_revoked() {
    let none = InstanceCutoffs::default();
    let replaced = of_person(None, Some(cutoff(AT + 9, false)));
    let expected = Some(back(LinkStatus::Superseded, AT + 9, false));
    assert_eq!(taken_back(replaced, &none), expected);
    let both = of_person(Some(cutoff(AT + 20, false)), replaced.superseded);
    let expected = Some(back(LinkStatus::Revoked, AT + 20, false));
    assert_eq!(taken_back(both, &none), expected);
    let later = LinkTerms {
        taken_in: Some(10),
        ..terms()
    };
    assert_eq!(Standing::taken_back(&later, &both, &none), None);
    let standing = Standing::of(&terms(), &replaced, &none, AT);
    assert_eq!(standing.status, LinkStatus::Superseded);
}

#[test]
fn a_session_ends_only_with_a_link_that_was_taken_back_with_its_sessions() {
    let session = |created_at| Session {
        user: UserId::parse("ada", "id").unwrap(),
        generation: 1,
        place: SessionScope::Page,
        link: Some("link-1".to_owned()),
        browser: None,
        address: None,
        created_at,
        last_seen: created_at,
        code_expires_at: None,
    };
    let link = IssuedLink {
        taken_in: Some(5),
        ..IssuedLink::new("link-1".to_owned(), LinkOrigin::Taken, AT)
    };
    let none = InstanceCutoffs::default();
    for ends_sessions in [false, true] {
        let person = of_person(Some(cutoff(AT, ends_sessions)), None);
        let ends = Standing::ends(&session(AT + 5_000), Some(&link), &person, &none);
        assert_eq!(ends, ends_sessions);
    }
    let person = of_person(Some(cutoff(AT, true)), None);
    let later = IssuedLink {
        taken_in: Some(10),
        ..link
    };
    assert!(!Standing::ends(
        &session(AT - 5_000),
        Some(&later),
        &person,
        &none
    ));
    // A link that is not in the ledger any more was issued a minute before its session at the
    // latest, by a clock that may be another minute ahead.
    for (created_at, ends) in [(AT + 120, true), (AT + 121, false)] {
        let found = Standing::ends(&session(created_at), None, &person, &none);
        assert_eq!(found, ends, "{}", created_at - AT);
    }
}

/// Returns whether a link that stands so may be pruned at a time.
fn is_prunable(link: &LinkTerms<'_>, ended_before: i64, now: i64) -> bool {
    let (person, instance) = (PersonCutoffs::default(), InstanceCutoffs::default());
    let standing = Standing::of(link, &person, &instance, now);
    standing.is_prunable(link, ended_before, now)
}

#[test]
fn only_a_link_that_has_expired_and_ended_long_ago_is_pruned() {
    let (over, now) = (AT + 1_060, AT + 9_000);
    assert!(is_prunable(&terms(), AT + 1_001, over));
    assert!(!is_prunable(&terms(), AT + 1_000, over), "it ended then");
    assert!(!is_prunable(&terms(), now, over - 1), "it works");
    let revoked = LinkTerms {
        revoked_at: Some(AT + 10),
        ..terms()
    };
    // Until then, a new link could be asked for with its code.
    let unaskable = over + REQUEST_SECS;
    assert!(is_prunable(&revoked, AT + 11, unaskable));
    assert!(!is_prunable(&revoked, AT + 10, unaskable));
    assert!(!is_prunable(&revoked, AT + 11, unaskable - 1));
    assert!(
        !is_prunable(&revoked, AT + 11, over - 1),
        "its code has not expired"
    );
    let without_time = LinkTerms {
        revoked_at: Some(0),
        ..terms()
    };
    assert!(
        is_prunable(&without_time, over + 1, unaskable),
        "the time of expiry counts"
    );
    assert!(!is_prunable(&without_time, over, unaskable));
    let forever = LinkTerms {
        expires_at: None,
        ..revoked
    };
    assert!(!is_prunable(&forever, unaskable, unaskable));
}

#[test]
fn a_link_stays_while_a_session_that_ended_with_it_could_last() {
    let ended_at = AT + 10;
    // A use can be repeated for 30 seconds.
    let unneeded = ended_at + SessionRules::LONGEST_SECS + REPEAT_SECS;
    for by_itself in [true, false] {
        for ends_sessions in [true, false] {
            let link = LinkTerms {
                revoked_at: by_itself.then_some(ended_at),
                revoked_ends_sessions: by_itself && ends_sessions,
                ..terms()
            };
            let by_person = (!by_itself).then(|| cutoff(ended_at, ends_sessions));
            let person = of_person(by_person, None);
            let prunable = |now| {
                let standing = Standing::of(&link, &person, &InstanceCutoffs::default(), now);
                standing.is_prunable(&link, now, now)
            };
            assert_eq!(prunable(unneeded - 1), !ends_sessions, "{link:?}");
            assert!(prunable(unneeded), "{link:?}");
        }
    }
}

#[test]
fn a_code_of_another_system_without_an_expiry_goes_when_its_last_use_is_long_ago() {
    let foreign = LinkTerms {
        expires_at: None,
        taken_in: None,
        used: 1,
        last_use: Some(AT + 50),
        ..terms()
    };
    assert!(is_prunable(&foreign, AT + 51, AT + 52));
    assert!(!is_prunable(&foreign, AT + 50, AT + 52));
    for needed in [
        LinkTerms {
            last_use: None,
            ..foreign
        },
        LinkTerms {
            uses: Uses::limited(3).unwrap(),
            ..foreign
        },
        LinkTerms {
            revoked_at: Some(AT + 1),
            ..foreign
        },
        LinkTerms {
            taken_in: Some(5),
            ..foreign
        },
    ] {
        assert!(!is_prunable(&needed, AT + 9_000, AT + 9_000), "{needed:?}");
    }
}
