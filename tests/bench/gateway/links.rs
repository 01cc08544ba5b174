//! The users, and links for them. All servers accept these links, except Django, which has links of
//! its own.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use latchkey_core::protocol::claims::{Claims, Registered};
use latchkey_core::protocol::code::{Algorithm, sign};
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::{ExistingId, NewUser, Payload};
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::secret::{Secret, SigningKey};

/// Number of existing users.
pub(crate) const USERS: usize = 10_000;
/// Number of links for new users in one load.
pub(crate) const NEW: usize = 150_000;

pub(crate) fn key() -> SigningKey {
    let secret = Secret::new("0123456789abcdef0123456789abcdef".into());
    SigningKey::from_text(&secret).unwrap()
}

pub(crate) fn person(number: usize) -> NewUser {
    let metadata = r#"{"name":"Ada Lovelace","team":"Research"}"#;
    NewUser {
        id: UserId::parse(&format!("user-{number:06}"), "id").unwrap(),
        email: None,
        metadata: Metadata::from_json(metadata, "metadata").unwrap(),
    }
}

/// Returns the path of a link for an existing user.
pub(crate) fn existing(number: usize) -> String {
    let id = format!("user-{number:06}");
    link(Payload::Id(ExistingId::parse(&id, true).unwrap()))
}

fn link(payload: Payload) -> String {
    let registered = Registered {
        issued_at: Some(Timestamp::now().as_second()),
        ..Registered::default()
    };
    let claims = Claims {
        payload,
        registered,
    };
    let code = sign(&claims, &key(), Algorithm::HS256).unwrap();
    format!("/?externalAuthCode={}", code.expose())
}

/// Writes links for all existing users.
pub(crate) fn for_all(folder: &Path) -> PathBuf {
    script(folder, "existing", (0..USERS).map(existing))
}

/// Writes links for new users, with other users in each turn.
pub(crate) fn for_new(folder: &Path, turn: usize) -> PathBuf {
    let first = USERS + turn * NEW;
    let links = (first..first + NEW).map(|number| link(Payload::User(person(number))));
    script(folder, &format!("new-{turn}"), links)
}

/// Writes a script with which `wrk` requests one path after the other.
pub(crate) fn script(folder: &Path, name: &str, paths: impl Iterator<Item = String>) -> PathBuf {
    let mut lines = String::new();
    for path in paths {
        let _ = writeln!(lines, "{path}");
    }
    let (list, script) = (folder.join(name), folder.join(format!("{name}.lua")));
    std::fs::write(&list, lines).unwrap();
    let text = format!(
        "local paths = {{}}\nfor line in io.lines('{}') do paths[#paths + 1] = line end\nlocal next = 0\n\
         request = function() next = next % #paths + 1; return wrk.format('GET', paths[next]) end\n",
        list.display()
    );
    std::fs::write(&script, text).unwrap();
    script
}
