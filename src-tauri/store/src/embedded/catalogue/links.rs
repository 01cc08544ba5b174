//! The catalogue of the ledger's links.

use std::borrow::Cow;
use std::collections::HashMap;

use super::interned::{Interned, TextId};
use super::kind::{Kind, MaybeTime, Part, Totals};
use super::row_id::RowId;
use super::states::States;
use super::{Catalogue, PageOfIds};
use latchkey_core::Result;
use latchkey_core::ledger::{
    InstanceCutoffs, LinkPageStart, LinkQuery, LinkSort, LinkSortBy, LinkStatus, LinkTerms,
    PersonCutoffs, Standing,
};
use latchkey_core::paging::Search;
use latchkey_core::protocol::uses::Uses;

/// Links. Their text for sorting is the name of the person, and the other texts are the user, the
/// subject and the note.
pub(in crate::embedded) enum Links {}

/// Values of a link in the catalogue.
pub(in crate::embedded) struct LinkValues<'a> {
    /// User, or the address that nobody had, as
    /// [`name_of`](crate::embedded::ledger::name_of) names them.
    pub(in crate::embedded) owner: Option<Cow<'a, str>>,
    /// ID of the signing key.
    pub(in crate::embedded) key: Option<Cow<'a, str>>,
    pub(in crate::embedded) entered_at: i64,
    /// Terms without the key.
    pub(in crate::embedded) terms: LinkTerms<'static>,
}

/// Values of a link, as the catalogue keeps them.
#[derive(Clone, Copy, PartialEq)]
pub(in crate::embedded) struct LinkFields {
    entered_at: i64,
    issued_at: MaybeTime,
    expires_at: MaybeTime,
    last_use: MaybeTime,
    revoked_at: MaybeTime,
    /// Number of the change that gave it out. [`NO_CHANGE`] for none.
    taken_in: u64,
    used: u32,
    owner: TextId,
    uses: Uses,
    has_short: bool,
    key: TextId,
}

impl LinkFields {
    /// Returns a number that sorts links by their entry. Links of the same second are in the order in
    /// which they were given out.
    fn entry(&self) -> i64 {
        let change = match self.taken_in {
            NO_CHANGE => 0,
            change => change % CHANGES_IN_A_SECOND.unsigned_abs(),
        };
        let part = i64::try_from(change).unwrap_or_default();
        self.entered_at
            .saturating_mul(CHANGES_IN_A_SECOND)
            .saturating_add(part)
    }

    /// Returns the person of the link.
    pub(super) const fn owner(&self) -> TextId {
        self.owner
    }
}

/// Number of changes that are told apart within one second, far more than a disk can keep.
const CHANGES_IN_A_SECOND: i64 = 1 << 20;
/// Number that no change has.
const NO_CHANGE: u64 = u64::MAX;
/// Cutoffs of a person without any.
static NO_CUTOFFS: PersonCutoffs = PersonCutoffs::none();
/// Number that no text has.
const NO_TEXT: TextId = TextId::MAX;

/// People and keys of the links, and the states of the links.
#[derive(Default)]
pub(in crate::embedded) struct LinkShared {
    owners: Interned,
    keys: Interned,
    /// Cutoffs of the people who have any.
    cutoffs: HashMap<TextId, PersonCutoffs>,
    pub(super) states: Option<States>,
    /// Number of the last [judgement](Catalogue::judge) that changed a state.
    pub(super) version: u64,
}

/// New cutoffs of a person.
pub(in crate::embedded) struct CutOff {
    /// Person, as [`name_of`](crate::embedded::ledger::name_of) names them.
    pub(in crate::embedded) person: String,
    pub(in crate::embedded) cutoffs: PersonCutoffs,
}

/// Filter of links.
#[derive(Clone, Default, PartialEq)]
pub(in crate::embedded) struct LinkFilter {
    /// The query. Its answer does not depend on the time itself, so that is 0.
    query: LinkQuery,
    /// Names of the person whose links are sought. `None` for the links of all people.
    owners: Option<Vec<String>>,
}

impl Kind for Links {
    type Values<'a> = LinkValues<'a>;
    type Fields = LinkFields;
    type Shared = LinkShared;
    type Note = CutOff;
    type By = LinkSortBy;
    type Query = LinkFilter;

    const NAME: &'static str = "links";

    fn into_owned<'a>(values: LinkValues<'_>) -> LinkValues<'a> {
        LinkValues {
            owner: values.owner.map(|owner| owner.into_owned().into()),
            key: values.key.map(|key| key.into_owned().into()),
            ..values
        }
    }

    fn fields(values: &LinkValues<'_>, shared: &mut LinkShared) -> LinkFields {
        let id = |texts: &mut Interned, text: &Option<Cow<'_, str>>| {
            text.as_ref().map_or(NO_TEXT, |text| texts.intern(text))
        };
        let terms = &values.terms;
        LinkFields {
            entered_at: values.entered_at,
            issued_at: terms.issued_at.into(),
            expires_at: terms.expires_at.into(),
            last_use: terms.last_use.into(),
            revoked_at: terms.revoked_at.into(),
            taken_in: terms.taken_in.unwrap_or(NO_CHANGE),
            // A limit of uses is much lower.
            used: u32::try_from(terms.used).unwrap_or(u32::MAX),
            owner: id(&mut shared.owners, &values.owner),
            uses: terms.uses,
            has_short: terms.has_short,
            key: id(&mut shared.keys, &values.key),
        }
    }

    fn join(
        shared: &mut LinkShared,
        other: &LinkShared,
    ) -> impl Fn(LinkFields) -> LinkFields + use<> {
        let owners = shared.owners.join(&other.owners);
        let keys = shared.keys.join(&other.keys);
        let id = |ids: &[TextId], id: TextId| ids.get(id as usize).copied().unwrap_or(NO_TEXT);
        move |fields| LinkFields {
            owner: id(&owners, fields.owner),
            key: id(&keys, fields.key),
            ..fields
        }
    }

    fn note(shared: &mut LinkShared, CutOff { person, cutoffs }: CutOff) {
        let person = shared.owners.intern(&person);
        if cutoffs == PersonCutoffs::default() {
            shared.cutoffs.remove(&person);
        } else {
            shared.cutoffs.insert(person, cutoffs);
        }
        if let Some(states) = &mut shared.states {
            states.cut_off(person);
        }
    }

    fn touch(shared: &mut LinkShared, row: RowId) {
        shared.states.take_if(|states| states.touch(row));
    }

    fn renumber(shared: &mut LinkShared) {
        shared.states = None;
    }

    fn part(by: LinkSortBy) -> Part {
        match by {
            LinkSortBy::Person => Part::Text,
            LinkSortBy::Entered | LinkSortBy::Expires | LinkSortBy::LastUse => Part::Time,
        }
    }

    fn time(by: LinkSortBy, fields: &LinkFields) -> Option<i64> {
        match by {
            LinkSortBy::Person => None,
            LinkSortBy::Entered => Some(fields.entry()),
            LinkSortBy::Expires => fields.expires_at.get(),
            LinkSortBy::LastUse => fields.last_use.get(),
        }
    }

    fn search(filter: &LinkFilter) -> &Search {
        &filter.query.search
    }

    fn filter<'a>(
        filter: &'a LinkFilter,
        shared: &'a LinkShared,
    ) -> impl Fn(RowId, &LinkFields) -> bool {
        let query = &filter.query;
        // A text that is not known belongs to no link.
        let owners = filter.owners.as_ref().map(|owners| {
            let owners = owners.iter().filter_map(|owner| shared.owners.find(owner));
            owners.collect::<Vec<_>>()
        });
        let key = query.key.as_ref();
        let key = key.map(|key| shared.keys.find(key));
        let states = shared.states.as_ref();
        let state = move |row| states.and_then(|states| states.of(row));
        move |row, link| {
            let is_owner = |owners: &Vec<TextId>| owners.contains(&link.owner);
            owners.as_ref().is_none_or(is_owner)
                && key.is_none_or(|key| key == Some(link.key))
                && (!is_of_state(query)
                    || state(row).is_some_and(|status| {
                        query.status.is_none_or(|wanted| status == wanted)
                            && query.works.is_none_or(|works| status.works() == works)
                    }))
        }
    }

    fn is_alike(a: &LinkFields, b: &LinkFields) -> bool {
        a == b
    }

    fn version(filter: &LinkFilter, shared: &LinkShared) -> u64 {
        if is_of_state(&filter.query) {
            shared.version
        } else {
            0
        }
    }

    /// The number of links is not counted.
    fn is_complete<'a>(_: impl Iterator<Item = &'a LinkFields>, _: &Totals) -> bool {
        true
    }
}

/// Returns whether a query depends on the states of links.
const fn is_of_state(query: &LinkQuery) -> bool {
    query.status.is_some() || query.works.is_some()
}

impl LinkShared {
    pub(super) fn status(
        &self,
        link: &LinkFields,
        instance: &InstanceCutoffs,
        now: i64,
    ) -> LinkStatus {
        let has_any = !self.cutoffs.is_empty() && link.owner != NO_TEXT;
        let person = has_any.then(|| self.cutoffs.get(&link.owner)).flatten();
        let person = person.unwrap_or(&NO_CUTOFFS);
        Standing::of(&self.terms(link), person, instance, now).status
    }

    pub(super) fn terms(&self, link: &LinkFields) -> LinkTerms<'_> {
        LinkTerms {
            key: Some(link.key)
                .filter(|key| *key != NO_TEXT)
                .map(|key| self.keys.get(key)),
            issued_at: link.issued_at.get(),
            expires_at: link.expires_at.get(),
            uses: link.uses,
            used: link.used.into(),
            last_use: link.last_use.get(),
            revoked_at: link.revoked_at.get(),
            // The state does not depend on it.
            revoked_ends_sessions: false,
            taken_in: Some(link.taken_in).filter(|change| *change != NO_CHANGE),
            has_short: link.has_short,
        }
    }
}

impl Catalogue<Links> {
    /// Returns a page of the links that match `query`. `owners` are the names of its user.
    pub(in crate::embedded) fn find_links(
        &mut self,
        query: &LinkQuery,
        owners: Option<Vec<String>>,
        instance: &InstanceCutoffs,
        sort: LinkSort,
        place: &LinkPageStart,
        limit: usize,
    ) -> Result<PageOfIds<LinkSortBy>> {
        if is_of_state(query) {
            self.judge(instance, query.now);
        }
        let query = LinkQuery {
            now: 0,
            ..query.clone()
        };
        self.find(&LinkFilter { query, owners }, sort, place, limit)
    }
}
