//! Where things stand in the tree: a letter for the kind, then what names it.

use crate::email::Email;
use crate::session::SessionKey;

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
/// What all removals begin with.
pub(super) const REMOVALS: &[u8] = b"r:";
/// What all users begin with.
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

pub(super) fn removal(id: &str) -> Vec<u8> {
    [REMOVALS, id.as_bytes()].concat()
}

/// The id in the key of a removal.
pub(super) fn removed_id_of(key: &[u8]) -> Option<&str> {
    std::str::from_utf8(key.strip_prefix(REMOVALS)?).ok()
}

/// The links that Latchkey made for a user after the user was removed or edited. It is there, maybe
/// empty, for a user whose profile was edited last, and not set by a code.
pub(super) fn newer_links(id: &str) -> Vec<u8> {
    [b"n:", id.as_bytes()].concat()
}

pub(super) fn link(id: &str) -> Vec<u8> {
    [b"l:", id.as_bytes()].concat()
}

/// What all sessions begin with.
pub(super) const SESSIONS: &[u8] = b"k:";

pub(super) fn session(key: &SessionKey) -> Vec<u8> {
    [SESSIONS, key.as_bytes()].concat()
}

/// The key of a session in the key of its row.
pub(super) fn session_key_of(key: &[u8]) -> Option<SessionKey> {
    SessionKey::from_bytes(key.strip_prefix(SESSIONS)?)
}

/// What the index entries of a user's sessions begin with. No id has a NUL.
pub(super) fn sessions_of(user: &str) -> Vec<u8> {
    [b"i:", user.as_bytes(), b"\0"].concat()
}

/// An index entry: the session of a user.
pub(super) fn session_of(user: &str, key: &SessionKey) -> Vec<u8> {
    [&sessions_of(user)[..], key.as_bytes()].concat()
}

/// An entry of the activity. Numbers stand in the order of their keys.
pub(super) fn entry(number: u64) -> Vec<u8> {
    [b"a:", &number.to_be_bytes()[..]].concat()
}

/// The index of entries by the user or the address they are about. An entry is found by its number
/// after the name; no name holds a zero byte.
pub(super) fn about(name: &str, number: u64) -> Vec<u8> {
    [b"s:", name.as_bytes(), &[0], &number.to_be_bytes()[..]].concat()
}

/// Prefix of the index of refusals.
pub(super) const REFUSALS: &[u8] = b"f:";

/// The index of entries that are refusals.
pub(super) fn refusal(number: u64) -> Vec<u8> {
    [REFUSALS, &number.to_be_bytes()[..]].concat()
}

/// A change in the journal.
pub(super) fn change(number: u64) -> Vec<u8> {
    [b"j:", &number.to_be_bytes()[..]].concat()
}

/// The number in the key of an entry, a refusal or a change.
pub(super) fn number_of(key: &[u8]) -> Option<u64> {
    let number = key.get(2..)?.try_into().ok()?;
    Some(u64::from_be_bytes(number))
}

/// The number at the end of a key of the index by names.
pub(super) fn number_about(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(*key.last_chunk()?))
}
