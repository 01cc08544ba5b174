//! Rows of open requests for new links, and removal of those that stay open for too long.

use latchkey_core::Result;
use latchkey_core::ledger::{LinkPerson, NewLinkRequest};

use super::errors::storage;
use super::journal::{Journal, View};
use super::keys;
use super::rows::decoded;

/// Returns the open request of a person.
pub(super) fn request(view: &View<'_>, person: &LinkPerson) -> Result<Option<NewLinkRequest>> {
    view.read(&keys::request(person))
}

/// Returns the number of open requests.
pub(super) fn count(view: &View<'_>) -> Result<usize> {
    Ok(view.all_keys(keys::REQUESTS)?.len())
}

/// Returns the open requests, the newest first.
pub(super) fn all(view: &View<'_>) -> Result<Vec<NewLinkRequest>> {
    let mut requests: Vec<NewLinkRequest> = Vec::new();
    for key in view.all_keys(keys::REQUESTS)? {
        requests.extend(view.read(&key)?);
    }
    requests.sort_by_key(|request| std::cmp::Reverse(request.number));
    Ok(requests)
}

impl Journal {
    /// Removes requests from before a time, in Unix seconds. The removal is durable after the next
    /// flush. Requests that are still in the journal stay. Returns whether there were some.
    pub(super) fn prune_requests(&self, asked_before: i64) -> Result<bool> {
        let (mut rows, view) = (Vec::new(), self.view());
        for row in self.tree().scan_prefix(keys::REQUESTS) {
            let (key, row) = row.map_err(storage)?;
            let request: NewLinkRequest = decoded(&row)?;
            if request.asked_at < asked_before && !view.is_pending(&key) {
                rows.push((key.to_vec(), None));
            }
        }
        drop(view);
        let is_found = !rows.is_empty();
        self.write(rows)?;
        Ok(is_found)
    }
}
