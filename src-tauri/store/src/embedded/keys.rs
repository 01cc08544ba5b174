//! Keys of the rows in the tree. A letter names the kind of the row, and the rest identifies the
//! row.

use latchkey_core::ledger::LinkPerson;
use latchkey_core::link::short_code::ShortCodeHash;
use latchkey_core::protocol::email::Email;
use latchkey_core::session::SessionKey;

/// Format of the tree. A newer format is refused.
pub(super) const FORMAT: &[u8] = b"m:format";
/// Counters of users, seats and changes.
pub(super) const COUNTERS: &[u8] = b"m:counters";
/// Number of the last recorded change of the settings.
pub(super) const LAST_OUTBOX_ENTRY: &[u8] = b"m:acts";
/// Addresses that several users have.
pub(super) const SHARED_EMAILS: &[u8] = b"m:shared_emails";
/// Latest time among removals and profiles by this computer's clock, to within a minute.
pub(super) const LATEST_TIME: &[u8] = b"m:latest_time";
/// Time as of which the retention removes rows.
pub(super) const PRUNE_CLOCK: &[u8] = b"m:prune_clock";
/// State of the sealing of the activity.
pub(super) const SEALING: &[u8] = b"m:sealing";
/// Sealed entries of the activity that the retention has removed.
pub(super) const REMOVED: &[u8] = b"m:removed";
/// Prefix of all removals.
pub(super) const REMOVALS: &[u8] = b"r:";
/// Prefix of all users.
pub(super) const USERS: &[u8] = b"u:";

pub(super) fn user(id: &str) -> Vec<u8> {
    [USERS, id.as_bytes()].concat()
}

/// Returns the ID in the key of a user.
pub(super) fn id_of(key: &[u8]) -> Option<&str> {
    std::str::from_utf8(key.strip_prefix(USERS)?).ok()
}

/// Returns the key of an address in the index.
pub(super) fn email(email: &Email) -> Vec<u8> {
    email_key(&email.key())
}

/// Returns the key of an address in the index, from its [`Email::key`].
pub(super) fn email_key(key: &str) -> Vec<u8> {
    [b"e:", key.as_bytes()].concat()
}

/// Prefix of the former users of all addresses.
pub(super) const FORMER_USERS: &[u8] = b"g:";

/// Returns the key of the former users of an address.
pub(super) fn former_users(email: &Email) -> Vec<u8> {
    former_users_key(&email.key())
}

/// Returns the key of the former users of an address, from its [`Email::key`].
pub(super) fn former_users_key(key: &str) -> Vec<u8> {
    [FORMER_USERS, key.as_bytes()].concat()
}

pub(super) fn removal(id: &str) -> Vec<u8> {
    [REMOVALS, id.as_bytes()].concat()
}

/// Returns the ID in the key of a removal.
pub(super) fn removed_id_of(key: &[u8]) -> Option<&str> {
    std::str::from_utf8(key.strip_prefix(REMOVALS)?).ok()
}

/// Returns the key of the links that Latchkey made for a user within a minute of a removal of the
/// ID, a move of the address or a cutoff.
pub(super) fn recent_links(id: &str) -> Vec<u8> {
    [RECENT_LINKS, id.as_bytes()].concat()
}

/// Prefix of the rows of [`recent_links`].
pub(super) const RECENT_LINKS: &[u8] = b"o:";

/// Returns the key of the links that Latchkey made for a user within a minute of an edit. The row
/// exists, even if it is empty, for a user whose profile was last edited and not set by a code.
pub(super) fn newer_links(id: &str) -> Vec<u8> {
    [NEWER_LINKS, id.as_bytes()].concat()
}

/// Prefix of the rows of [`newer_links`].
pub(super) const NEWER_LINKS: &[u8] = b"n:";

/// Prefix of all links.
pub(super) const LINKS: &[u8] = b"l:";

pub(super) fn link(id: &str) -> Vec<u8> {
    [LINKS, id.as_bytes()].concat()
}

/// Returns the ID in the key of a link.
pub(super) fn link_id_of(key: &[u8]) -> Option<&str> {
    std::str::from_utf8(key.strip_prefix(LINKS)?).ok()
}

/// Cutoffs for the links of the instance.
pub(super) const INSTANCE_CUTOFFS: &[u8] = b"m:cutoffs";

/// Prefix of the cutoffs for the links of all people.
pub(super) const PERSON_CUTOFFS: &[u8] = b"w:";

/// Returns the key of the cutoffs for the links of a person.
pub(super) fn person_cutoffs(user: &str) -> Vec<u8> {
    [PERSON_CUTOFFS, user.as_bytes()].concat()
}

/// Prefix of the cutoffs for the links of all addresses.
pub(super) const EMAIL_CUTOFFS: &[u8] = b"a:";

/// Returns the key of the cutoffs for the links that were given out for an address when nobody had
/// it, from its [`Email::key`].
pub(super) fn email_cutoffs(email: &str) -> Vec<u8> {
    [EMAIL_CUTOFFS, email.as_bytes()].concat()
}

/// Returns the key of the cutoffs for the links of a person.
pub(super) fn cutoffs(person: &LinkPerson) -> Vec<u8> {
    match person {
        LinkPerson::User(user) => person_cutoffs(user.as_str()),
        LinkPerson::Email(email) => email_cutoffs(&email.key()),
    }
}

/// Prefix of the claims of all links.
pub(super) const CLAIMS: &[u8] = b"c:";

/// Returns the key of the claims of a link for a user. An ID of a user has no control characters.
pub(super) fn claims_of_user(user: &str, link: &str) -> Vec<u8> {
    [CLAIMS, b"u", user.as_bytes(), &[0], link.as_bytes()].concat()
}

/// Returns the key of the claims of a link for an address that nobody had, from its
/// [`Email::key`].
pub(super) fn claims_of_email(email: &str, link: &str) -> Vec<u8> {
    [CLAIMS, b"e", email.as_bytes(), &[0], link.as_bytes()].concat()
}

/// Returns the key of the claims of a link for a person. Without a link, it is the prefix of those of
/// all links of the person.
pub(super) fn claims(person: &LinkPerson, link: &str) -> Vec<u8> {
    match person {
        LinkPerson::User(user) => claims_of_user(user.as_str(), link),
        LinkPerson::Email(email) => claims_of_email(&email.key(), link),
    }
}

/// Returns the person, either a user or an address, and the link in the key of claims.
pub(super) fn claims_in(key: &[u8]) -> Option<(char, &str, &str)> {
    let text = std::str::from_utf8(key.strip_prefix(CLAIMS)?).ok()?;
    let (person, link) = text.split_once('\0')?;
    let mut signs = person.chars();
    Some((signs.next()?, signs.as_str(), link))
}

/// Prefix of the links with a short code, by its hash.
pub(super) const SHORT_LINKS: &[u8] = b"t:";

/// Returns the key of the link with a short code.
pub(super) fn short_link(code: &ShortCodeHash) -> Vec<u8> {
    [SHORT_LINKS, &code.to_bytes()].concat()
}

/// Prefix of the hashes of the short codes of all links.
pub(super) const SHORT_CODES: &[u8] = b"v:";

/// Returns the key of the hash of a link's short code.
pub(super) fn short_code(link: &str) -> Vec<u8> {
    [SHORT_CODES, link.as_bytes()].concat()
}

/// Prefix of the index of due accounts: active users whose account ends, by its time.
pub(super) const DUE: &[u8] = b"d:";

/// Returns the key of an account in the index of due accounts. Keys sort by the time of the end, in
/// Unix seconds.
pub(super) fn due(at: i64, user: &str) -> Vec<u8> {
    [DUE, &at.max(0).to_be_bytes(), user.as_bytes()].concat()
}

/// Returns the user in a key of the index of due accounts.
pub(super) fn due_user_of(key: &[u8]) -> Option<&str> {
    let user = key.strip_prefix(DUE)?.get(size_of::<i64>()..)?;
    std::str::from_utf8(user).ok()
}

/// Prefix of all open requests for new links.
pub(super) const REQUESTS: &[u8] = b"q:";

/// Returns the key of the open request of a person.
pub(super) fn request(person: &LinkPerson) -> Vec<u8> {
    match person {
        LinkPerson::User(user) => [REQUESTS, b"u", user.as_str().as_bytes()].concat(),
        LinkPerson::Email(email) => [REQUESTS, b"e", email.key().as_bytes()].concat(),
    }
}

/// Prefix of all sessions.
pub(super) const SESSIONS: &[u8] = b"k:";

pub(super) fn session(key: &SessionKey) -> Vec<u8> {
    [SESSIONS, &key.to_bytes()].concat()
}

/// Returns the key of a session in the key of its row.
pub(super) fn session_key_of(key: &[u8]) -> Option<SessionKey> {
    SessionKey::from_bytes(key.strip_prefix(SESSIONS)?)
}

/// Prefix of all blocks of the activity.
pub(super) const BLOCKS: &[u8] = b"b:";

/// Returns the key of a block of the activity with the number of its first entry. Keys sort by
/// number.
pub(super) fn block(first: u64) -> Vec<u8> {
    [BLOCKS, &first.to_be_bytes()[..]].concat()
}

/// Prefix of the indexes of all blocks.
pub(super) const INDEXES: &[u8] = b"x:";

/// Returns the key of the index of a block.
pub(super) fn index(first: u64) -> Vec<u8> {
    [INDEXES, &first.to_be_bytes()[..]].concat()
}

/// Prefix of all seals of the activity.
pub(super) const SEALS: &[u8] = b"h:";

/// Returns the key of a seal with the number of the last entry that it covers.
pub(super) fn seal(number: u64) -> Vec<u8> {
    [SEALS, &number.to_be_bytes()[..]].concat()
}

/// Returns the key of an entry in formats up to 5, which had a row for each entry.
pub(super) fn single_entry(number: u64) -> Vec<u8> {
    [b"a:", &number.to_be_bytes()[..]].concat()
}

/// Prefixes of index rows that only format 5 has: sessions by user, entries by name, and refusals.
pub(super) const INDEXES_5: [&[u8]; 3] = [b"i:", b"s:", b"f:"];

/// Returns the key of a change in the journal.
pub(super) fn change(number: u64) -> Vec<u8> {
    [b"j:", &number.to_be_bytes()[..]].concat()
}

/// Returns the number in the key of a block, an index, a seal, an entry or a change.
pub(super) fn number_of(key: &[u8]) -> Option<u64> {
    let number = key.get(2..)?.try_into().ok()?;
    Some(u64::from_be_bytes(number))
}
