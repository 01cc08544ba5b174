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
    Cutoff, InstanceCutoffs, LinkPageStart, LinkQuery, LinkSort, LinkSortBy, LinkStatus, LinkTerms,
    PersonCutoffs, Standing,
};
use latchkey_core::paging::Search;
use latchkey_core::protocol::uses::Uses;

/// Links. Their text for sorting is the name of the person, and the other texts are the user, the
/// subject and the note.
pub(in crate::embedded) enum Links {}

/// Values of a link in the catalogue.
pub(in crate::embedded) struct LinkValues<'a> {
    /// ID of the user.
    pub(in crate::embedded) user: Option<Cow<'a, str>>,
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
    user: TextId,
    uses: Uses,
    key: TextId,
}

impl LinkFields {
    /// Returns the user of the link.
    pub(super) const fn user(&self) -> TextId {
        self.user
    }
}

/// Number that no change has.
const NO_CHANGE: u64 = u64::MAX;
/// Number that no text has.
const NO_TEXT: TextId = TextId::MAX;

/// Users and keys of the links, and the states of the links.
#[derive(Default)]
pub(in crate::embedded) struct LinkShared {
    users: Interned,
    keys: Interned,
    /// Cutoffs of the users who have any.
    revoked: HashMap<TextId, Cutoff>,
    superseded: HashMap<TextId, Cutoff>,
    pub(super) states: Option<States>,
    /// Number of the last [judgement](Catalogue::judge) that changed a state.
    pub(super) version: u64,
}

/// New cutoffs of a user.
pub(in crate::embedded) struct CutOff {
    pub(in crate::embedded) user: String,
    pub(in crate::embedded) cutoffs: PersonCutoffs,
}

impl Kind for Links {
    type Values<'a> = LinkValues<'a>;
    type Fields = LinkFields;
    type Shared = LinkShared;
    type Note = CutOff;
    type By = LinkSortBy;
    type Query = LinkQuery;

    const NAME: &'static str = "links";

    fn into_owned<'a>(values: LinkValues<'_>) -> LinkValues<'a> {
        LinkValues {
            user: values.user.map(|user| user.into_owned().into()),
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
            user: id(&mut shared.users, &values.user),
            uses: terms.uses,
            key: id(&mut shared.keys, &values.key),
        }
    }

    fn join(
        shared: &mut LinkShared,
        other: &LinkShared,
    ) -> impl Fn(LinkFields) -> LinkFields + use<> {
        let users = shared.users.join(&other.users);
        let keys = shared.keys.join(&other.keys);
        let id = |ids: &[TextId], id: TextId| ids.get(id as usize).copied().unwrap_or(NO_TEXT);
        move |fields| LinkFields {
            user: id(&users, fields.user),
            key: id(&keys, fields.key),
            ..fields
        }
    }

    fn note(shared: &mut LinkShared, CutOff { user, cutoffs }: CutOff) {
        let user = shared.users.intern(&user);
        for (all, cutoff) in [
            (&mut shared.revoked, cutoffs.revoked),
            (&mut shared.superseded, cutoffs.superseded),
        ] {
            match cutoff {
                Some(cutoff) => all.insert(user, cutoff),
                None => all.remove(&user),
            };
        }
        if let Some(states) = &mut shared.states {
            states.cut_off(user);
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
            LinkSortBy::Entered => Some(fields.entered_at),
            LinkSortBy::Expires => fields.expires_at.get(),
            LinkSortBy::LastUse => fields.last_use.get(),
        }
    }

    fn search(query: &LinkQuery) -> &Search {
        &query.search
    }

    fn filter<'a>(
        query: &'a LinkQuery,
        shared: &'a LinkShared,
    ) -> impl Fn(RowId, &LinkFields) -> bool {
        let user = query.user.as_ref();
        let user = user.map(|user| shared.users.find(user.as_str()));
        let key = query.key.as_ref();
        let key = key.map(|key| shared.keys.find(key));
        let states = shared.states.as_ref();
        let state = move |row| states.and_then(|states| states.of(row));
        move |row, link| {
            // A text that is not known belongs to no link.
            user.is_none_or(|user| user == Some(link.user))
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

    fn version(query: &LinkQuery, shared: &LinkShared) -> u64 {
        if is_of_state(query) {
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
        let terms = self.terms(link);
        let of_user = |all: &HashMap<TextId, Cutoff>| {
            let has_any = !all.is_empty() && link.user != NO_TEXT;
            has_any.then(|| all.get(&link.user).copied()).flatten()
        };
        let person = PersonCutoffs {
            revoked: of_user(&self.revoked),
            superseded: of_user(&self.superseded),
        };
        Standing::of(&terms, &person, instance, now).status
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
        }
    }
}

impl Catalogue<Links> {
    /// Returns a page of the links that match `query`.
    pub(in crate::embedded) fn find_links(
        &mut self,
        query: &LinkQuery,
        instance: &InstanceCutoffs,
        sort: LinkSort,
        place: &LinkPageStart,
        limit: usize,
    ) -> Result<PageOfIds<LinkSortBy>> {
        if is_of_state(query) {
            self.judge(instance, query.now);
        }
        // The answer does not depend on the time itself.
        let query = LinkQuery {
            now: 0,
            ..query.clone()
        };
        self.find(&query, sort, place, limit)
    }
}
