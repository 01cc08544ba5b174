//! Snapshots of the whole tree while changes go on. sled has none, so the journal keeps the [previous
//! value](super::kept_rows) of each row that the writer changes and that a snapshot has not read yet.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Weak};

use async_trait::async_trait;
use blocking::unblock;
use latchkey_core::Result;
use latchkey_core::activity::SealRow;
use latchkey_core::directory::{Row, Snapshot, Totals, User};
use latchkey_core::ledger::LinkPerson;
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::user_id::UserId;
use sled::IVec;

use super::blocks::Entries;
use super::errors::{damaged, storage};
use super::facts;
use super::journal::Journal;
use super::kept_rows::given_up;
use super::keys;
use super::ledger::{self, StoredLink};
use super::record::UserRecord;
use super::rows::decoded;
use super::shared::Shared;
use super::state::State;

/// Maximum number of rows of the tree that are read at once.
const BATCH_ROWS: usize = 512;
/// Number of bytes from which no more rows are read at once.
const BATCH_BYTES: usize = 256 * 1024;
/// A snapshot that has begun.
pub(super) struct Begun {
    id: u64,
    totals: Totals,
}

impl Journal {
    /// Begins a snapshot. Only the writer may call it. `order` is the time of the last removal or edit.
    pub(super) fn begin(&self, order: Option<i64>) -> Result<Begun> {
        // From here on, the rows of the tree are those of the snapshot.
        self.checkpoint()?;
        let view = self.view();
        let counters = facts::counters(&view)?;
        let totals = Totals {
            changes: counters.changes,
            users: counters.users,
            active: counters.active,
            seat_limit: counters.seat_limit,
            last_outbox_entry: view.read(keys::LAST_OUTBOX_ENTRY)?.unwrap_or_default(),
            latest_time: view.read(keys::LATEST_TIME)?,
            order,
            shared_emails: facts::shared_emails(&view)?,
            sealing: view.read(keys::SEALING)?,
            removed: view.read(keys::REMOVED)?,
            cutoffs: ledger::instance_cutoffs(&view)?,
        };
        let id = self.snapshots().begin();
        Ok(Begun { id, totals })
    }

    /// Reads the next rows of a snapshot from a key on.
    fn read_on(&self, id: u64, from: &[u8]) -> Result<Part> {
        let mut read = BTreeMap::new();
        let (mut next, mut bytes) = (None, 0);
        for row in self
            .tree()
            .range::<&[u8], _>((Bound::Included(from), Bound::Unbounded))
        {
            let (key, row) = row.map_err(storage)?;
            bytes += key.len() + row.len();
            let is_last = read.len() + 1 >= BATCH_ROWS || bytes >= BATCH_BYTES;
            if is_last {
                next = Some([&key[..], &[0]].concat());
            }
            read.insert(key.to_vec(), row);
            if is_last {
                break;
            }
        }
        // A row is kept before it is changed, so a changed row that was read is among these.
        let to = next.as_deref().unwrap_or(AFTER_ALL);
        for (key, row) in self.snapshots().take(id, to)? {
            match row {
                Some(row) => read.insert(key, row),
                None => read.remove(&key),
            };
        }
        Ok(Part {
            rows: read.into_iter().collect(),
            next,
        })
    }
}

/// Rows of the tree that were read at once.
struct Part {
    rows: Vec<(Vec<u8>, IVec)>,
    /// Key from which to go on. `None` after the last row.
    next: Option<Vec<u8>>,
}

/// Key after all keys, which begin with a letter.
const AFTER_ALL: &[u8] = &[u8::MAX];

/// A snapshot of an embedded directory.
pub(super) struct EmbeddedSnapshot {
    /// The snapshot must not keep the directory open.
    shared: Weak<Shared>,
    id: u64,
    /// Totals that were not returned yet.
    totals: Option<Totals>,
    /// Number of the last change.
    changes: u64,
    /// Key from which to go on. `None` after the last row.
    from: Option<Vec<u8>>,
}

impl EmbeddedSnapshot {
    pub(super) fn new(shared: &Arc<Shared>, begun: Begun) -> Self {
        Self {
            shared: Arc::downgrade(shared),
            id: begun.id,
            changes: begun.totals.changes,
            totals: Some(begun.totals),
            from: Some(Vec::new()),
        }
    }
}

impl Drop for EmbeddedSnapshot {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.upgrade() {
            let id = self.id;
            // A tree that cannot be opened again has no snapshots.
            let _ = shared.opened.with(|State { journal, .. }| {
                journal.snapshots().end(id);
                Ok(())
            });
        }
    }
}

#[async_trait]
impl Snapshot for EmbeddedSnapshot {
    async fn next(&mut self) -> Result<Option<Vec<Row>>> {
        if let Some(totals) = self.totals.take() {
            return Ok(Some(vec![Row::Totals(totals)]));
        }
        while let Some(from) = self.from.take() {
            let shared = self.shared.upgrade().ok_or_else(given_up)?;
            let (id, changes) = (self.id, self.changes);
            let (rows, next) = unblock(move || {
                shared.opened.with(|State { journal, .. }| {
                    let part = journal.read_on(id, &from)?;
                    let mut rows = Vec::with_capacity(part.rows.len());
                    for (key, row) in part.rows {
                        add(&key, &row, changes, &mut rows)?;
                    }
                    Ok((rows, part.next))
                })
            })
            .await?;
            self.from = next;
            if !rows.is_empty() {
                return Ok(Some(rows));
            }
        }
        Ok(None)
    }
}

/// Decodes a row of the tree. Indexes are left out, because they follow from the other rows.
fn add(key: &[u8], row: &[u8], changes: u64, rows: &mut Vec<Row>) -> Result<()> {
    let text = |prefix: &[u8]| {
        let text = key.strip_prefix(prefix)?;
        Some(std::str::from_utf8(text).map_err(|cause| damaged().because(cause)))
    };
    let id =
        |text: Result<&str>| UserId::parse(text?, "id").map_err(|cause| damaged().because(cause));
    if let Some(user) = text(keys::USERS) {
        let user = id(user)?;
        let record: UserRecord = decoded(row)?;
        let user: User = record.into_user(&user)?;
        rows.push(Row::User(user));
    } else if let Some(user) = text(keys::REMOVALS) {
        rows.push(Row::Removal {
            user: id(user)?,
            at: decoded(row)?,
        });
    } else if let Some(email) = text(keys::FORMER_USERS) {
        let former: Vec<(String, i64)> = decoded(row)?;
        let users = former.iter().map(|(user, at)| Ok((id(Ok(user))?, *at)));
        rows.push(Row::FormerUsers {
            email: email?.to_owned(),
            users: users.collect::<Result<_>>()?,
        });
    } else if let Some(user) = text(keys::NEWER_LINKS) {
        rows.push(Row::LinksSinceEdit {
            user: id(user)?,
            links: decoded(row)?,
        });
    } else if let Some(user) = text(keys::RECENT_LINKS) {
        rows.push(Row::RecentLinks {
            user: id(user)?,
            links: decoded(row)?,
        });
    } else if let Some(link) = text(keys::LINKS) {
        let stored: StoredLink = decoded(row)?;
        rows.push(Row::IssuedLink(stored.into_link(link?)));
    } else if let Some(link) = text(keys::SHORT_CODES) {
        rows.push(Row::ShortLink {
            link: link?.to_owned(),
            code: decoded(row)?,
        });
    } else if let Some(user) = text(keys::PERSON_CUTOFFS) {
        rows.push(Row::Cutoffs {
            user: id(user)?,
            cutoffs: decoded(row)?,
        });
    } else if let Some(email) = text(keys::EMAIL_CUTOFFS) {
        rows.push(Row::EmailCutoffs {
            email: Email::from_kept(email?),
            cutoffs: decoded(row)?,
        });
    } else if key.starts_with(keys::CLAIMS) {
        let (kind, person, link) = keys::claims_in(key).ok_or_else(damaged)?;
        let claims: String = decoded(row)?;
        rows.push(Row::Claims {
            person: match kind {
                'u' => LinkPerson::User(id(Ok(person))?),
                _ => LinkPerson::Email(Email::from_kept(person)),
            },
            link: link.to_owned(),
            claims: serde_json::from_str(&claims).map_err(|cause| damaged().because(cause))?,
        });
    } else if key.starts_with(keys::REQUESTS) {
        rows.push(Row::LinkRequest(decoded(row)?));
    } else if key.starts_with(keys::SESSIONS) {
        rows.push(Row::Session {
            key: keys::session_key_of(key).ok_or_else(damaged)?,
            session: decoded(row)?,
        });
    } else if key.starts_with(keys::BLOCKS) {
        // Entries that were added since are in blocks of their own.
        let entries: Entries = decoded(row)?;
        let entries = entries.into_iter().filter(|(number, _)| *number <= changes);
        rows.extend(entries.map(|(number, entry)| Row::Entry(entry.into_snapshot(number))));
    } else if key.starts_with(keys::SEALS) {
        let row: SealRow = decoded(row)?;
        rows.extend((row.seal.number <= changes).then_some(Row::Seal(row)));
    }
    Ok(())
}
