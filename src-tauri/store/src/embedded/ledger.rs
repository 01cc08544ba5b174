//! Rows of the ledger: links, their claims, and cutoffs.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

use latchkey_core::directory::LinkPerson;
use latchkey_core::ledger::{
    InstanceCutoffs, IssuedLink, LinkCounts, LinkPage, LinkPageStart, LinkQuery, LinkRecord,
    LinkSort, ListedLink, PersonCutoffs, SortableLink, Standing,
};
use latchkey_core::paging::{Cursor, Position, folded};
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::session::{LinkUse, Session};
use latchkey_core::{Error, Result};
use serde::{Deserialize, Serialize};

use super::errors::{damaged, storage};
use super::journal::{Journal, View};
use super::keys;
use super::rows::{Write, encoded};

/// A link in a row. The first variants are those of [`LinkRecord`], which formats before 10 stored.
#[derive(Serialize, Deserialize)]
pub(super) enum StoredLink {
    Open,
    Used,
    Revoked,
    UsedBy(LinkUse),
    Issued(Box<IssuedLink>),
}

impl StoredLink {
    pub(super) fn into_link(self, id: &str) -> IssuedLink {
        let record = match self {
            Self::Issued(link) => return *link,
            Self::Open => LinkRecord::Open,
            Self::Used => LinkRecord::Used,
            Self::Revoked => LinkRecord::Revoked,
            Self::UsedBy(used) => LinkRecord::UsedBy(used),
        };
        record.into_link(id.to_owned())
    }
}

/// Returns the link with an ID.
pub(super) fn link(view: &View<'_>, id: &str) -> Result<Option<IssuedLink>> {
    let stored: Option<StoredLink> = view.read(&keys::link(id))?;
    Ok(stored.map(|stored| stored.into_link(id)))
}

/// Returns the cutoffs for the links of a person.
pub(super) fn person_cutoffs(view: &View<'_>, user: &UserId) -> Result<PersonCutoffs> {
    let cutoffs = view.read(&keys::person_cutoffs(user.as_str()))?;
    Ok(cutoffs.unwrap_or_default())
}

/// Returns the cutoffs for the links of the instance.
pub(super) fn instance_cutoffs(view: &View<'_>) -> Result<InstanceCutoffs> {
    Ok(view.read(keys::INSTANCE_CUTOFFS)?.unwrap_or_default())
}

/// Returns whether a session has ended with the link that began it.
pub(super) fn is_ended_with_link(view: &View<'_>, session: &Session) -> Result<bool> {
    let instance = instance_cutoffs(view)?;
    if !instance.any_ends_sessions {
        return Ok(false);
    }
    let person = person_cutoffs(view, &session.user)?;
    let link = session.link.as_deref().map(|id| link(view, id));
    let link = link.transpose()?.flatten();
    Ok(Standing::ends(session, link.as_ref(), &person, &instance))
}

/// Returns the claims of a link.
pub(super) fn claims(view: &View<'_>, link: &IssuedLink) -> Result<Option<Claims>> {
    let Some(subject) = &link.subject else {
        return Ok(None);
    };
    // The user may have got the address after the link was given out.
    let of_user = link
        .user
        .as_ref()
        .map(|user| keys::claims_of_user(user.as_str(), &link.id));
    let of_email = latchkey_core::protocol::email::Email::parse(subject, "email")
        .ok()
        .map(|email| keys::claims_of_email(&email.key(), &link.id));
    for key in of_user.into_iter().chain(of_email) {
        let stored: Option<String> = view.read(&key)?;
        if let Some(json) = stored {
            let members = serde_json::from_str(&json).map_err(|cause| damaged().because(cause))?;
            return Claims::from_signed(&members).map(Some);
        }
    }
    Ok(None)
}

/// Returns the writes that delete the claims of a person's links, and the names in their records.
pub(super) fn forget(view: &View<'_>, person: &LinkPerson) -> Result<Vec<Write>> {
    let prefix = match person {
        LinkPerson::User(user) => keys::claims_of_user(user.as_str(), ""),
        LinkPerson::Email(email) => keys::claims_of_email(&email.key(), ""),
    };
    let mut found: BTreeSet<Vec<u8>> = view.pending_keys(&prefix).map(<[u8]>::to_vec).collect();
    for key in view.carried_keys(&prefix) {
        found.insert(key?);
    }
    let mut writes = Vec::new();
    for key in found {
        let id = key
            .get(prefix.len()..)
            .and_then(|id| std::str::from_utf8(id).ok());
        let id = id.ok_or_else(damaged)?.to_owned();
        if let Some(mut link) = link(view, &id)? {
            link.forget_person();
            let stored = StoredLink::Issued(Box::new(link));
            writes.push((keys::link(&id), Some(encoded(&stored)?)));
        }
        writes.push((key, None));
    }
    Ok(writes)
}

/// A link that matches a query, with its position in the order.
struct Found {
    position: Position<'static>,
    listed: ListedLink,
}

impl Journal {
    /// Reads all links in any order. Links that change at the same time may be missing.
    fn each_link(&self, mut look: impl FnMut(&View<'_>, IssuedLink) -> Result<()>) -> Result<()> {
        let pending: BTreeSet<Vec<u8>> = {
            let view = self.view();
            let keys = view.pending_keys(keys::LINKS).map(<[u8]>::to_vec);
            keys.collect()
        };
        let carried = self.tree().scan_prefix(keys::LINKS).keys();
        let carried = carried.map(|key| key.map(|key| key.to_vec()).map_err(storage));
        let carried = carried.filter(|key| key.as_ref().map_or(true, |key| !pending.contains(key)));
        for key in pending.iter().cloned().map(Ok::<_, Error>).chain(carried) {
            let key = key?;
            let id = key.strip_prefix(keys::LINKS).unwrap_or_default();
            let id = std::str::from_utf8(id).map_err(|cause| damaged().because(cause))?;
            let view = self.view();
            if let Some(link) = link(&view, id)? {
                look(&view, link)?;
            }
        }
        Ok(())
    }

    /// Returns a page of the links that match a query.
    pub(super) fn find_links(
        &self,
        query: &LinkQuery,
        sort: LinkSort,
        place: &LinkPageStart,
        limit: usize,
    ) -> Result<LinkPage> {
        let mut found = Vec::new();
        let mut cutoffs = Cutoffs::default();
        self.each_link(|view, link| {
            let standing = cutoffs.standing(view, &link, query.now)?;
            let listed = ListedLink { link, standing };
            if matches(query, &listed) {
                let position = position(sort, &listed.link);
                found.push(Found { position, listed });
            }
            Ok(())
        })?;
        found.sort_by(|a, b| sort.compare(&a.position, &b.position));
        let first = match place {
            LinkPageStart::First => 0,
            LinkPageStart::Row(row) => {
                usize::try_from(*row).map_or(found.len(), |row| row.min(found.len()))
            }
            LinkPageStart::After(cursor) => {
                let after = cursor.position(sort)?;
                found.partition_point(|found| {
                    sort.compare(&found.position, after) != Ordering::Greater
                })
            }
        };
        let total = found.len();
        let page: Vec<Found> = found.into_iter().skip(first).take(limit).collect();
        let goes_on = first + page.len() < total;
        let next = page.last().filter(|_| goes_on);
        Ok(LinkPage {
            first_row: first as u64,
            total: total as u64,
            next: next.map(|last| Cursor::new(sort, &last.position)),
            links: page.into_iter().map(|found| found.listed).collect(),
        })
    }

    /// Returns the numbers of links by their state at a time, in Unix seconds.
    pub(super) fn count_links(&self, now: i64) -> Result<LinkCounts> {
        let mut counts = LinkCounts::default();
        let mut cutoffs = Cutoffs::default();
        self.each_link(|view, link| {
            counts.count(cutoffs.standing(view, &link, now)?.status);
            Ok(())
        })?;
        Ok(counts)
    }

    /// Returns a link as it stands at a time, in Unix seconds, and its claims.
    pub(super) fn link(&self, id: &str, now: i64) -> Result<Option<(ListedLink, Option<Claims>)>> {
        let view = self.view();
        let Some(link) = link(&view, id)? else {
            return Ok(None);
        };
        let standing = Cutoffs::default().standing(&view, &link, now)?;
        let claims = claims(&view, &link)?;
        Ok(Some((ListedLink { link, standing }, claims)))
    }
}

/// Cutoffs that were read.
#[derive(Default)]
struct Cutoffs {
    instance: Option<InstanceCutoffs>,
    people: HashMap<UserId, PersonCutoffs>,
}

impl Cutoffs {
    fn standing(&mut self, view: &View<'_>, link: &IssuedLink, now: i64) -> Result<Standing> {
        let mut person = PersonCutoffs::default();
        if let Some(user) = &link.user {
            person = if let Some(known) = self.people.get(user) {
                *known
            } else {
                let read = person_cutoffs(view, user)?;
                self.people.insert(user.clone(), read);
                read
            };
        }
        if self.instance.is_none() {
            self.instance = Some(instance_cutoffs(view)?);
        }
        let instance = self.instance.get_or_insert_default();
        Ok(Standing::of(link, &person, instance, now))
    }
}

fn matches(query: &LinkQuery, listed: &ListedLink) -> bool {
    let ListedLink { link, standing } = listed;
    let user = link.user.as_ref().map(UserId::as_str);
    let is_of = |wanted: &UserId| user == Some(wanted.as_str());
    if query.status.is_some_and(|status| status != standing.status)
        || query
            .works
            .is_some_and(|works| works != standing.status.works())
        || !query.user.as_ref().is_none_or(is_of)
        || query.key.is_some() && query.key != link.key
    {
        return false;
    }
    let texts = [
        Some(link.id.as_str()),
        user,
        link.subject.as_deref(),
        link.name.as_deref(),
        link.note.as_deref(),
    ];
    let texts: Vec<String> = texts
        .into_iter()
        .flatten()
        .map(|text| folded(text).collect())
        .collect();
    let words = query.search.words().iter();
    words
        .clone()
        .all(|word| texts.iter().any(|text| text.contains(word.as_str())))
}

/// Returns the position of a link in an order.
fn position(sort: LinkSort, link: &IssuedLink) -> Position<'static> {
    let user = link.user.as_ref().map(UserId::as_str);
    let person = link.name.as_deref().or(link.subject.as_deref()).or(user);
    let person: Option<String> = person.map(|person| folded(person).collect());
    let sortable = SortableLink {
        id: &link.id,
        person: person.as_deref(),
        entered_at: link.entered_at,
        expires_at: link.expires_at,
        last_use: link.last_use.as_ref().map(|last| last.at),
    };
    sort.position(sortable).into_owned()
}
