//! Proof: no change of an account, a session, a link or a request that a gateway acknowledged to a
//! command beside it is lost or half done by a power cut.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::change_kinds::{Before, begin_as};
use super::power_cut::{CHANGES, ask, cut_power};
use super::system_calls::Call;
use super::{done, links, person, serve, status_of};
use crate::run::hosted_here;
use crate::serve::Serving;

/// A kind of change. The person with the number N makes the kind N modulo the number of kinds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Extend,
    GiveOut,
    Revoke,
    SignOut,
    Grant,
    Dismiss,
}

const KINDS: [Kind; 6] = [
    Kind::Extend,
    Kind::GiveOut,
    Kind::Revoke,
    Kind::SignOut,
    Kind::Grant,
    Kind::Dismiss,
];

fn kind_of(number: usize) -> Kind {
    KINDS[number % KINDS.len()]
}

/// Rows of a directory by the ID of their user.
struct Rows {
    users: BTreeMap<String, Value>,
    links: BTreeMap<String, Vec<Value>>,
    /// Numbers of the open requests.
    requests: BTreeMap<String, u64>,
}

impl Rows {
    fn read(folder: &Path) -> Self {
        let list = |name: &str, options: &[&str]| {
            let all = [&[name, "list", "--instance", "here"], options].concat();
            done(folder, &all)[name].as_array().unwrap().clone()
        };
        let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
        let users = list("users", &["--limit", "1000000"]);
        let mut of_user = BTreeMap::<String, Vec<Value>>::new();
        for link in links(folder).into_values() {
            of_user.entry(text(&link, "user")).or_default().push(link);
        }
        let requests = list("requests", &[]).into_iter();
        Self {
            users: users
                .into_iter()
                .map(|row| (text(&row, "id"), row))
                .collect(),
            links: of_user,
            requests: requests
                .map(|row| (text(&row, "user"), row["number"].as_u64().unwrap()))
                .collect(),
        }
    }

    fn links_of(&self, user: &str) -> &[Value] {
        self.links.get(user).map_or(&[], Vec::as_slice)
    }

    /// Returns whether the change of a person was made since `before`. Fails if it is half done.
    fn has_change(&self, before: &Self, number: usize, when: &str) -> bool {
        let user = person(number);
        let (links, is_open) = (self.links_of(&user), self.requests.contains_key(&user));
        match kind_of(number) {
            Kind::Extend => self.users[&user]["ends_at"].is_string(),
            Kind::GiveOut => {
                let is_whole = |link: &Value| link["note"] == "kept" && link["has_short"] == true;
                assert!(links.iter().all(is_whole), "{when}: {links:?}");
                !links.is_empty()
            }
            Kind::Revoke => links[0]["status"] == "revoked",
            Kind::SignOut => self.users[&user]["generation"] != before.users[&user]["generation"],
            Kind::Grant => {
                assert_eq!(links.len(), if is_open { 1 } else { 2 }, "{when}: {user}");
                !is_open
            }
            Kind::Dismiss => !is_open,
        }
    }
}

/// Brings all people into the state before their change, at a gateway that is killed afterwards.
fn begin(folder: &Path) {
    let program = Command::new(env!("CARGO_BIN_EXE_latchkey"));
    let serving = Serving::start(serve(program, folder).stderr(Stdio::null()));
    for number in 0..CHANGES {
        let before = match kind_of(number) {
            Kind::GiveOut => Before::Unknown,
            Kind::Extend | Kind::Revoke | Kind::SignOut => Before::SignedIn,
            Kind::Grant | Kind::Dismiss => Before::Asking,
        };
        // The gateway limits what one address may do.
        let address = format!("192.0.2.{number}");
        begin_as(before, &person(number), &serving.address, &address);
    }
}

/// Sends a request to the gateway as a command line beside it does. Returns the response.
fn ask_socket(folder: &Path, message: &str) -> String {
    let mut stream = UnixStream::connect(folder.join("instances/here/control.sock")).unwrap();
    stream.write_all(message.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Makes all changes by the socket of a gateway. Returns its calls.
fn change_all(folder: &Path, before: &Rows) -> Vec<Call> {
    ask(folder, |_, number| {
        let user = person(number);
        let request = before.requests.get(&user).copied().unwrap_or_default();
        let (method, path, body) = match kind_of(number) {
            Kind::Extend => (
                "PUT",
                format!("users/{user}/account-end"),
                r#"{"ends_at":"2099-01-31T00:00:00Z"}"#.to_owned(),
            ),
            Kind::GiveOut => (
                "POST",
                "links".to_owned(),
                format!(
                    r#"{{"payload":{{"user":{{"id":"{user}"}}}},"note":"kept","short":true,"supersede":true}}"#
                ),
            ),
            Kind::Revoke => (
                "POST",
                "revocations".to_owned(),
                format!(r#"{{"user":"{user}"}}"#),
            ),
            Kind::SignOut => ("POST", format!("users/{user}/sign-out"), String::new()),
            Kind::Grant => (
                "POST",
                format!("requests/{request}/grant"),
                r#"{"given":"link"}"#.to_owned(),
            ),
            Kind::Dismiss => ("POST", format!("requests/{request}/dismiss"), String::new()),
        };
        let message = format!(
            "{method} /admin/v1/{path} HTTP/1.1\r\nHost: localhost\r\nX-Person: {user}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let answer = ask_socket(folder, &message);
        assert!(matches!(status_of(&answer), Some(200 | 204)), "{answer}");
    })
}

#[test]
fn no_change_that_a_gateway_acknowledged_is_lost_or_half_done_by_a_power_cut() {
    let folder = hosted_here("http://localhost:8787");
    let folder = folder.path();
    begin(folder);
    let before = Rows::read(folder);
    cut_power(
        folder,
        |folder| change_all(folder, &before),
        |folder, when| {
            let rows = Rows::read(folder);
            let made = (0..CHANGES).filter(|number| rows.has_change(&before, *number, when));
            made.map(|number| (person(number), 1)).collect()
        },
    );
}
