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
        ..PersonCutoffs::none()
    }
}

fn standing(link: &LinkTerms<'_>, now: i64) -> (LinkStatus, Option<i64>) {
    let (person, instance) = (PersonCutoffs::default(), InstanceCutoffs::default());
    let standing = Standing::of(link, &person, &instance, now);
    assert!(!standing.ends_sessions);
    (standing.status, standing.ended_at)
}

fn taken_back(person: &PersonCutoffs, instance: &InstanceCutoffs) -> Option<Standing> {
    Standing::taken_back(&terms(), person, instance)
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
    assert_eq!(taken_back(&PersonCutoffs::none(), &none), None);
    let revoked = of_person(Some(cutoff(AT + 9, true)), None);
    let expected = Some(back(LinkStatus::Revoked, AT + 9, true));
    assert_eq!(taken_back(&revoked, &none), expected);
    let whole = InstanceCutoffs {
        revoked: Some(cutoff(AT + 8, false)),
        ..InstanceCutoffs::default()
    };
    let expected = Some(back(LinkStatus::Revoked, AT + 8, false));
    assert_eq!(taken_back(&PersonCutoffs::none(), &whole), expected);
    let of_key = |key: &str| InstanceCutoffs {
        keys: vec![(key.to_owned(), cutoff(AT + 7, false))],
        ..InstanceCutoffs::default()
    };
    let expected = Some(back(LinkStatus::Revoked, AT + 7, false));
    assert_eq!(
        taken_back(&PersonCutoffs::none(), &of_key("key-1")),
        expected
    );
    assert_eq!(taken_back(&PersonCutoffs::none(), &of_key("key-2")), None);
    // The first revocation says when, and any of them ends the sessions.
    let expected = Some(back(LinkStatus::Revoked, AT + 7, true));
    assert_eq!(taken_back(&revoked, &of_key("key-1")), expected);
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
    assert_eq!(taken_back(&replaced, &none), expected);
    let both = of_person(Some(cutoff(AT + 20, false)), replaced.superseded);
    let expected = Some(back(LinkStatus::Revoked, AT + 20, false));
    assert_eq!(taken_back(&both, &none), expected);
    let later = LinkTerms {
        taken_in: Some(10),
        ..terms()
    };
    assert_eq!(Standing::taken_back(&later, &both, &none), None);
    let standing = Standing::of(&terms(), &replaced, &none, AT);
    assert_eq!(standing.status, LinkStatus::Superseded);
}

#[test]
fn a_link_that_had_ended_by_itself_is_not_revoked_or_superseded_later() {
    let none = InstanceCutoffs::default();
    let now = AT + 9_000;
    let used_up = LinkTerms {
        uses: Uses::ONCE,
        used: 1,
        last_use: Some(AT + 7),
        ..terms()
    };
    // The leeway counts: the link has worked until a minute after its expiry.
    for (at, expired) in [(AT + 1_059, false), (AT + 1_060, true), (AT + 2_000, true)] {
        for ends_sessions in [false, true] {
            let revoked = of_person(Some(cutoff(at, ends_sessions)), None);
            let superseded = of_person(None, Some(cutoff(at, ends_sessions)));
            let by_itself = LinkTerms {
                revoked_at: Some(at),
                revoked_ends_sessions: ends_sessions,
                ..terms()
            };
            for (link, person, status) in [
                (terms(), &revoked, LinkStatus::Revoked),
                (terms(), &superseded, LinkStatus::Superseded),
                (by_itself, &PersonCutoffs::none(), LinkStatus::Revoked),
            ] {
                let found = Standing::of(&link, person, &none, now);
                let expected = if expired {
                    back(LinkStatus::Expired, AT + 1_000, ends_sessions)
                } else {
                    back(status, at, ends_sessions)
                };
                assert_eq!(found, expected, "{person:?}");
                // The verdict and the sessions depend on it as before.
                let expected = Some(back(status, at, ends_sessions));
                assert_eq!(Standing::taken_back(&link, person, &none), expected);
            }
            let spent = back(LinkStatus::UsedUp, AT + 7, ends_sessions);
            assert_eq!(Standing::of(&used_up, &revoked, &none, now), spent);
        }
    }
}

#[test]
fn the_first_of_several_cutoffs_says_when_a_link_stopped_working() {
    let none = InstanceCutoffs::default();
    let at = |at, change| Cutoff {
        change,
        ..cutoff(at, false)
    };
    let now = AT + 9_000;
    for is_replaced in [false, true] {
        let mut person = PersonCutoffs::none();
        for cutoff in [at(AT + 9, 10), at(AT + 5_000, 20)] {
            if is_replaced {
                person.supersede(cutoff);
            } else {
                person.revoke(cutoff);
            }
        }
        let status = if is_replaced {
            LinkStatus::Superseded
        } else {
            LinkStatus::Revoked
        };
        // It expired between the two.
        let found = Standing::of(&terms(), &person, &none, now);
        assert_eq!(found, back(status, AT + 9, false));
        let later = LinkTerms {
            taken_in: Some(15),
            ..terms()
        };
        let found = Standing::of(&later, &person, &none, now);
        assert_eq!(found, back(LinkStatus::Expired, AT + 1_000, false));
    }
    let mut instance = InstanceCutoffs::default();
    instance.revoke_key("key-1", at(AT + 9, 10));
    instance.revoke_key("key-1", at(AT + 5_000, 20));
    instance.revoke(at(AT + 6_000, 30));
    instance.revoke(at(AT + 7_000, 40));
    let of = |link: &LinkTerms<'_>| Standing::of(link, &PersonCutoffs::none(), &instance, now);
    assert_eq!(of(&terms()), back(LinkStatus::Revoked, AT + 9, false));
    let other = LinkTerms {
        key: Some("key-2"),
        expires_at: None,
        ..terms()
    };
    assert_eq!(of(&other), back(LinkStatus::Revoked, AT + 6_000, false));
}

#[test]
fn links_of_a_retired_key_and_of_a_removed_user_count_as_revoked() {
    let (person, none) = (PersonCutoffs::none(), InstanceCutoffs::default());
    let mut retired = none.clone();
    retired.set_retirement("key-1", Some(AT + 500));
    let of = |link: &LinkTerms<'_>, now| Standing::of(link, &person, &retired, now);
    let gone = back(LinkStatus::Revoked, AT + 500, false);
    assert_eq!(of(&terms(), AT + 499).status, LinkStatus::NotUsed);
    assert_eq!(of(&terms(), AT + 500), gone);
    assert_eq!(of(&terms(), AT + 5_000), gone, "it did not expire first");
    // The key decides about the code, and the sessions go on.
    assert_eq!(Standing::taken_back(&terms(), &person, &retired), None);
    let short = LinkTerms {
        has_short: true,
        ..terms()
    };
    assert_eq!(of(&short, AT + 500).status, LinkStatus::NotUsed);
    for key in [None, Some("key-2")] {
        let other = LinkTerms { key, ..terms() };
        assert_eq!(of(&other, AT + 500).status, LinkStatus::NotUsed);
    }
    let expired = LinkTerms {
        expires_at: Some(AT + 400),
        ..terms()
    };
    let over = back(LinkStatus::Expired, AT + 400, false);
    assert_eq!(of(&expired, AT + 600), over);
    let mut removed = PersonCutoffs::none();
    removed.remove(cutoff(AT + 300, false));
    let of = |link: &LinkTerms<'_>| Standing::of(link, &removed, &retired, AT + 600);
    let first = back(LinkStatus::Revoked, AT + 300, false);
    assert_eq!(of(&short), first);
    assert_eq!(of(&terms()), first, "before the key has retired");
    assert_eq!(Standing::taken_back(&terms(), &removed, &retired), None);
    let later = LinkTerms {
        taken_in: Some(10),
        ..short
    };
    assert_eq!(of(&later).status, LinkStatus::NotUsed);
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
