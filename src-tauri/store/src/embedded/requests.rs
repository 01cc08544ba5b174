//! Rows of requests for new links, and removal of those that stay open for too long.

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

/// Returns the number of stored requests.
pub(super) fn count(view: &View<'_>) -> Result<usize> {
    Ok(view.all_keys(keys::REQUESTS)?.len())
}

/// Returns the stored requests, the newest first.
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

#[cfg(test)]
mod tests {
    use latchkey_core::ledger::RequestReason;
    use latchkey_core::protocol::user_id::UserId;

    use super::super::rows::encoded;
    use super::*;

    #[test]
    fn a_row_from_before_the_key_was_stored_is_read() {
        let request = NewLinkRequest {
            number: 7,
            person: LinkPerson::User(UserId::parse("ada", "id").unwrap()),
            name: None,
            link: "1".to_owned(),
            reason: RequestReason::Expired,
            asked_at: 1,
            address: None,
            browser: Some("Firefox".to_owned()),
            claims: serde_json::Map::new(),
            key: None,
        };
        let mut row = encoded(&request).unwrap();
        // The missing key is the last byte.
        assert_eq!(row.pop(), Some(0));
        assert_eq!(decoded::<NewLinkRequest>(&row).unwrap(), request);
        let with_key = NewLinkRequest {
            key: Some("key-1".to_owned()),
            ..request
        };
        let row = encoded(&with_key).unwrap();
        assert_eq!(decoded::<NewLinkRequest>(&row).unwrap(), with_key);
    }
}
