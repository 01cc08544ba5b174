//! Tests of the moments before which links do not work any more.

use latchkey_core::ledger::{Cutoff, InstanceCutoffs, LinkTerms, PersonCutoffs};

const AT: i64 = 1_800_000_000;

fn cutoff(before: Option<i64>) -> Cutoff {
    Cutoff {
        at: AT,
        before,
        change: 10,
        ends_sessions: false,
    }
}

fn given_out(change: u64, issued_at: Option<i64>) -> LinkTerms<'static> {
    LinkTerms {
        taken_in: Some(change),
        ..LinkTerms::unknown(issued_at)
    }
}

#[test]
fn a_link_that_was_given_out_is_before_a_cutoff_by_the_number_of_its_change() {
    for (change, is_before) in [(9, true), (10, false), (11, false)] {
        // The times do not matter.
        for issued_at in [None, Some(AT - 500), Some(AT + 500)] {
            let link = given_out(change, issued_at);
            assert_eq!(cutoff(None).covers(&link), is_before, "{link:?}");
        }
    }
}

#[test]
fn a_cutoff_with_a_time_covers_only_links_that_were_issued_before_it() {
    let cutoff = cutoff(Some(AT - 100));
    for (issued_at, is_before) in [
        (None, true),
        (Some(AT - 101), true),
        (Some(AT - 100), false),
        (Some(AT - 99), false),
    ] {
        assert_eq!(cutoff.covers(&given_out(9, issued_at)), is_before);
        assert!(!cutoff.covers(&given_out(10, issued_at)), "it came later");
    }
}

#[test]
fn the_clock_of_another_issuer_may_be_a_minute_ahead() {
    for (cutoff, moment) in [(cutoff(None), AT), (cutoff(Some(AT - 100)), AT - 100)] {
        for (issued_at, is_before) in [
            (None, true),
            (Some(moment), true),
            (Some(moment + 60), true),
            (Some(moment + 61), false),
        ] {
            let link = LinkTerms::unknown(issued_at);
            assert_eq!(cutoff.covers(&link), is_before, "{cutoff:?} {issued_at:?}");
        }
    }
}

#[test]
fn of_two_cutoffs_the_one_that_covers_more_stays() {
    let new = |before| Cutoff {
        at: AT + 1,
        ..cutoff(before)
    };
    assert_eq!(new(None).merged(None), new(None));
    for (newer, older, is_newer) in [
        (None, None, true),
        (None, Some(5), true),
        (Some(5), None, false),
        (Some(5), Some(4), true),
        (Some(5), Some(5), true),
        (Some(5), Some(6), false),
    ] {
        let merged = new(newer).merged(Some(cutoff(older)));
        let expected = if is_newer { new(newer) } else { cutoff(older) };
        assert_eq!(merged, expected, "{newer:?} after {older:?}");
    }
}

#[test]
fn merged_cutoffs_end_sessions_only_if_both_do() {
    for (newer, older) in [(false, false), (false, true), (true, false), (true, true)] {
        // The time of the newer one is earlier, so the older one stays.
        for before in [None, Some(5)] {
            let newer_cutoff = Cutoff {
                ends_sessions: newer,
                ..cutoff(before)
            };
            let older_cutoff = Cutoff {
                ends_sessions: older,
                ..cutoff(None)
            };
            let merged = newer_cutoff.merged(Some(older_cutoff));
            assert_eq!(merged.ends_sessions, newer && older);
        }
    }
}

#[test]
fn a_person_has_no_cutoffs_only_if_both_are_missing() {
    let some = Some(cutoff(None));
    for (revoked, superseded) in [(None, None), (some, None), (None, some), (some, some)] {
        let cutoffs = PersonCutoffs {
            revoked,
            superseded,
            ..PersonCutoffs::none()
        };
        let is_empty = revoked.is_none() && superseded.is_none();
        assert_eq!(cutoffs.is_empty(), is_empty, "{cutoffs:?}");
    }
}

#[test]
fn the_cutoff_of_a_key_is_found_by_its_id() {
    let cutoffs = InstanceCutoffs {
        keys: vec![
            ("key-1".to_owned(), cutoff(None)),
            ("key-2".to_owned(), cutoff(Some(5))),
        ],
        ..InstanceCutoffs::default()
    };
    assert_eq!(cutoffs.of_key("key-1"), Some(cutoff(None)));
    assert_eq!(cutoffs.of_key("key-2"), Some(cutoff(Some(5))));
    assert_eq!(cutoffs.of_key("key-3"), None);
}

#[test]
fn earlier_cutoffs_are_kept_until_there_are_too_many() {
    let mut cutoffs = PersonCutoffs::none();
    let at = |change: u64| Cutoff {
        at: AT + change.cast_signed(),
        change,
        ..cutoff(None)
    };
    cutoffs.supersede(at(1));
    assert!(cutoffs.earlier_superseded.is_empty());
    for change in 2..=18 {
        cutoffs.supersede(at(change));
    }
    assert_eq!(cutoffs.superseded, Some(at(18)));
    let kept: Vec<u64> = (2..=17).collect();
    let earlier = cutoffs.earlier_superseded.iter();
    assert_eq!(
        earlier.map(|cutoff| cutoff.change).collect::<Vec<_>>(),
        kept
    );
    assert!(cutoffs.earlier_revoked.is_empty());
    // A cutoff that covers less replaces none.
    cutoffs.revoke(at(19));
    cutoffs.revoke(Cutoff {
        before: Some(AT),
        ..at(20)
    });
    assert_eq!(cutoffs.revoked, Some(at(19)));
    assert!(cutoffs.earlier_revoked.is_empty());
}

#[test]
fn a_retirement_is_known_by_the_key_and_is_taken_back() {
    let mut cutoffs = InstanceCutoffs::default();
    cutoffs.set_retirement("key-1", Some(AT + 50));
    cutoffs.set_retirement("key-2", Some(AT));
    cutoffs.set_retirement("key-2", Some(AT + 70));
    assert_eq!(cutoffs.retires_at("key-1"), Some(AT + 50));
    assert_eq!(cutoffs.retires_at("key-2"), Some(AT + 70));
    assert_eq!(cutoffs.retires_at("key-3"), None);
    assert_eq!(cutoffs.next_retirement(AT), Some(AT + 50));
    assert_eq!(cutoffs.next_retirement(AT + 50), Some(AT + 70));
    assert_eq!(cutoffs.next_retirement(AT + 70), None);
    cutoffs.set_retirement("key-1", None);
    assert_eq!(cutoffs.retires_at("key-1"), None);
    for number in 0..100 {
        cutoffs.set_retirement(&format!("later-{number}"), Some(AT));
    }
    assert_eq!(cutoffs.retirements.len(), 100);
    assert_eq!(cutoffs.retires_at("key-2"), None, "the oldest is dropped");
}

#[test]
fn only_times_in_the_future_are_corrected() {
    let ahead = Cutoff {
        at: AT + 61,
        before: Some(AT + 61),
        ..cutoff(None)
    };
    let right = Cutoff {
        at: AT + 60,
        ..cutoff(None)
    };
    let corrected = Cutoff {
        at: AT,
        before: Some(AT),
        ..ahead
    };
    let mut person = PersonCutoffs {
        revoked: Some(ahead),
        superseded: Some(right),
        removed: Some(ahead),
        earlier_revoked: vec![right, ahead],
        earlier_superseded: vec![ahead],
        ended: Some(ahead),
    };
    assert_eq!(person.latest(), Some(AT + 61));
    assert!(person.correct(AT));
    let expected = PersonCutoffs {
        revoked: Some(corrected),
        superseded: Some(right),
        removed: Some(corrected),
        earlier_revoked: vec![right, corrected],
        earlier_superseded: vec![corrected],
        ended: Some(corrected),
    };
    assert_eq!(person, expected);
    assert!(!person.correct(AT), "nothing is left");
    let mut instance = InstanceCutoffs {
        revoked: Some(ahead),
        keys: vec![("key-1".to_owned(), ahead), ("key-2".to_owned(), right)],
        earlier: vec![(None, ahead)],
        ended: vec![(None, ahead)],
        ..InstanceCutoffs::default()
    };
    assert!(instance.correct(AT));
    assert_eq!(instance.revoked, Some(corrected));
    assert_eq!(instance.of_key("key-1"), Some(corrected));
    assert_eq!(instance.of_key("key-2"), Some(right));
    assert_eq!(instance.earlier, [(None, corrected)]);
    assert_eq!(instance.ended, [(None, corrected)]);
    assert!(!instance.correct(AT));
}

#[test]
fn a_later_cutoff_of_an_earlier_moment_covers_the_links_that_were_given_out_in_between() {
    let stored = cutoff(Some(AT - 10));
    let later = Cutoff {
        change: 20,
        ..cutoff(Some(AT - 50))
    };
    let between = given_out(15, Some(AT - 60));
    assert!(!stored.covers(&between) && later.covers(&between));
    let merged = later.merged(Some(stored));
    assert_eq!((merged.before, merged.change), (Some(AT - 10), 20));
    assert!(merged.covers(&between));
}

#[test]
fn sessions_end_only_up_to_the_latest_cutoff_that_ends_them() {
    let at = |change: u64, ends_sessions| Cutoff {
        at: AT + change.cast_signed(),
        change,
        ends_sessions,
        ..cutoff(None)
    };
    let mut person = PersonCutoffs::none();
    let mut instance = InstanceCutoffs::default();
    for cutoff in [at(10, true), at(20, false)] {
        person.revoke(cutoff);
        instance.revoke_key("key-1", cutoff);
        instance.revoke(Cutoff {
            before: Some(cutoff.at),
            ..cutoff
        });
    }
    let ended = |cutoff: Option<Cutoff>| cutoff.map(|cutoff| cutoff.change);
    assert_eq!(ended(person.revoked), Some(20));
    assert_eq!(ended(person.ended), Some(10));
    let changes = instance
        .ended
        .iter()
        .map(|(key, ended)| (key.as_deref(), ended.change));
    assert_eq!(
        changes.collect::<Vec<_>>(),
        [(Some("key-1"), 10), (None, 10)]
    );
    person.revoke(at(30, true));
    assert_eq!(ended(person.ended), Some(30));
    // Rows of earlier versions have it in the cutoff itself.
    let mut earlier = PersonCutoffs {
        revoked: Some(at(10, true)),
        ..PersonCutoffs::none()
    };
    earlier.revoke(at(20, false));
    assert_eq!(earlier.ended, Some(at(10, true)));
    assert_eq!(earlier.revoked, Some(at(20, false)));
}

#[test]
fn the_cutoff_of_a_dropped_key_counts_by_its_time_with_the_end_of_its_sessions() {
    let mut cutoffs = InstanceCutoffs::default();
    assert_eq!(cutoffs.drop_first_key(), None);
    let ending = Cutoff {
        ends_sessions: true,
        ..cutoff(None)
    };
    cutoffs.revoke_key("key-1", ending);
    cutoffs.revoke_key("key-2", cutoff(None));
    let by_time = Cutoff {
        before: Some(AT + 1),
        ..ending
    };
    assert_eq!(cutoffs.drop_first_key(), Some(by_time));
    assert_eq!((cutoffs.of_key("key-1"), cutoffs.ended.len()), (None, 1));
    assert_eq!(cutoffs.ended, [(None, by_time)]);
    let plain = Cutoff {
        ends_sessions: false,
        ..by_time
    };
    assert_eq!(cutoffs.revoked, Some(plain));
    assert_eq!(cutoffs.drop_first_key(), Some(plain));
    assert!(cutoffs.keys.is_empty());
}

#[test]
fn the_cutoffs_of_a_user_are_added_to_those_of_an_address() {
    let at = |change: u64| Cutoff {
        at: AT + change.cast_signed(),
        change,
        ..cutoff(None)
    };
    let mut of_email = PersonCutoffs::none();
    of_email.revoke(at(20));
    let mut of_user = PersonCutoffs::none();
    of_user.revoke(at(10));
    of_user.supersede(at(12));
    of_user.remove(at(30));
    of_email.add(&of_user);
    let expected = PersonCutoffs {
        revoked: Some(at(20)),
        superseded: Some(at(12)),
        removed: Some(at(30)),
        earlier_revoked: vec![at(10)],
        ..PersonCutoffs::none()
    };
    assert_eq!(of_email, expected);
    of_email.add(&of_user);
    assert_eq!(of_email, expected, "adding them again changes nothing");
}
