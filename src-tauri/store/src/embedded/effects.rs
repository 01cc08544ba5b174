//! Conversion of the effects of a decision into rows.

use latchkey_core::Result;
use latchkey_core::directory::{Effect, EmailUsers};
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::user_id::UserId;
use serde::Serialize;
use serde_json::Value;

use super::catalogue::{CutOff, Links, Totals, Update, Users};
use super::journal::View;
use super::ledger::{self, StoredLink};
use super::record::{Counters, UserRecord};
use super::rows::{Write, encoded};
use super::session_index::SessionUpdate;
use super::{facts, keys};

/// Rows that a change writes, and its other consequences.
pub(super) struct Written {
    pub(super) rows: Vec<Write>,
    pub(super) updates: Updates,
    pub(super) totals: Totals,
    /// Time of a removal or an edit, in Unix seconds.
    pub(super) order: Option<i64>,
}

/// Updates of the catalogues and of the index of sessions.
#[derive(Default)]
pub(super) struct Updates {
    pub(super) users: Vec<Update<Users>>,
    pub(super) links: Vec<Update<Links>>,
    pub(super) sessions: Vec<SessionUpdate>,
}

impl Updates {
    pub(super) fn append(&mut self, mut next: Self) {
        self.users.append(&mut next.users);
        self.links.append(&mut next.links);
        self.sessions.append(&mut next.sessions);
    }
}

/// Returns the rows of a change.
pub(super) fn rows_of(view: &View<'_>, change: u64, effects: Vec<Effect>) -> Result<Written> {
    let mut counters = Counters {
        changes: change,
        ..facts::counters(view)?
    };
    let mut rows = Rows(Vec::with_capacity(effects.len() + 1));
    let (mut updates, mut order) = (Updates::default(), None);
    for effect in effects {
        match effect {
            Effect::PutUser(user) | Effect::SignIn(user) => {
                let record = UserRecord::of(&user);
                rows.put(keys::user(user.id.as_str()), &record)?;
                let row = Box::new(record.row(user.id.as_str()));
                updates.users.push(Update::Put(row));
            }
            Effect::RemoveUser(id) => {
                rows.remove(keys::user(id.as_str()));
                updates.users.push(Update::Remove(id.as_str().to_owned()));
            }
            Effect::AddDue(user, at) => rows.put(keys::due(at, user.as_str()), &())?,
            Effect::DropDue(user, at) => rows.remove(keys::due(at, user.as_str())),
            Effect::SetRemoval(id, at) => {
                rows.set(keys::removal(id.as_str()), at.as_ref())?;
            }
            Effect::SetEmail(email, users) => rows.set_email(view, &email, &users)?,
            Effect::SetLinksSinceEdit(id, links) => {
                rows.set(keys::newer_links(id.as_str()), links.as_ref())?;
            }
            Effect::SetRecentLinks(id, links) => {
                rows.set(keys::recent_links(id.as_str()), links.as_ref())?;
            }
            Effect::PutLink(link) => {
                let row = Box::new(ledger::row_of(&link).into_owned());
                updates.links.push(Update::Put(row));
                let key = keys::link(&link.id);
                rows.put(key, &StoredLink::Issued(link))?;
            }
            Effect::PutClaims(person, link, claims) => {
                rows.put(
                    keys::claims(&person, &link),
                    &Value::Object(claims).to_string(),
                )?;
            }
            Effect::PutShortLink(code, link) => {
                rows.put(keys::short_code(&link), &code)?;
                rows.put(keys::short_link(&code), &link)?;
            }
            Effect::ForgetClaims(person, user) => {
                let (writes, forgotten) = ledger::forget(view, &person, &user)?;
                rows.0.extend(writes);
                updates.links.extend(forgotten);
            }
            Effect::BindClaims(email, user) => {
                let (writes, bound) = ledger::bind(view, &email, &user)?;
                rows.0.extend(writes);
                updates.links.extend(bound);
            }
            Effect::PutRequest(request) => {
                rows.put(keys::request(&request.person), &request)?;
            }
            Effect::DeleteRequest(person) => rows.remove(keys::request(&person)),
            Effect::SetPersonCutoffs(person, cutoffs) => {
                rows.put(keys::cutoffs(&person), &cutoffs)?;
                let (person, cutoffs) = (ledger::name_of(&person), *cutoffs);
                updates.links.push(Update::Note(CutOff { person, cutoffs }));
            }
            Effect::SetInstanceCutoffs(cutoffs) => {
                rows.put(keys::INSTANCE_CUTOFFS.to_vec(), &cutoffs)?;
            }
            Effect::PutSession(key, session) => {
                rows.put(keys::session(&key), &session)?;
                updates
                    .sessions
                    .push(SessionUpdate::put(&session.user, key));
            }
            Effect::DeleteSession(key) => {
                rows.remove(keys::session(&key));
                let session = facts::session(view, &key)?;
                updates
                    .sessions
                    .extend(session.map(|session| SessionUpdate::delete(&session.user, key)));
            }
            Effect::SetCounts(counts) => counters.set(counts),
            Effect::SetLatestTime(at) => rows.put(keys::LATEST_TIME.to_vec(), &at)?,
            Effect::SetLastOutboxEntry(number) => {
                rows.put(keys::LAST_OUTBOX_ENTRY.to_vec(), &number)?;
            }
            Effect::NoteOrder(at) => order = Some(at),
        }
    }
    rows.put(keys::COUNTERS.to_vec(), &counters)?;
    Ok(Written {
        rows: rows.0,
        updates,
        totals: counters.totals(),
        order,
    })
}

struct Rows(Vec<Write>);

impl Rows {
    fn put(&mut self, key: Vec<u8>, value: &(impl Serialize + ?Sized)) -> Result<()> {
        self.0.push((key, Some(encoded(value)?)));
        Ok(())
    }

    fn remove(&mut self, key: Vec<u8>) {
        self.0.push((key, None));
    }

    fn set(&mut self, key: Vec<u8>, value: Option<&impl Serialize>) -> Result<()> {
        if let Some(value) = value {
            return self.put(key, value);
        }
        self.remove(key);
        Ok(())
    }

    fn set_email(&mut self, view: &View<'_>, email: &Email, users: &EmailUsers) -> Result<()> {
        self.set(
            keys::email(email),
            users.owner.as_ref().map(UserId::as_str).as_ref(),
        )?;
        if !users.former.is_empty() {
            let former: Vec<_> = users
                .former
                .iter()
                .map(|(id, at)| (id.as_str(), at))
                .collect();
            self.put(keys::former_users(email), &former)?;
        }
        let mut shared = facts::shared(view)?;
        let ids: Vec<String> = users
            .sharers
            .iter()
            .map(|id| id.as_str().to_owned())
            .collect();
        let before = if ids.is_empty() {
            shared.remove(&email.key())
        } else {
            shared.insert(email.key(), ids)
        };
        if before.is_some() || !users.sharers.is_empty() {
            self.put(keys::SHARED_EMAILS.to_vec(), &shared)?;
        }
        Ok(())
    }
}
