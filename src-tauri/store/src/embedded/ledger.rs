//! Rows of the ledger: links, their claims, and cutoffs.

use std::net::IpAddr;

use latchkey_core::Result;
use latchkey_core::ledger::{
    GivenOut, InstanceCutoffs, IssuedLink, LinkOrigin, LinkPerson, LinkRecord, LinkTerms,
    ListedLink, PersonCutoffs, ShortLink, Standing,
};
use latchkey_core::link::short_code::ShortCodeHash;
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::protocol::uses::Uses;
use latchkey_core::session::LinkUse;
use serde::{Deserialize, Serialize};

use super::catalogue::{LinkValues, Links, Row, Update};
use super::errors::damaged;
use super::journal::View;
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
pub(super) fn cutoffs(view: &View<'_>, person: &LinkPerson) -> Result<PersonCutoffs> {
    Ok(view.read(&keys::cutoffs(person))?.unwrap_or_default())
}

/// Returns the person to whom a link belongs. `None` if it is not known.
fn person_of(user: Option<&str>, subject: Option<&str>) -> Option<LinkPerson> {
    if let Some(user) = user {
        return UserId::parse(user, "user").ok().map(LinkPerson::User);
    }
    // Only a link for an address that nobody had names no user.
    Email::parse(subject?, "email").ok().map(LinkPerson::Email)
}

/// Returns a text that names a person in the catalogue. An ID of a user has no control characters.
pub(super) fn name_of(person: &LinkPerson) -> String {
    match person {
        LinkPerson::User(user) => user.as_str().to_owned(),
        LinkPerson::Email(email) => name_of_email(&email.key()),
    }
}

/// Returns the text that names an address in the catalogue, from its [`Email::key`].
pub(super) fn name_of_email(key: &str) -> String {
    format!("\0{key}")
}

/// Returns the cutoffs for the links of the instance.
pub(super) fn instance_cutoffs(view: &View<'_>) -> Result<InstanceCutoffs> {
    Ok(view.read(keys::INSTANCE_CUTOFFS)?.unwrap_or_default())
}

/// Returns the keys that the claims of a link can have.
pub(super) fn claims_keys(link: &IssuedLink) -> Vec<Vec<u8>> {
    let Some(subject) = &link.subject else {
        return Vec::new();
    };
    // The user may have got the address after the link was given out.
    let of_user = link
        .user
        .as_ref()
        .map(|user| keys::claims_of_user(user.as_str(), &link.id));
    let of_email = Email::parse(subject, "email")
        .ok()
        .map(|email| keys::claims_of_email(&email.key(), &link.id));
    of_user.into_iter().chain(of_email).collect()
}

/// Returns the claims of a link.
pub(super) fn claims(view: &View<'_>, link: &IssuedLink) -> Result<Option<Claims>> {
    for key in claims_keys(link) {
        let stored: Option<String> = view.read(&key)?;
        if let Some(json) = stored {
            let members = serde_json::from_str(&json).map_err(|cause| damaged().because(cause))?;
            return Claims::from_signed(&members).map(Some);
        }
    }
    Ok(None)
}

/// Returns the hash of the code of a link's short link.
pub(super) fn short_code(view: &View<'_>, link: &str) -> Result<Option<ShortCodeHash>> {
    view.read(&keys::short_code(link))
}

/// Returns the link with a short code.
pub(super) fn short_link(view: &View<'_>, code: &ShortCodeHash) -> Result<Option<ShortLink>> {
    let id: Option<String> = view.read(&keys::short_link(code))?;
    let link = id.map(|id| link(view, &id)).transpose()?.flatten();
    let Some(link) = link else {
        return Ok(None);
    };
    let claims = claims(view, &link)?;
    Ok(claims.map(|claims| ShortLink {
        id: link.id,
        claims,
        key: link.key,
    }))
}

/// Returns the keys of the rows of a link's short link.
pub(super) fn short_link_keys(view: &View<'_>, link: &str) -> Result<Vec<Vec<u8>>> {
    let code = short_code(view, link)?.map(|code| keys::short_link(&code));
    Ok(code
        .into_iter()
        .flat_map(|code| [code, keys::short_code(link)])
        .collect())
}

/// Returns the writes that delete the claims and short links of the links of a person, who is the
/// removed user, and the names in their records. Also returns the updates of the catalogue.
pub(super) fn forget(
    view: &View<'_>,
    person: &LinkPerson,
    user: &UserId,
) -> Result<(Vec<Write>, Vec<Update<Links>>)> {
    let prefix = keys::claims(person, "");
    let found = view.all_keys(&prefix)?;
    let (mut writes, mut updates) = (Vec::new(), Vec::new());
    for key in found {
        let id = key
            .get(prefix.len()..)
            .and_then(|id| std::str::from_utf8(id).ok());
        let id = id.ok_or_else(damaged)?.to_owned();
        if let Some(mut link) = link(view, &id)? {
            link.forget_person(user);
            updates.push(Update::Put(Box::new(row_of(&link).into_owned())));
            let stored = StoredLink::Issued(Box::new(link));
            writes.push((keys::link(&id), Some(encoded(&stored)?)));
        }
        let short = short_link_keys(view, &id)?;
        writes.extend(short.into_iter().map(|key| (key, None)));
        writes.push((key, None));
    }
    Ok((writes, updates))
}

/// Returns the writes that move the claims of the links for an address to the user who has had it.
/// Also returns the updates of the catalogue.
pub(super) fn bind(
    view: &View<'_>,
    email: &Email,
    user: &UserId,
) -> Result<(Vec<Write>, Vec<Update<Links>>)> {
    let (person, user) = (LinkPerson::Email(email.clone()), user.clone());
    let of_email = cutoffs(view, &person)?;
    let of_user = cutoffs(view, &LinkPerson::User(user.clone()))?;
    let prefix = keys::claims(&person, "");
    let (mut writes, mut updates) = (Vec::new(), Vec::new());
    for key in view.all_keys(&prefix)? {
        let id = key.get(prefix.len()..);
        let id = id.and_then(|id| std::str::from_utf8(id).ok());
        let id = id.ok_or_else(damaged)?;
        if let (Some(mut link), Some(claims)) = (link(view, id)?, view.read::<String>(&key)?) {
            link.bind(&user, &of_email, &of_user);
            let owner = LinkPerson::User(link.user.clone().unwrap_or_else(|| user.clone()));
            writes.push((keys::claims(&owner, id), Some(encoded(&claims)?)));
            updates.push(Update::Put(Box::new(row_of(&link).into_owned())));
            let stored = StoredLink::Issued(Box::new(link));
            writes.push((keys::link(id), Some(encoded(&stored)?)));
        }
        writes.push((key, None));
    }
    Ok((writes, updates))
}

/// Returns a link with what became of it at a time, in Unix seconds.
pub(super) fn listed(view: &View<'_>, id: &str, now: i64) -> Result<Option<ListedLink>> {
    let Some(link) = link(view, id)? else {
        return Ok(None);
    };
    let standing = standing(view, &link, now)?;
    Ok(Some(ListedLink::new(link, standing)))
}

/// Returns what became of a link at a time, in Unix seconds.
fn standing(view: &View<'_>, link: &IssuedLink, now: i64) -> Result<Standing> {
    let user = link.user.as_ref().map(UserId::as_str);
    let person = person_of(user, link.subject.as_deref());
    let person = person.map(|person| cutoffs(view, &person));
    let person = person.transpose()?.unwrap_or_default();
    let instance = instance_cutoffs(view)?;
    Ok(Standing::of(&link.terms(), &person, &instance, now))
}

/// First fields of an [`IssuedLink`], which the catalogue needs, borrowed from the row.
#[derive(Deserialize)]
struct Summary<'a> {
    #[serde(borrow)]
    id: &'a str,
    user: Option<&'a str>,
    subject: Option<&'a str>,
    name: Option<&'a str>,
    note: Option<&'a str>,
    _origin: LinkOrigin,
    _given: Vec<GivenOut>,
    key: Option<&'a str>,
    entered_at: i64,
    issued_at: Option<i64>,
    _not_before: Option<i64>,
    expires_at: Option<i64>,
    uses: Uses,
    used: u64,
    _first_use: Option<UseSummary<'a>>,
    last_use: Option<UseSummary<'a>>,
    revoked_at: Option<i64>,
    revoked_ends_sessions: bool,
    taken_in: Option<u64>,
    _recent: Vec<LinkUse>,
}

/// A [`Use`](latchkey_core::ledger::Use), borrowed from the row.
#[derive(Deserialize)]
struct UseSummary<'a> {
    at: i64,
    _address: Option<IpAddr>,
    #[serde(borrow)]
    _browser: Option<&'a str>,
}

/// First byte of an encoded [`StoredLink::Issued`], which is the fifth variant.
const ISSUED: u8 = 4;

/// Decodes a link for the catalogue. Returns `None` for a damaged row.
pub(super) fn row_in<'a>(id: &'a str, bytes: &'a [u8]) -> Option<Row<'a, Links>> {
    let Some((&ISSUED, issued)) = bytes.split_first() else {
        let stored: StoredLink = postcard::from_bytes(bytes).ok()?;
        return Some(row_of(&stored.into_link(id)).into_owned());
    };
    let (link, rest): (Summary<'_>, _) = postcard::take_from_bytes(issued).ok()?;
    // Rows that were written before this last field was added end before it.
    let has_short = !rest.is_empty() && postcard::from_bytes(rest).ok()?;
    let terms = LinkTerms {
        key: None,
        issued_at: link.issued_at,
        expires_at: link.expires_at,
        uses: link.uses,
        used: link.used,
        last_use: link.last_use.map(|last| last.at),
        revoked_at: link.revoked_at,
        revoked_ends_sessions: link.revoked_ends_sessions,
        taken_in: link.taken_in,
        has_short,
    };
    let texts = Texts {
        user: link.user,
        subject: link.subject,
        name: link.name,
        note: link.note,
    };
    Some(row(link.id, texts, link.key, link.entered_at, terms))
}

/// Returns the row of a link for the catalogue.
pub(super) fn row_of(link: &IssuedLink) -> Row<'_, Links> {
    let texts = Texts {
        user: link.user.as_ref().map(UserId::as_str),
        subject: link.subject.as_deref(),
        name: link.name.as_deref(),
        note: link.note.as_deref(),
    };
    let terms = LinkTerms {
        key: None,
        ..link.terms()
    };
    row(&link.id, texts, link.key.as_deref(), link.entered_at, terms)
}

/// Texts of a link that are searched beside its ID.
#[derive(Clone, Copy)]
struct Texts<'a> {
    user: Option<&'a str>,
    subject: Option<&'a str>,
    name: Option<&'a str>,
    note: Option<&'a str>,
}

fn row<'a>(
    id: &'a str,
    texts: Texts<'a>,
    key: Option<&'a str>,
    entered_at: i64,
    terms: LinkTerms<'static>,
) -> Row<'a, Links> {
    let Texts {
        user,
        subject,
        name,
        note,
    } = texts;
    let person = name.or(subject).or(user);
    let owner = match (texts.user, texts.subject) {
        (Some(user), _) => Some(user.into()),
        (None, subject) => person_of(None, subject).map(|person| name_of(&person).into()),
    };
    // Each text is kept once.
    let subject = subject.filter(|_| subject != person);
    let user = user.filter(|_| user != person && user != subject);
    Row {
        id: id.into(),
        text: person.map(Into::into),
        others: [user, subject, note].map(|text| text.map(Into::into)),
        values: LinkValues {
            owner,
            key: key.map(Into::into),
            entered_at,
            terms,
        },
    }
}

#[cfg(test)]
mod tests;
