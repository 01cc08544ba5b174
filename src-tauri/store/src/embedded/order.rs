//! Whether codes are newer than the removal or the last edit of a user. `iat` proves it only where the
//! clocks agree; for links that Latchkey makes the order itself is kept.

use super::change::{Change, Rows};
use super::journal::decoded;
use super::record::UserRecord;
use super::{damaged, keys, storage};
use latchkey_core::activity::{AuditContext, Event};
use latchkey_core::directory::{MAX_TIMES, Origin, TimeAhead};
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::payload::Payload;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::verdict::KnownUser;
use latchkey_core::{Result, time};

/// Maximum number of links that are kept for one user; the oldest go first.
const MAX_LINKS: usize = 100;
/// How much later a time must be to be noted as the latest one, in seconds.
const NOTED_EVERY: i64 = 60;

impl Rows<'_> {
    /// Returns the links that Latchkey made for a user within a minute of a removal of the id, or of a move
    /// of the address.
    pub(super) fn recent_links(&self, id: &str) -> Result<Option<Vec<String>>> {
        self.read(&keys::recent_links(id))
    }

    /// Returns the links that Latchkey made for a user within a minute of an edit; `None` if a code set the
    /// profile last.
    pub(super) fn newer_links(&self, id: &str) -> Result<Option<Vec<String>>> {
        self.read(&keys::newer_links(id))
    }
}

/// A user as far as a verdict depends on it.
pub(super) fn known_as(
    id: UserId,
    user: &UserRecord,
    newer_links: Option<&Vec<String>>,
) -> KnownUser {
    let was_added = user.origin != Origin::Link && user.profile_as_of == user.created_at;
    KnownUser {
        id,
        status: user.status,
        profile_as_of: user.profile_as_of,
        profile_set_here: was_added || newer_links.is_some(),
    }
}

/// Returns the times that lie in the future of `now`, at most [`MAX_TIMES`].
pub(super) fn times_ahead(tree: &sled::Db, now: i64) -> Result<Vec<TimeAhead>> {
    let removals = tree.scan_prefix(keys::REMOVALS).map(|row| {
        let (key, bytes) = row.map_err(storage)?;
        let id = keys::removed_id_of(&key).ok_or_else(damaged)?;
        time_of(id, true, decoded(&bytes)?)
    });
    let profiles = tree.scan_prefix(keys::USERS).map(|row| {
        let (key, bytes) = row.map_err(storage)?;
        let id = keys::id_of(&key).ok_or_else(damaged)?;
        let user: UserRecord = decoded(&bytes)?;
        time_of(id, false, user.profile_as_of)
    });
    let is_ahead = |time: &Result<TimeAhead>| {
        time.as_ref()
            .map_or(true, |time| time::is_ahead(time.at, now))
    };
    removals
        .chain(profiles)
        .filter(is_ahead)
        .take(MAX_TIMES)
        .collect()
}

fn time_of(id: &str, is_removal: bool, at: i64) -> Result<TimeAhead> {
    Ok(TimeAhead {
        user: UserId::parse(id, "id")?,
        is_removal,
        at,
    })
}

impl Change<'_> {
    /// Notes that an administrator edited a user at a time: links from before are older.
    pub(super) fn edited(&mut self, id: &str, now: i64) -> Result<()> {
        self.rows
            .write(keys::newer_links(id), &Vec::<String>::new())?;
        self.note_time(now)
    }

    /// Forgets the links since the last edit: the user was removed, or a code set the profile.
    pub(super) fn forget_order(&mut self, id: &str) -> Result<()> {
        if self.rows.newer_links(id)?.is_some() {
            self.rows.remove(keys::newer_links(id));
        }
        Ok(())
    }

    /// Notes a recorded time, so that it is cheap to know whether any lies in the future.
    pub(super) fn note_time(&mut self, at: i64) -> Result<()> {
        let latest: i64 = self.rows.read(keys::LATEST_TIME)?.unwrap_or_default();
        if at > latest.saturating_add(NOTED_EVERY) {
            self.rows.write(keys::LATEST_TIME.to_vec(), &at)?;
        }
        Ok(())
    }

    /// Notes that a link was made, if `iat` does not prove that it is newer than what is recorded.
    /// Returns whether it was noted.
    pub(super) fn note_link(&mut self, claims: &Claims) -> Result<bool> {
        let registered = &claims.registered;
        let (Some(link), Some(at)) = (&registered.id, registered.issued_at) else {
            return Ok(false);
        };
        let is_since_edit = match &claims.payload {
            Payload::User(user) => self.note_link_of(&user.id, link, at)?,
            Payload::Id(_) | Payload::Email(_) => false,
        };
        Ok(self.note_recent(claims.payload.subject(), link, at)? || is_since_edit)
    }

    /// Notes a link with a profile for a user who was edited, as [`note_link`](Self::note_link).
    pub(super) fn note_link_of(
        &mut self,
        user: &UserId,
        link: &str,
        issued_at: i64,
    ) -> Result<bool> {
        let id = user.as_str();
        let links = self.rows.newer_links(id)?;
        let Some(known) = self.rows.user(id)? else {
            return Ok(false);
        };
        let known = known_as(user.clone(), &known, links.as_ref());
        if !known.profile_set_here || time::is_surely_after(issued_at, known.profile_as_of) {
            return Ok(false);
        }
        self.add_link(keys::newer_links(id), links, link)?;
        Ok(true)
    }

    /// Notes a link for the user with an id or an address, if a user of that id was removed, or the address
    /// moved, and `iat` does not prove that the link is newer.
    pub(super) fn note_recent(
        &mut self,
        subject: &str,
        link: &str,
        issued_at: i64,
    ) -> Result<bool> {
        let mut moments = vec![(subject.to_owned(), self.rows.read(&keys::removal(subject))?)];
        if let Ok(email) = Email::parse(subject, "email")
            && let Some(owner) = self.rows.owner_of(&email)?
        {
            let removed_at: Option<i64> = self.rows.read(&keys::removal(&owner))?;
            let moved_at = self.rows.moved_at(&email, &owner)?;
            moments.push((owner, removed_at.max(moved_at)));
        }
        let mut is_noted = false;
        for (id, moment) in moments {
            if moment.is_some_and(|at| !time::is_surely_after(issued_at, at)) {
                let links = self.rows.recent_links(&id)?;
                self.add_link(keys::recent_links(&id), links, link)?;
                is_noted = true;
            }
        }
        Ok(is_noted)
    }

    fn add_link(&mut self, key: Vec<u8>, links: Option<Vec<String>>, link: &str) -> Result<()> {
        let mut links = links.unwrap_or_default();
        if links.len() >= MAX_LINKS {
            links.remove(0);
        }
        links.push(link.to_owned());
        self.rows.write(key, &links)
    }

    pub(super) fn link_made(&mut self, claims: &Claims) -> Result<()> {
        self.note_link(claims)?;
        self.record(Event::link_made(claims));
        Ok(())
    }

    /// Sets a time that lies in the future to now.
    fn correct_time(&mut self, found: &TimeAhead, now: i64) -> Result<bool> {
        let id = found.user.as_str();
        if found.is_removal {
            let key = keys::removal(id);
            let is_there = self.rows.read::<i64>(&key)? == Some(found.at);
            if is_there && self.rows.user(id)?.is_some() {
                // Links that were made for the user who has the id now would be older.
                self.rows.remove(key);
            } else if is_there {
                self.rows.write(key, &now)?;
            }
            return Ok(is_there);
        }
        let Some(mut user) = self
            .rows
            .user(id)?
            .filter(|user| user.profile_as_of == found.at)
        else {
            return Ok(false);
        };
        user.profile_as_of = now;
        self.put_user(id, &user)?;
        // The time is this computer's now. Links that were noted stay newer.
        let links = self.rows.newer_links(id)?.unwrap_or_default();
        self.rows.write(keys::newer_links(id), &links)?;
        Ok(true)
    }

    /// Sets times that lie in the future to now, and returns how many there were.
    pub(super) fn correct_times(&mut self, found: &[TimeAhead], by: &AuditContext) -> Result<u64> {
        let now = by.at.as_second();
        let mut users = Vec::new();
        for time in found {
            if self.correct_time(time, now)? {
                users.push(time.user.as_str());
            }
        }
        if found.len() < MAX_TIMES {
            self.rows.write(keys::LATEST_TIME.to_vec(), &now)?;
        }
        if !users.is_empty() {
            let event = Event::act("times_corrected", "Recorded times set to now");
            self.record(event.with(users.join(", ")));
        }
        Ok(users.len().try_into().unwrap_or(u64::MAX))
    }
}
