//! Heavy proofs of what the program promises, with hundreds of kills, power cuts and floods. Each
//! is a function with a size. The tests run a small size, and `cargo xtask soak` runs the whole.

mod change_kinds;
mod changes;
mod flood;
mod guesses;
mod instances;
mod kills;
mod ledger_kills;
mod power_cut;
mod power_cut_changes;
#[path = "../../../../../tests/random.rs"]
mod random;
mod system_calls;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use jiff::Timestamp;
use latchkey_core::protocol::claims::{Claims, Registered};
use latchkey_core::protocol::code::{Algorithm, sign};
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::{NewUser, Payload};
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::secret::{Secret, SigningKey};
use serde_json::Value;

use crate::run::{SECRET, in_folder};
use crate::serve::Serving;

/// Returns the id of a person by number.
fn person(number: usize) -> String {
    format!("user-{number}")
}

/// Returns the path and query of a new link for a person by number.
pub(crate) fn link(number: usize) -> String {
    link_with(number, Registered::default())
}

/// Returns the path and query of a link with registered claims for a person by number.
fn link_with(number: usize, registered: Registered) -> String {
    link_for(&person(number), registered)
}

/// Returns the path and query of a link with registered claims for a user.
fn link_for(user: &str, registered: Registered) -> String {
    let key = SigningKey::from_text(&Secret::new(SECRET.into())).unwrap();
    let claims = Claims {
        payload: Payload::User(NewUser {
            id: UserId::parse(user, "id").unwrap(),
            email: None,
            metadata: Metadata::default(),
        }),
        registered: Registered {
            issued_at: Some(Timestamp::now().as_second() - 60),
            ..registered
        },
    };
    let code = sign(&claims, &key, Algorithm::HS256).unwrap();
    format!("/?externalAuthCode={}", code.expose())
}

/// Returns a command that starts a gateway. Its secret is in a file, because deriving a key from a
/// passphrase takes time.
fn serve(mut program: Command, folder: &Path) -> Command {
    program
        .args(["--json", "serve", "--listen", "127.0.0.1:0"])
        .args(["--instance", "here"])
        .args(["--visits-per-second", "0", "--trusted-proxy", "127.0.0.1"])
        .arg("--secret-file")
        .arg(folder.join("secret"))
        .env_clear()
        .env("LATCHKEY_KEYCHAIN", "off")
        .env("LATCHKEY_DATA_DIR", folder);
    program
}

/// Opens a link. Returns the status of the response, or `None` if the connection broke.
fn open(address: &str, link: &str, headers: &str) -> Option<u16> {
    status_of(&answer(address, "GET", link, headers)?)
}

/// Sends a request. Returns the response, or `None` if the connection broke.
fn answer(address: &str, method: &str, path: &str, headers: &str) -> Option<String> {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Mozilla/5.0\r\n{headers}Connection: close\r\n\r\n"
    );
    Serving::ask(address, &request)
}

/// Opens a link and presses a button of its page in a new browser. Returns the status of the last
/// response, or `None` if a connection broke.
fn click(address: &str, link: &str, form: &str, headers: &str) -> Option<u16> {
    let page = answer(address, "GET", link, headers)?;
    let cookies = page.lines().filter_map(|line| {
        let cookie = line.strip_prefix("set-cookie: ")?;
        cookie.split(';').next()
    });
    let cookies = cookies.collect::<Vec<_>>().join("; ");
    let request = format!(
        "POST {link} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Mozilla/5.0\r\n{headers}Cookie: {cookies}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{form}",
        form.len()
    );
    status_of(&Serving::ask(address, &request)?)
}

fn status_of(answer: &str) -> Option<u16> {
    answer.split(' ').nth(1)?.parse().ok()
}

/// Opens the directory and returns the ids of its users. Fails if it does not open, or if a seat
/// has no user.
fn users(folder: &Path, when: &str) -> BTreeSet<String> {
    let run = |arguments: &[&str]| {
        let all = [arguments, &["--json", "--instance", "here"]].concat();
        let ran = in_folder(folder, &all);
        assert_eq!(ran.code, 0, "{when}: {}", ran.err);
        ran.json()
    };
    let listed = run(&["users", "list", "--limit", "1000000"]);
    let listed = listed["users"].as_array().unwrap();
    let id = |user: &Value| user["id"].as_str().unwrap().to_owned();
    let ids: BTreeSet<String> = listed.iter().map(id).collect();
    let seats = run(&["seats"]);
    assert_eq!(seats["used"], ids.len(), "{when}: a seat has no user");
    ids
}

/// Runs a command that succeeds. Returns its answer in JSON.
fn done(folder: &Path, arguments: &[&str]) -> Value {
    let ran = in_folder(folder, &[&["--json"], arguments].concat());
    assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
    ran.json()
}

/// Returns all links by their ID.
fn links(folder: &Path) -> BTreeMap<String, Value> {
    let list = ["links", "list", "--instance", "here", "--limit", "1000000"];
    let listed = done(folder, &list);
    let links = listed["links"].as_array().unwrap().iter();
    let links = links.map(|link| (link["id"].as_str().unwrap().to_owned(), link.clone()));
    links.collect()
}
