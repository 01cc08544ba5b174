//! Loading of a snapshot into a new directory.

use std::collections::HashSet;
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

use latchkey_core::activity::EntryRow;
use latchkey_core::directory::{Row, Totals, User};
use latchkey_core::ledger::{InstanceCutoffs, IssuedLink};
use latchkey_core::verdict::Status;
use latchkey_core::{Error, ErrorCode, Result};
use serde::Serialize;
use serde_json::Value;

use super::blocks;
use super::blocks::Entries;
use super::disk::Disk;
use super::errors::storage;
use super::facts;
use super::keys;
use super::ledger::StoredLink;
use super::open::{self, ORDER, SLED};
use super::record::{Counters, EntryRecord, UserRecord};
use super::rows::encoded;
use super::{EmbeddedDirectory, lock};
use crate::files;

/// Number of entries that are written as one block.
const BLOCK: usize = 64;

/// A new directory into which the rows of a snapshot are loaded. It cannot be used before
/// [`finish`](Self::finish).
pub struct Loading {
    folder: PathBuf,
    tree: sled::Db,
    totals: Totals,
    users: u64,
    active: u64,
    /// Keys of the addresses that several users have.
    shared: HashSet<String>,
    entries: Entries,
    last_entry: u64,
    /// Lock of the folder, so that nobody opens an unfinished directory.
    lock: fs::File,
}

impl Loading {
    /// Begins a directory in a folder that has none, from the first row of a snapshot.
    ///
    /// Fails with [`ErrorCode::DamagedFile`] if the first row is not that of the totals.
    pub fn begin(folder: &Path, first: Row) -> Result<Self> {
        let Row::Totals(totals) = first else {
            return Err(invalid("the totals are missing"));
        };
        files::create_private_dir(folder)?;
        let lock = lock::hold(folder, "latchkey restore")?;
        if open::is_in(folder) {
            let folder = folder.display();
            let message = format!("There is a directory in {folder} already.");
            return Err(Error::new(ErrorCode::InstanceExists, message));
        }
        let tree = open::open(&folder.join(SLED))?;
        Ok(Self {
            folder: folder.to_owned(),
            shared: totals
                .shared_emails
                .iter()
                .map(|shared| shared.email.clone())
                .collect(),
            tree,
            totals,
            users: 0,
            active: 0,
            entries: Entries::new(),
            last_entry: 0,
            lock,
        })
    }

    /// Loads a row.
    ///
    /// Fails with [`ErrorCode::DamagedFile`] for a row that contradicts an earlier one.
    pub fn put(&mut self, row: Row) -> Result<()> {
        match row {
            Row::Totals(_) => Err(invalid("the totals are there twice")),
            Row::User(user) => self.put_user(&user),
            Row::Removal { user, at } => self.insert(keys::removal(user.as_str()), &at),
            Row::FormerUsers { email, users } => {
                let users: Vec<_> = users.iter().map(|(id, at)| (id.as_str(), at)).collect();
                self.insert(keys::former_users_key(&email), &users)
            }
            Row::LinksSinceEdit { user, links } => {
                self.insert(keys::newer_links(user.as_str()), &links)
            }
            Row::RecentLinks { user, links } => {
                self.insert(keys::recent_links(user.as_str()), &links)
            }
            Row::Link { link, state } => self.put_link(state.into_link(link)),
            Row::IssuedLink(link) => self.put_link(link),
            Row::Claims {
                person,
                link,
                claims,
            } => self.insert(
                keys::claims(&person, &link),
                &Value::Object(claims).to_string(),
            ),
            Row::ShortLink { link, code } => {
                self.insert(keys::short_code(&link), &code)?;
                self.insert(keys::short_link(&code), &link)
            }
            Row::LinkRequest(request) => self.insert(keys::request(&request.person), &request),
            Row::Cutoffs { user, cutoffs } => {
                self.insert(keys::person_cutoffs(user.as_str()), &cutoffs)
            }
            Row::EmailCutoffs { email, cutoffs } => {
                self.insert(keys::email_cutoffs(&email.key()), &cutoffs)
            }
            Row::Session { key, session } => self.insert(keys::session(&key), &session),
            Row::Entry(entry) => self.put_entry(entry),
            Row::Seal(row) => self.insert(keys::seal(row.seal.number), &row),
        }
    }

    fn put_user(&mut self, user: &User) -> Result<()> {
        self.users += 1;
        self.active += u64::from(user.status == Status::Active);
        if let Some(email) = &user.email {
            let key = email.key();
            if !self.shared.contains(&key) {
                self.insert(keys::email_key(&key), user.id.as_str())?;
            }
        }
        if let Some(at) = user.due_at() {
            self.insert(keys::due(at, user.id.as_str()), &())?;
        }
        self.insert(keys::user(user.id.as_str()), &UserRecord::of(user))
    }

    fn put_link(&self, link: IssuedLink) -> Result<()> {
        let key = keys::link(&link.id);
        self.insert(key, &StoredLink::Issued(Box::new(link)))
    }

    fn put_entry(&mut self, entry: EntryRow) -> Result<()> {
        let number = entry.number;
        if number <= self.last_entry || number > self.totals.changes {
            return Err(invalid("an entry of the activity is not in its order"));
        }
        self.last_entry = number;
        self.entries
            .push((number, EntryRecord::from_snapshot(entry)));
        if self.entries.len() >= BLOCK {
            self.write_block()?;
        }
        Ok(())
    }

    fn write_block(&mut self) -> Result<()> {
        let entries = std::mem::take(&mut self.entries);
        blocks::append(&self.tree, &entries)
    }

    /// Writes a row that is not there yet.
    fn insert(&self, key: Vec<u8>, value: &(impl Serialize + ?Sized)) -> Result<()> {
        let before = self.tree.insert(key, encoded(value)?).map_err(storage)?;
        match before {
            Some(_) => Err(invalid("a row is there twice")),
            None => Ok(()),
        }
    }

    /// Writes the totals, syncs the directory, and opens and closes it once, which checks it.
    ///
    /// Fails with [`ErrorCode::DamagedFile`] if the numbers of users differ from the totals.
    pub fn finish(mut self) -> Result<()> {
        self.write_block()?;
        let totals = std::mem::take(&mut self.totals);
        if (self.users, self.active) != (totals.users, totals.active) {
            return Err(invalid("the number of users is not that of the totals"));
        }
        for shared in &totals.shared_emails {
            if let Some(oldest) = shared.users.first() {
                self.insert(keys::email_key(&shared.email), oldest.as_str())?;
            }
        }
        let shared = totals.shared_emails.into_iter();
        let shared: facts::Shared = shared
            .map(|shared| {
                let users = shared.users.iter().map(|user| user.as_str().to_owned());
                (shared.email, users.collect())
            })
            .collect();
        if !shared.is_empty() {
            self.insert(keys::SHARED_EMAILS.to_vec(), &shared)?;
        }
        let counters = Counters {
            users: totals.users,
            active: totals.active,
            seat_limit: totals.seat_limit,
            changes: totals.changes,
        };
        self.insert(keys::COUNTERS.to_vec(), &counters)?;
        if totals.cutoffs != InstanceCutoffs::default() {
            self.insert(keys::INSTANCE_CUTOFFS.to_vec(), &totals.cutoffs)?;
        }
        if totals.last_outbox_entry > 0 {
            self.insert(keys::LAST_OUTBOX_ENTRY.to_vec(), &totals.last_outbox_entry)?;
        }
        if let Some(latest) = totals.latest_time {
            self.insert(keys::LATEST_TIME.to_vec(), &latest)?;
        }
        if let Some(sealing) = totals.sealing {
            self.insert(keys::SEALING.to_vec(), &sealing)?;
        }
        if let Some(removed) = totals.removed {
            self.insert(keys::REMOVED.to_vec(), &removed)?;
        }
        if let Some(order) = totals.order {
            files::replace(&self.folder.join(ORDER), order.to_string().as_bytes())?;
        }
        open::write_format(&self.tree)?;
        Disk::open(&self.folder.join(SLED))?.sync()?;
        let Self {
            folder, tree, lock, ..
        } = self;
        drop(tree);
        drop(lock);
        let opened = panic::catch_unwind(AssertUnwindSafe(|| {
            EmbeddedDirectory::open(&folder, "latchkey restore")
        }));
        drop(opened.map_err(|_| invalid("it cannot be opened"))??);
        files::sync_dir(&folder).map_err(|cause| files::storage("written", &folder, cause))
    }
}

fn invalid(why: &str) -> Error {
    Error::new(
        ErrorCode::DamagedFile,
        format!(
            "The rows of the directory do not fit together: {why}. Nothing was changed. Use another backup."
        ),
    )
}
