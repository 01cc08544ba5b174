//! Changes that are made one after the other, and become durable together.

use super::catalogue::Update;
use super::change::{Change, Finished};
use super::journal::{self, View};
use super::record::{Counters, EntryRecord};
use latchkey_core::Result;
use latchkey_core::activity::Event;

/// Changes that are being made.
pub(super) struct Changes<'a> {
    next: Change<'a>,
    made: Vec<Made>,
}

/// A change that was made.
pub(super) struct Made {
    pub(super) number: u64,
    pub(super) journaled: journal::Change,
    /// What the catalogue is to be told of it.
    pub(super) updates: Vec<Update>,
}

impl<'a> Changes<'a> {
    pub(super) fn new(view: View<'a>) -> Result<Self> {
        Ok(Self {
            next: Change::new(view)?,
            made: Vec::new(),
        })
    }

    /// Makes a change on top of those before; `recorded` says how it stands in the activity. Where it
    /// fails it is not made, and the others are.
    pub(super) fn make<T>(
        &mut self,
        recorded: impl FnOnce(Event) -> Option<EntryRecord>,
        work: impl FnOnce(&mut Change<'a>) -> Result<T>,
    ) -> Result<T> {
        let next = &mut self.next;
        let done = work(next).and_then(|done| Ok((done, next.finish()?)));
        let (done, finished) = done.inspect_err(|_| next.give_up())?;
        self.made.extend(finished.map(|finished| {
            let Finished {
                number,
                writes,
                updates,
                event,
                named,
            } = finished;
            let entry = event.and_then(recorded).map(|entry| entry.of(named));
            Made {
                number,
                journaled: journal::Change { writes, entry },
                updates,
            }
        }));
        Ok(done)
    }

    /// Returns the counters after the changes.
    pub(super) fn counters(&self) -> Counters {
        self.next.counters
    }

    pub(super) fn made(self) -> Vec<Made> {
        self.made
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::embedded::disk::Disk;
    use crate::embedded::journal::Journal;
    use latchkey_core::activity::{Actor, AuditContext};
    use latchkey_core::directory::Origin;
    use latchkey_core::protocol::metadata::Metadata;
    use latchkey_core::protocol::payload::NewUser;
    use latchkey_core::protocol::user_id::UserId;
    use latchkey_core::{Error, ErrorCode};

    fn person(id: &str) -> NewUser {
        NewUser {
            id: UserId::parse(id, "id").unwrap(),
            email: None,
            metadata: Metadata::default(),
        }
    }

    #[test]
    fn one_that_fails_leaves_nothing_and_the_others_are_made() {
        let folder = tempfile::tempdir().unwrap();
        let journal = {
            let tree = sled::open(folder.path()).unwrap();
            Journal::open(tree, Disk::open(folder.path()).unwrap()).unwrap()
        };
        let mut changes = Changes::new(journal.view()).unwrap();
        let by = AuditContext::new(Actor::Studio, Timestamp::UNIX_EPOCH);
        let mut add = |id: &str, fails: bool| {
            changes.make(
                |event| Some(EntryRecord::new(event, &by)),
                |change| {
                    change.add(&person(id), Origin::Added, by.at)?;
                    change.record(Event::act("added", id));
                    if fails {
                        return Err(Error::new(ErrorCode::Storage, "full"));
                    }
                    Ok(change.counters.users)
                },
            )
        };
        assert_eq!(add("ada", false).unwrap(), 1);
        assert!(add("bob", true).is_err());
        // Neither the user nor the count of one that failed is there.
        assert_eq!(add("bob", false).unwrap(), 2);
        let known = add("ada", false).unwrap_err();
        assert_eq!(known.code, ErrorCode::UserExists, "the first one is seen");
        // One that records nothing has changed nothing.
        let quiet = changes.make(
            |event| Some(EntryRecord::new(event, &by)),
            |change| change.add(&person("cyd"), Origin::Added, by.at),
        );
        assert!(quiet.is_ok());
        let numbers: Vec<u64> = changes.made().iter().map(|made| made.number).collect();
        assert_eq!(numbers, [1, 2]);
    }
}
