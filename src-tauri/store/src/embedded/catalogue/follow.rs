use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::{Catalogue, PageOfIds, Update};
use latchkey_core::Result;
use latchkey_core::directory::query::{PageStart, Sort, UserQuery};

/// So many changes may wait until somebody asks.
const MANY: usize = 1024;

/// A catalogue that many threads tell of what they have changed. Telling never waits for a search,
/// and whoever has told finds the change.
pub(in crate::embedded) struct Followed {
    catalogue: Mutex<Catalogue>,
    told: Mutex<Told>,
}

/// Changes that are not in the catalogue yet.
struct Told {
    /// Which change is the next.
    next: u64,
    /// Those before it, in order.
    in_order: Vec<Update>,
    /// Those after it, whose threads were quicker.
    ahead: BTreeMap<u64, Vec<Update>>,
}

impl Followed {
    /// A catalogue that has everything up to the change of the number `changes`.
    pub(in crate::embedded) fn new(catalogue: Catalogue, changes: u64) -> Self {
        Self {
            catalogue: Mutex::new(catalogue),
            told: Mutex::new(Told {
                next: changes + 1,
                in_order: Vec::new(),
                ahead: BTreeMap::new(),
            }),
        }
    }

    /// Takes in what the change of a number has done. Every change has to be told.
    pub(in crate::embedded) fn tell(&self, change: u64, updates: Vec<Update>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.ahead.insert(change, updates);
        let Told {
            next,
            in_order,
            ahead,
        } = &mut *told;
        while let Some(updates) = ahead.remove(next) {
            in_order.extend(updates);
            *next += 1;
        }
        if in_order.len() >= MANY
            && let Ok(mut catalogue) = self.catalogue.try_lock()
        {
            in_order
                .drain(..)
                .for_each(|update| catalogue.apply(update));
        }
    }

    pub(in crate::embedded) fn find(
        &self,
        query: &UserQuery,
        sort: Sort,
        place: &PageStart,
        limit: usize,
    ) -> Result<PageOfIds> {
        let mut catalogue = self
            .catalogue
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let updates = std::mem::take(&mut told.in_order);
        drop(told);
        for update in updates {
            catalogue.apply(update);
        }
        catalogue.find(query, sort, place, limit)
    }
}
