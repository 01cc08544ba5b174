//! Where things stand in the tree: a letter for the kind, then what names it.

use latchkey_core::protocol::email::Email;
use latchkey_core::session::SessionKey;

/// The format of the tree that is written; a newer one is refused.
pub(super) const FORMAT: &[u8] = b"m:format";
/// The counters of users and seats.
pub(super) const COUNTERS: &[u8] = b"m:counters";
/// The number of the last act on the settings that is recorded here.
pub(super) const ACTS: &[u8] = b"m:acts";
/// The addresses that several users have.
pub(super) const SHARED_EMAILS: &[u8] = b"m:shared_emails";
/// The latest time by this computer's clock among removals and profiles, give or take a minute.
pub(super) const LATEST_TIME: &[u8] = b"m:latest_time";
/// The prefix of all removals.
pub(super) const REMOVALS: &[u8] = b"r:";
/// The prefix of all users.
pub(super) const USERS: &[u8] = b"u:";
/// What comes after all of them.
pub(super) const AFTER_USERS: &[u8] = b"u;";

pub(super) fn user(id: &str) -> Vec<u8> {
    [USERS, id.as_bytes()].concat()
}

/// The id in the key of a user.
pub(super) fn id_of(key: &[u8]) -> Option<&str> {
    std::str::from_utf8(key.strip_prefix(USERS)?).ok()
}

/// The index entry of an address.
pub(super) fn email(email: &Email) -> Vec<u8> {
    email_key(&email.key())
}

/// The index entry of an address by its [`Email::key`].
pub(super) fn email_key(key: &str) -> Vec<u8> {
    [b"e:", key.as_bytes()].concat()
}

/// Who had an address before, and until when.
pub(super) fn former_users(email: &Email) -> Vec<u8> {
    [b"g:", email.key().as_bytes()].concat()
}

pub(super) fn removal(id: &str) -> Vec<u8> {
    [REMOVALS, id.as_bytes()].concat()
}

/// The id in the key of a removal.
pub(super) fn removed_id_of(key: &[u8]) -> Option<&str> {
    std::str::from_utf8(key.strip_prefix(REMOVALS)?).ok()
}

/// The links that Latchkey made for a user within a minute of a removal of the id, or of a move of the
/// address.
pub(super) fn recent_links(id: &str) -> Vec<u8> {
    [b"o:", id.as_bytes()].concat()
}

/// The links that Latchkey made for a user within a minute of an edit. It is there, maybe empty, for a user
/// whose profile was edited last, and not set by a code.
pub(super) fn newer_links(id: &str) -> Vec<u8> {
    [b"n:", id.as_bytes()].concat()
}

/// The prefix of all links.
pub(super) const LINKS: &[u8] = b"l:";

pub(super) fn link(id: &str) -> Vec<u8> {
    [LINKS, id.as_bytes()].concat()
}

/// The prefix of all sessions.
pub(super) const SESSIONS: &[u8] = b"k:";

pub(super) fn session(key: &SessionKey) -> Vec<u8> {
    [SESSIONS, &key.to_bytes()].concat()
}

/// The key of a session in the key of its row.
pub(super) fn session_key_of(key: &[u8]) -> Option<SessionKey> {
    SessionKey::from_bytes(key.strip_prefix(SESSIONS)?)
}

/// The prefix of all blocks of the activity.
pub(super) const BLOCKS: &[u8] = b"b:";

/// A block of entries of the activity, by the number of its first entry. Numbers stand in the order of
/// their keys.
pub(super) fn block(first: u64) -> Vec<u8> {
    [BLOCKS, &first.to_be_bytes()[..]].concat()
}

/// The prefix of the indexes of all blocks.
pub(super) const INDEXES: &[u8] = b"x:";

/// The index of a block.
pub(super) fn index(first: u64) -> Vec<u8> {
    [INDEXES, &first.to_be_bytes()[..]].concat()
}

/// An entry of the activity up to format 5, which had a row for each.
pub(super) fn single_entry(number: u64) -> Vec<u8> {
    [b"a:", &number.to_be_bytes()[..]].concat()
}

/// Prefixes of index rows that only format 5 has: sessions by user, entries by name, and refusals.
pub(super) const INDEXES_5: [&[u8]; 3] = [b"i:", b"s:", b"f:"];

/// A change in the journal.
pub(super) fn change(number: u64) -> Vec<u8> {
    [b"j:", &number.to_be_bytes()[..]].concat()
}

/// The number in the key of a block, its index, an entry or a change.
pub(super) fn number_of(key: &[u8]) -> Option<u64> {
    let number = key.get(2..)?.try_into().ok()?;
    Some(u64::from_be_bytes(number))
}
