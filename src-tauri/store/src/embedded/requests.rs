//! Rows of requests for new links, and removal of those that stay open for too long.

use latchkey_core::ledger::{LinkPerson, NewLinkRequest};
use latchkey_core::{ErrorCode, Result};

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

/// Returns `None` in place of the error for a row that cannot be read, so that one damaged row does
/// not hide the requests of other people.
pub(super) fn unless_damaged<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Err(refused) if refused.code == ErrorCode::DamagedFile => {
            tracing::warn!(cause = %refused.logged(), "a request for a new link is left out");
            Ok(None)
        }
        read => read.map(Some),
    }
}

/// Returns the stored requests that can be read, the newest first.
pub(super) fn all(view: &View<'_>) -> Result<Vec<NewLinkRequest>> {
    let mut requests: Vec<NewLinkRequest> = Vec::new();
    for key in view.all_keys(keys::REQUESTS)? {
        requests.extend(unless_damaged(view.read(&key))?.flatten());
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
            let request: Result<NewLinkRequest> = decoded(&row);
            let Some(request) = unless_damaged(request)? else {
                continue;
            };
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

    use super::super::disk::Disk;
    use super::super::facts;
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

    #[test]
    fn a_damaged_row_of_a_link_hides_no_request_of_somebody_else() {
        let folder = tempfile::tempdir().unwrap();
        let tree = sled::open(folder.path()).unwrap();
        for number in 1..=3_u64 {
            let user = UserId::parse(&format!("user-{number}"), "id").unwrap();
            let claims = serde_json::json!({ "user": { "id": user }, "jti": number.to_string() });
            let request = NewLinkRequest {
                number,
                person: LinkPerson::User(user),
                name: None,
                link: number.to_string(),
                reason: RequestReason::Expired,
                asked_at: 1,
                address: None,
                browser: None,
                claims: claims.as_object().unwrap().clone(),
                key: None,
            };
            let row = encoded(&request).unwrap();
            tree.insert(keys::request(&request.person), row).unwrap();
        }
        let journal = Journal::open(tree, Disk::open(folder.path()).unwrap()).unwrap();
        let open = || {
            let open = facts::open_requests(&journal.view(), 2).unwrap();
            open.iter().map(|open| open.number).collect::<Vec<_>>()
        };
        assert_eq!(open(), [3, 2, 1]);
        journal.tree().insert(keys::link("2"), b"?").unwrap();
        assert_eq!(open(), [3, 1]);
        let third = LinkPerson::User(UserId::parse("user-3", "id").unwrap());
        journal.tree().insert(keys::request(&third), b"?").unwrap();
        assert_eq!(open(), [1]);
        assert!(journal.prune_requests(2).unwrap(), "the others are pruned");
    }
}
