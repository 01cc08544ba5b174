use std::collections::BTreeMap;

use latchkey_core::ledger::{
    Cutoff, LinkCounts, LinkPageStart, LinkQuery, LinkSort, LinkSortBy, LinkStatus, Use,
};
use latchkey_core::paging::{Position, Search, SortKey, folded};

use super::*;
use crate::embedded::catalogue::{Catalogue, CutOff};
use crate::embedded::rows::decoded;

/// Links and cutoffs, which are searched one by one.
#[derive(Default)]
struct Model {
    links: BTreeMap<String, IssuedLink>,
    people: BTreeMap<String, PersonCutoffs>,
    instance: InstanceCutoffs,
}

impl Model {
    fn standing(&self, link: &IssuedLink, now: i64) -> Standing {
        let person = owner(link).and_then(|owner| self.people.get(&owner));
        let person = person.cloned().unwrap_or_default();
        Standing::of(&link.terms(), &person, &self.instance, now)
    }

    fn matches(&self, query: &LinkQuery, link: &IssuedLink) -> bool {
        let status = self.standing(link, query.now).status;
        let user = link.user.as_ref().map(UserId::as_str);
        let texts = [
            Some(link.id.as_str()),
            user,
            link.subject.as_deref(),
            link.name.as_deref(),
            link.note.as_deref(),
        ];
        let texts = texts.into_iter().flatten();
        let texts: Vec<String> = texts.map(|text| folded(text).collect()).collect();
        let is_in = |word: &String| texts.iter().any(|text| text.contains(word));
        query.status.is_none_or(|wanted| wanted == status)
            && query.works.is_none_or(|works| works == status.works())
            && names(query).is_none_or(|names| owner(link).is_some_and(|it| names.contains(&it)))
            && (query.key.is_none() || query.key == link.key)
            && query.search.words().iter().all(is_in)
    }

    fn find(&self, query: &LinkQuery, sort: LinkSort) -> Vec<String> {
        let links = self.links.values();
        let mut found: Vec<_> = links.filter(|link| self.matches(query, link)).collect();
        found.sort_by(|a, b| sort.compare(&position(sort, a), &position(sort, b)));
        found.into_iter().map(|link| link.id.clone()).collect()
    }

    fn counts(&self, now: i64) -> LinkCounts {
        let mut counts = LinkCounts::default();
        for link in self.links.values() {
            counts.count(self.standing(link, now).status);
        }
        counts
    }

    /// Builds a catalogue from stored rows, in parts.
    fn anew(&self) -> Catalogue<Links> {
        let (mut anew, mut part) = (Catalogue::default(), Catalogue::default());
        for (number, link) in self.links.values().enumerate() {
            let stored = encoded(&StoredLink::Issued(Box::new(link.clone()))).unwrap();
            part.load(&row_in(&link.id, &stored).unwrap());
            if number % 7 == 0 {
                anew.append(std::mem::take(&mut part));
            }
        }
        anew.append(part);
        let people = self.people.iter();
        let people = people.map(|(person, cutoffs)| note(person, cutoffs.clone()));
        anew.apply_all(people.collect());
        anew
    }
}

fn position(sort: LinkSort, link: &IssuedLink) -> Position<'_> {
    let user = link.user.as_ref().map(UserId::as_str);
    let key = match sort.by {
        // Within one second the number of the change counts.
        LinkSortBy::Entered => {
            let change = i64::try_from(link.taken_in.unwrap_or_default()).unwrap();
            Some(SortKey::Time(link.entered_at * 1_048_576 + change))
        }
        LinkSortBy::Expires => link.expires_at.map(SortKey::Time),
        LinkSortBy::LastUse => link.last_use.as_ref().map(|last| SortKey::Time(last.at)),
        LinkSortBy::Person => {
            let person = link.name.as_deref().or(link.subject.as_deref()).or(user);
            let person = person.map(|person| folded(person).collect::<String>());
            person.map(|person| SortKey::Text(person.into()))
        }
    };
    Position::new(key, &link.id)
}

/// Returns the name of the person to whom a link belongs.
fn owner(link: &IssuedLink) -> Option<String> {
    match (&link.user, &link.subject) {
        (Some(user), _) => Some(user.as_str().to_owned()),
        (None, Some(subject)) if subject.contains('@') => Some(format!("\0{subject}")),
        (None, _) => None,
    }
}

/// Returns the names that a query seeks. No user has an address here.
fn names(query: &LinkQuery) -> Option<Vec<String>> {
    let user = query.user.as_ref()?;
    Some(vec![user.as_str().to_owned(), format!("\0{user}")])
}

fn note(person: &str, cutoffs: PersonCutoffs) -> Update<Links> {
    let person = person.to_owned();
    Update::Note(CutOff { person, cutoffs })
}

fn put(link: &IssuedLink) -> Update<Links> {
    Update::Put(Box::new(row_of(link).into_owned()))
}

fn all(
    catalogue: &mut Catalogue<Links>,
    model: &Model,
    query: &LinkQuery,
    sort: LinkSort,
) -> Vec<String> {
    let start = LinkPageStart::First;
    let (owners, instance) = (names(query), &model.instance);
    let page = catalogue.find_links(query, owners, instance, sort, &start, usize::MAX);
    page.unwrap().ids
}

/// Returns random numbers that are the same in each run.
fn numbers() -> impl FnMut(u64) -> u64 {
    let mut state = 1_u64;
    move |below| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    }
}

fn some_link(id: &str, change: u64, now: i64, next: &mut impl FnMut(u64) -> u64) -> IssuedLink {
    let mut link = IssuedLink::new(id.to_owned(), LinkOrigin::Taken, now);
    let user = format!("{}ser-{}", if next(2) == 0 { 'U' } else { 'u' }, next(9));
    link.user = (next(8) > 0).then(|| UserId::parse(&user, "id").unwrap());
    link.subject = match next(4) {
        0 => None,
        1 => Some(user),
        _ => Some(format!("person.{}@with.the.same.end.example", next(20))),
    };
    link.name = (next(3) == 0).then(|| format!("Änne {}", next(7)));
    link.note = (next(3) == 0).then(|| format!("for the workshop {}", next(5)));
    link.key = (next(4) > 0).then(|| format!("key-{}", next(3)));
    link.issued_at = (next(5) > 0).then_some(now);
    link.expires_at = (next(4) > 0).then(|| now + next(400).cast_signed());
    link.uses = Uses::limited(next(4)).unwrap_or_default();
    link.taken_in = (next(3) > 0).then_some(change);
    link.has_short = next(4) == 0;
    link
}

fn cutoff(change: u64, now: i64, next: &mut impl FnMut(u64) -> u64) -> Cutoff {
    Cutoff {
        at: now,
        before: (next(2) == 0).then(|| now - next(100).cast_signed()),
        change,
        ends_sessions: false,
    }
}

/// Changes `model`, and returns the updates for a catalogue.
fn change_something(
    model: &mut Model,
    change: u64,
    now: i64,
    next: &mut impl FnMut(u64) -> u64,
) -> Vec<Update<Links>> {
    let id = format!("{}ink-{}", if next(3) == 0 { 'L' } else { 'l' }, next(150));
    let known = model.links.get_mut(&id);
    match (next(20), known) {
        (0, _) => {
            let person = match next(3) {
                0 => format!("\0person.{}@with.the.same.end.example", next(20)),
                _ => format!("user-{}", next(9)),
            };
            let cutoffs = model.people.entry(person.clone()).or_default();
            match next(4) {
                0 => cutoffs.revoke(cutoff(change, now, next)),
                1 => cutoffs.supersede(cutoff(change, now, next)),
                2 => cutoffs.remove(cutoff(change, now, next)),
                _ => *cutoffs = PersonCutoffs::default(),
            }
            vec![note(&person, cutoffs.clone())]
        }
        (1, _) if next(10) == 0 => {
            let key = format!("key-{}", next(3));
            match next(4) {
                0 => model.instance.revoke(cutoff(change, now, next)),
                1 => model.instance.revoke_key(&key, cutoff(change, now, next)),
                2 => {
                    let at = now + next(900).cast_signed() - 100;
                    model.instance.set_retirement(&key, Some(at));
                }
                _ => model.instance = InstanceCutoffs::default(),
            }
            Vec::new()
        }
        (2..4, _) => {
            model.links.remove(&id);
            vec![Update::Remove(id)]
        }
        (4..12, Some(link)) => {
            link.used += 1;
            link.last_use = Some(Use {
                at: now,
                address: None,
                browser: Some("Firefox".to_owned()),
            });
            vec![put(link)]
        }
        (12, Some(link)) => {
            link.revoked_at = Some(now);
            vec![put(link)]
        }
        (13, Some(link)) => {
            link.forget_person(&UserId::parse("user-1", "id").unwrap());
            vec![put(link)]
        }
        _ => {
            let link = some_link(&id, change, now, next);
            let update = put(&link);
            model.links.insert(id, link);
            vec![update]
        }
    }
}

fn queries(now: i64, next: &mut impl FnMut(u64) -> u64) -> Vec<LinkQuery> {
    let query = LinkQuery {
        now,
        ..LinkQuery::default()
    };
    let mut queries = vec![query.clone()];
    queries.extend(LinkStatus::ALL.map(|status| LinkQuery {
        status: Some(status),
        ..query.clone()
    }));
    queries.extend([true, false].map(|works| LinkQuery {
        works: Some(works),
        search: Search::new(["", "workshop", "ser-1"][usize::try_from(next(3)).unwrap()]),
        ..query.clone()
    }));
    queries.push(LinkQuery {
        user: Some(UserId::parse(&format!("user-{}", next(9)), "id").unwrap()),
        works: (next(2) == 0).then_some(true),
        ..query.clone()
    });
    let address = format!("person.{}@with.the.same.end.example", next(20));
    queries.push(LinkQuery {
        user: Some(UserId::parse(&address, "id").unwrap()),
        works: (next(2) == 0).then_some(true),
        ..query.clone()
    });
    queries.push(LinkQuery {
        key: Some(format!("key-{}", next(4))),
        works: (next(2) == 0).then_some(true),
        ..query.clone()
    });
    queries.extend(
        ["änne", "same.end person.1", "ink-1", "none"].map(|words| LinkQuery {
            search: Search::new(words),
            ..query.clone()
        }),
    );
    queries
}

/// Few and many changes between two queries, links that expire between them, hours without a query,
/// and a clock that is set back.
#[test]
fn a_catalogue_of_links_answers_as_a_search_of_each_link_does() {
    let mut next = numbers();
    let mut model = Model::default();
    let mut catalogue = Catalogue::default();
    let (mut now, mut change) = (1_000, 0);
    let mut seen = LinkCounts::default();
    for round in 0..150 {
        for _ in 0..next(if round % 4 == 0 { 3 } else { 120 }) {
            change += 1;
            let updates = change_something(&mut model, change, now, &mut next);
            catalogue.apply_all(updates);
        }
        now += next(60).cast_signed() - 10;
        now += if round % 50 == 49 { 4_000 } else { 0 };
        let mut anew = model.anew();
        let counts = model.counts(now);
        for status in LinkStatus::ALL {
            if counts_of(counts, status) > 0 {
                seen.count(status);
            }
        }
        for query in queries(now, &mut next) {
            for by in [
                LinkSortBy::Entered,
                LinkSortBy::Expires,
                LinkSortBy::LastUse,
                LinkSortBy::Person,
            ] {
                let descending = next(2) == 0;
                let sort = LinkSort { by, descending };
                let expected = model.find(&query, sort);
                let found = all(&mut catalogue, &model, &query, sort);
                assert_eq!(found, expected, "round {round}: {query:?} {sort:?}");
                let found = all(&mut anew, &model, &query, sort);
                assert_eq!(found, expected, "anew in round {round}: {query:?} {sort:?}");
            }
        }
        assert_eq!(catalogue.judge(&model.instance, now), counts);
        assert_eq!(anew.judge(&model.instance, now), counts);
    }
    for status in LinkStatus::ALL {
        assert!(counts_of(seen, status) > 10, "too few links are {status:?}");
    }
}

fn counts_of(counts: LinkCounts, status: LinkStatus) -> u64 {
    match status {
        LinkStatus::NotUsed => counts.not_used,
        LinkStatus::InUse => counts.in_use,
        LinkStatus::UsedUp => counts.used_up,
        LinkStatus::Expired => counts.expired,
        LinkStatus::Revoked => counts.revoked,
        LinkStatus::Superseded => counts.superseded,
    }
}

#[test]
fn states_are_right_after_the_rows_of_links_have_moved() {
    let (mut model, mut catalogue) = (Model::default(), Catalogue::default());
    let rename = |model: &mut Model, id: &str, number: u64| {
        let mut link = IssuedLink::new(id.to_owned(), LinkOrigin::Taken, 1_000);
        link.name = Some(format!("Person {number}"));
        link.expires_at = number.is_multiple_of(3).then_some(1_000);
        let update = put(&link);
        model.links.insert(id.to_owned(), link);
        update
    };
    let others = (0..10).map(|number| rename(&mut model, &format!("other-{number}"), number));
    catalogue.apply_all(others.collect());
    assert_eq!(catalogue.judge(&model.instance, 2_000), model.counts(2_000));
    // A link with another name gets a new row. When most rows are dead, all are made anew.
    for number in 0..4_200 {
        let update = rename(&mut model, &format!("link-{}", number % 7), number);
        catalogue.apply_all(vec![update]);
        if number % 100 == 0 {
            assert_eq!(catalogue.judge(&model.instance, 2_000), model.counts(2_000));
        }
    }
    let sort = LinkSort::default();
    for status in [LinkStatus::NotUsed, LinkStatus::Expired] {
        let query = LinkQuery {
            status: Some(status),
            now: 2_000,
            ..LinkQuery::default()
        };
        let found = all(&mut catalogue, &model, &query, sort);
        assert_eq!(found, model.find(&query, sort));
        assert!(!found.is_empty(), "{status:?}");
    }
}

#[test]
fn rows_from_before_their_last_fields_were_added_are_read() {
    let mut link = some_link("link-1", 7, 1_000, &mut numbers());
    link.has_short = false;
    let mut row = encoded(&StoredLink::Issued(Box::new(link.clone()))).unwrap();
    assert_eq!(row.pop(), Some(0), "the last field");
    let read: StoredLink = decoded(&row).unwrap();
    assert_eq!(read.into_link(&link.id), link);
    assert!(!row_in(&link.id, &row).unwrap().values.terms.has_short);
    let revoked = Some(cutoff(5, 1_000, &mut numbers()));
    let person: PersonCutoffs = decoded(&encoded(&(revoked, None::<Cutoff>)).unwrap()).unwrap();
    let expected = PersonCutoffs {
        revoked,
        ..PersonCutoffs::none()
    };
    assert_eq!(person, expected);
    let keys = vec![("key-1".to_owned(), cutoff(6, 1_000, &mut numbers()))];
    let row = encoded(&(revoked, &keys, true)).unwrap();
    let expected = InstanceCutoffs {
        revoked,
        keys,
        any_ends_sessions: true,
        ..InstanceCutoffs::default()
    };
    assert_eq!(decoded::<InstanceCutoffs>(&row).unwrap(), expected);
}

#[test]
fn a_damaged_last_field_is_not_taken_as_a_missing_one() {
    let mut link = some_link("link-1", 7, 1_000, &mut numbers());
    link.has_short = true;
    let mut row = encoded(&StoredLink::Issued(Box::new(link))).unwrap();
    *row.last_mut().unwrap() = 9;
    assert!(decoded::<StoredLink>(&row).is_err());
    assert!(row_in("link-1", &row).is_none());
    let ended = cutoff(5, 1_000, &mut numbers());
    let person = PersonCutoffs {
        earlier_revoked: vec![ended; 3],
        ended: Some(ended),
        ..PersonCutoffs::none()
    };
    let row = encoded(&person).unwrap();
    assert_eq!(decoded::<PersonCutoffs>(&row).unwrap(), person);
    let cut = row.get(..row.len() - 1).unwrap();
    assert!(decoded::<PersonCutoffs>(cut).is_err(), "cut off");
    let of_last = encoded(&Some(ended)).unwrap().len();
    let older = row.get(..row.len() - of_last).unwrap();
    assert_eq!(decoded::<PersonCutoffs>(older).unwrap().ended, None);
    let mut damaged = row.clone();
    *damaged.get_mut(row.len() - of_last).unwrap() = 7;
    assert!(decoded::<PersonCutoffs>(&damaged).is_err(), "no option");
    let retirements: Vec<_> = (0..300).map(|at| (format!("key-{at}"), at)).collect();
    let instance = InstanceCutoffs {
        retirements,
        ..InstanceCutoffs::default()
    };
    let row = encoded(&instance).unwrap();
    assert_eq!(decoded::<InstanceCutoffs>(&row).unwrap(), instance);
}

#[test]
fn links_of_formats_before_10_are_in_the_catalogue() {
    let used = LinkUse {
        at: 50,
        browser: None,
        session: None,
    };
    let mut catalogue = Catalogue::default();
    for (id, stored) in [
        ("open", StoredLink::Open),
        ("revoked", StoredLink::Revoked),
        ("used", StoredLink::Used),
        ("used-by", StoredLink::UsedBy(used)),
    ] {
        let stored = encoded(&stored).unwrap();
        catalogue.load(&row_in(id, &stored).unwrap());
    }
    let mut whole = Catalogue::default();
    whole.append(catalogue);
    let counts = whole.judge(&InstanceCutoffs::default(), 100);
    assert_eq!((counts.not_used, counts.revoked, counts.used_up), (1, 1, 2));
}

#[test]
fn a_damaged_link_is_not_in_the_catalogue() {
    for damaged in [&[][..], &[9], &[ISSUED], &[ISSUED, 200, 1]] {
        assert!(row_in("link", damaged).is_none(), "{damaged:?}");
    }
}

#[test]
fn cutoffs_that_were_stored_before_fields_were_added_are_read() {
    let cutoff = Cutoff {
        at: 5,
        before: Some(4),
        change: 3,
        ends_sessions: true,
    };
    let row = encoded(&(Some(cutoff), None::<Cutoff>)).unwrap();
    let person: PersonCutoffs = decoded(&row).unwrap();
    let expected = PersonCutoffs {
        revoked: Some(cutoff),
        ..PersonCutoffs::none()
    };
    assert_eq!(person, expected);
    let keys = vec![("key-1".to_owned(), cutoff)];
    let row = encoded(&(Some(cutoff), &keys, true)).unwrap();
    let instance: InstanceCutoffs = decoded(&row).unwrap();
    let expected = InstanceCutoffs {
        revoked: Some(cutoff),
        keys,
        any_ends_sessions: true,
        ..InstanceCutoffs::default()
    };
    assert_eq!(instance, expected);
    let mut later = expected;
    later.revoke_key("key-1", cutoff);
    let row = encoded(&later).unwrap();
    assert_eq!(decoded::<InstanceCutoffs>(&row).unwrap(), later);
}
