//! Tests of the record of a link: how often it was given out, its uses, and its names.

use jiff::Timestamp;
use latchkey_core::activity::Actor;
use latchkey_core::instance::Hosted;
use latchkey_core::ledger::{
    GivenAs, GivenOut, IssuedLink, LinkCounts, LinkOrigin, LinkRecord, LinkSortBy, LinkStatus,
    ListedLink, MAX_NOTE_CHARS, Standing, TakenLink, Use, not_entered, note, unknown_link,
};
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::protocol::uses::{MAX_USES, Uses};
use latchkey_core::session::{BrowserKey, LinkUse, REPEAT_SECS};
use latchkey_core::verdict::Status;
use latchkey_core::{Error, ErrorCode};
use serde::Serialize;
use serde_json::{Value, json};

const AT: i64 = 1_800_000_000;

#[test]
fn a_link_replaces_others_early_only_if_it_works_from_a_later_time() {
    let now = Timestamp::from_second(AT).unwrap();
    for (supersedes, not_before, warns) in [
        (true, Some(AT + 1), true),
        (true, Some(AT), false),
        (true, None, false),
        (false, Some(AT + 1), false),
    ] {
        let mut members = json!({ "id": "ada", "jti": "link-1" });
        members["nbf"] = not_before.map_or(Value::Null, Into::into);
        let mut members = members.as_object().unwrap().clone();
        members.retain(|_, value| !value.is_null());
        let claims = Claims::from_signed(&members).unwrap();
        let taken = TakenLink {
            supersedes,
            ..TakenLink::new(claims, None)
        };
        let warning = taken.replaces_early(now).map(|warning| warning.code);
        let expected = warns.then(|| "replaces_early".into());
        assert_eq!(warning, expected, "{supersedes} {not_before:?}");
    }
}

#[test]
fn a_link_ends_neither_before_its_entry_nor_before_its_last_use() {
    let ended = |last_use: Option<i64>, ended_at: Option<i64>| {
        let link = IssuedLink {
            last_use: last_use.map(sign_in_at),
            ..link(Uses::UNLIMITED)
        };
        let standing = Standing {
            status: LinkStatus::Expired,
            ended_at,
            ends_sessions: false,
        };
        ListedLink::new(link, standing).standing.ended_at
    };
    assert_eq!(ended(None, None), None);
    assert_eq!(ended(None, Some(AT - 1)), Some(AT));
    assert_eq!(ended(None, Some(AT + 9)), Some(AT + 9));
    assert_eq!(ended(Some(AT + 20), Some(AT + 9)), Some(AT + 20));
    assert_eq!(ended(Some(AT + 5), Some(AT + 9)), Some(AT + 9));
}

#[test]
fn a_state_elsewhere_claims_neither_a_use_nor_that_a_link_stopped() {
    for (status, here, elsewhere) in [
        (LinkStatus::NotUsed, "not_used", "given_out"),
        (LinkStatus::Expired, "expired", "expired"),
        (LinkStatus::Revoked, "revoked", "marked_revoked"),
    ] {
        for hosted in [Hosted::Here, Hosted::Gateway] {
            assert_eq!(status.name_at(hosted), here);
            assert_eq!(status.words_at(hosted), here.replace('_', " "));
        }
        assert_eq!(status.name_at(Hosted::Elsewhere), elsewhere);
    }
    let marked = LinkStatus::Revoked.words_at(Hosted::Elsewhere);
    assert_eq!(marked, "marked as revoked");
    let given = LinkStatus::NotUsed.words_at(Hosted::Elsewhere);
    assert_eq!(given, "given out");
}

fn link(uses: Uses) -> IssuedLink {
    IssuedLink {
        uses,
        ..IssuedLink::new("link-1".to_owned(), LinkOrigin::Taken, AT)
    }
}

fn browser(number: usize) -> Option<BrowserKey> {
    BrowserKey::of(format!("browser number {number:020}").as_bytes())
}

fn used(at: i64, number: usize) -> LinkUse {
    LinkUse {
        at,
        browser: browser(number),
        session: None,
    }
}

fn sign_in_at(at: i64) -> Use {
    Use {
        at,
        address: None,
        browser: None,
    }
}

/// Signs in by a link as a browser. Repeats an earlier use if it may.
fn sign_in(link: &mut IssuedLink, at: i64, number: usize) {
    let repeats = link.repeatable_use(browser(number), at);
    link.sign_in(sign_in_at(at), used(at, number), repeats);
}

fn name_in_json(value: impl Serialize) -> String {
    let json = serde_json::to_value(value).unwrap();
    json.as_str().unwrap().to_owned()
}

#[test]
fn names_are_those_of_the_json_and_words_are_plain() {
    for (given, words) in [
        (GivenAs::Link, "as a link"),
        (GivenAs::Code, "as a code"),
        (GivenAs::QrCode, "as a QR code"),
        (GivenAs::Widget, "as a widget"),
        (GivenAs::Message, "as a message"),
        (GivenAs::File, "as a file"),
    ] {
        assert_eq!(given.name(), name_in_json(given));
        assert_eq!(given.words(), words);
    }
    for origin in [LinkOrigin::Taken, LinkOrigin::Scanned, LinkOrigin::Foreign] {
        assert_eq!(origin.name(), name_in_json(origin));
    }
    for by in [
        LinkSortBy::Entered,
        LinkSortBy::Expires,
        LinkSortBy::LastUse,
        LinkSortBy::Person,
    ] {
        assert_eq!(by.name(), name_in_json(by));
    }
    for status in [Status::Active, Status::Suspended, Status::Ended] {
        assert_eq!(status.name(), name_in_json(status));
    }
    for status in LinkStatus::ALL {
        assert_eq!(status.name(), name_in_json(status));
        assert_eq!(status.words(), name_in_json(status).replace('_', " "));
        let works = [LinkStatus::NotUsed, LinkStatus::InUse].contains(&status);
        assert_eq!(status.works(), works, "{status:?}");
    }
}

#[test]
fn each_state_is_counted_by_itself() {
    let mut counts = LinkCounts::default();
    for (number, status) in LinkStatus::ALL.into_iter().enumerate() {
        for _ in 0..=number {
            counts.count(status);
        }
    }
    let expected = LinkCounts {
        not_used: 1,
        in_use: 2,
        used_up: 3,
        expired: 4,
        revoked: 5,
        superseded: 6,
    };
    assert_eq!(counts, expected);
    assert_eq!(counts.all(), 21);
    for status in LinkStatus::ALL {
        counts.uncount(status);
    }
    assert_eq!(counts.all(), 15);
    assert_eq!((counts.not_used, counts.superseded), (0, 5));
}

#[test]
fn the_first_sixteen_ways_in_which_a_link_was_given_out_are_recorded() {
    let mut link = link(Uses::UNLIMITED);
    for number in 0..20 {
        link.give_out(GivenOut {
            given: GivenAs::Link,
            at: AT + number,
            by: Actor::Studio,
        });
    }
    let times: Vec<i64> = link.given.iter().map(|given| given.at).collect();
    assert_eq!(times, (AT..AT + 16).collect::<Vec<_>>());
}

#[test]
fn each_sign_in_by_a_link_without_a_limit_counts_and_none_is_kept_for_repeating() {
    let mut link = link(Uses::UNLIMITED);
    link.sign_in(sign_in_at(AT), used(AT, 1), None);
    link.sign_in(sign_in_at(AT + 5), used(AT + 5, 1), Some(used(AT, 1)));
    assert_eq!(link.used, 2);
    assert_eq!(link.first_use, Some(sign_in_at(AT)));
    assert_eq!(link.last_use, Some(sign_in_at(AT + 5)));
    assert_eq!(link.recent, []);
}

#[test]
fn a_repeated_use_counts_once_and_keeps_its_first_time() {
    let mut link = link(Uses::limited(3).unwrap());
    sign_in(&mut link, AT, 1);
    sign_in(&mut link, AT + 10, 2);
    assert_eq!(link.used, 2);
    sign_in(&mut link, AT + 20, 1);
    assert_eq!(link.used, 2, "the same browser repeats its use");
    assert_eq!(link.last_use, Some(sign_in_at(AT + 10)));
    assert_eq!(link.recent, [used(AT + 10, 2), used(AT, 1)]);
    let repeatable = |number, at| link.repeatable_use(browser(number), at).is_some();
    assert!(repeatable(1, AT + REPEAT_SECS - 1));
    assert!(!repeatable(1, AT + REPEAT_SECS), "its first time counts");
    assert!(repeatable(2, AT + REPEAT_SECS));
    assert!(!repeatable(3, AT + 20));
    sign_in(&mut link, AT + REPEAT_SECS, 1);
    assert_eq!(link.used, 3);
}

#[test]
fn uses_that_nobody_can_repeat_any_more_are_dropped() {
    let mut link = link(Uses::limited(100).unwrap());
    sign_in(&mut link, AT, 1);
    sign_in(&mut link, AT + 1, 2);
    // A clock was set back, so a use is in the future.
    sign_in(&mut link, AT + REPEAT_SECS + 500, 3);
    link.recent.insert(0, used(AT, 1));
    link.recent.insert(1, used(AT + 1, 2));
    sign_in(&mut link, AT + REPEAT_SECS, 4);
    assert_eq!(link.recent, [used(AT + 1, 2), used(AT + REPEAT_SECS, 4)]);
}

#[test]
fn the_latest_32_uses_can_be_repeated() {
    let mut link = link(Uses::limited(100).unwrap());
    for number in 0..32 {
        sign_in(&mut link, AT, number);
    }
    assert_eq!(link.recent.len(), 32);
    assert!(link.repeatable_use(browser(0), AT).is_some());
    sign_in(&mut link, AT, 32);
    assert_eq!(link.recent.len(), 32);
    assert!(link.repeatable_use(browser(0), AT).is_none());
    for number in 1..=32 {
        assert!(link.repeatable_use(browser(number), AT).is_some());
    }
}

#[test]
fn the_person_of_a_link_is_forgotten() {
    let text = || Some("Ada".to_owned());
    let mut link = IssuedLink {
        subject: text(),
        name: text(),
        note: text(),
        key: text(),
        ..link(Uses::ONCE)
    };
    link.forget_person(&UserId::parse("bob", "id").unwrap());
    assert_eq!(
        (&link.subject, &link.name, &link.note),
        (&None, &None, &None)
    );
    assert_eq!((&link.key, link.uses), (&text(), Uses::ONCE));
}

#[test]
fn records_of_formats_before_10_are_read() {
    let of = |record: LinkRecord| record.into_link("link-1".to_owned());
    let open = of(LinkRecord::Open);
    assert_eq!(
        open,
        IssuedLink::new("link-1".to_owned(), LinkOrigin::Foreign, 0)
    );
    let spent = of(LinkRecord::Used);
    assert_eq!(
        (spent.uses, spent.used, spent.entered_at),
        (Uses::ONCE, 1, 0)
    );
    assert_eq!(of(LinkRecord::Revoked).revoked_at, Some(0));
    let by = of(LinkRecord::UsedBy(used(AT, 1)));
    assert_eq!((by.uses, by.used, by.entered_at), (Uses::ONCE, 1, AT));
    assert_eq!(by.first_use, Some(sign_in_at(AT)));
    assert_eq!(by.recent, [used(AT, 1)]);
}

#[test]
fn a_note_is_trimmed_and_limited_to_one_line() {
    let longest = "é".repeat(MAX_NOTE_CHARS);
    assert_eq!(note(" a note ", "note").unwrap().as_deref(), Some("a note"));
    assert_eq!(note(" \n", "note").unwrap(), None);
    assert_eq!(note(&longest, "note").unwrap(), Some(longest.clone()));
    for refused in [format!("{longest}é"), "two\nlines".to_owned()] {
        let error = note(&refused, "note").unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidPayload);
        assert_eq!(error.field.as_deref(), Some("note"));
    }
    assert_eq!(unknown_link().code, ErrorCode::UnknownLink);
}

#[test]
fn a_link_that_may_have_been_entered_is_not_said_to_be_missing() {
    let refused = Error::new(ErrorCode::Storage, "The disk is full.");
    let said = not_entered(refused).message;
    assert!(said.contains("could not be entered in the list"), "{said}");
    for error in [
        Error::new(ErrorCode::Unreachable, "No answer.").in_doubt(),
        Error::new(ErrorCode::OutcomeUnknown, "It started again."),
    ] {
        let said = not_entered(error).message;
        assert!(said.contains("it can be copied from there"), "{said}");
        assert!(!said.contains("could not be entered"), "{said}");
    }
}

#[test]
fn a_limit_of_uses_is_from_one_to_a_thousand() {
    assert_eq!(MAX_USES, 1000);
    for limit in [1, 2, 1000] {
        assert_eq!(Uses::limited(limit).unwrap().limit(), Some(limit));
    }
    for limit in [0, 1001, 65_537] {
        assert_eq!(Uses::limited(limit), None);
        let error = Uses::parse(Some(limit), "uses").unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidPayload);
        assert_eq!(error.field.as_deref(), Some("uses"));
    }
    assert_eq!(Uses::parse(None, "uses").unwrap(), Uses::UNLIMITED);
    assert_eq!(Uses::parse(Some(1), "uses").unwrap(), Uses::ONCE);
    assert!(Uses::ONCE.is_limited() && !Uses::UNLIMITED.is_limited());
    let three = Uses::limited(3).unwrap();
    let spent = [2, 3, 4].map(|used| three.are_spent_by(used));
    assert_eq!(spent, [false, true, true]);
    assert!(!Uses::UNLIMITED.are_spent_by(u64::MAX));
}
