//! Requests for new links on the command line.

use std::path::Path;

use serde_json::{Value, json};

use crate::run::{Ran, in_folder};
use crate::serve::{Serving, folder, run};

fn requests(folder: &Path, more: &[&str]) -> Ran {
    let arguments = [&["requests", "--instance", "here"], more].concat();
    in_folder(folder, &arguments)
}

fn json(folder: &Path, more: &[&str]) -> Value {
    let ran = requests(folder, &[&["--json"], more].concat());
    assert_eq!(ran.code, 0, "{more:?}: {}", ran.err);
    ran.json()
}

fn open(folder: &Path) -> Vec<Value> {
    json(folder, &["list"])["requests"]
        .as_array()
        .unwrap()
        .clone()
}

/// Makes a link that works once, for a user. Returns its path and query.
fn single_use(folder: &Path, user: &str) -> String {
    let who = format!("name={user} Person");
    let link = [
        "link",
        "--instance",
        "here",
        "--user-id",
        user,
        "--uses",
        "1",
    ];
    let made = run(folder, &[&link[..], &["--metadata", &who]].concat());
    path_of(&made)
}

pub(crate) fn path_of(link: &str) -> String {
    link.strip_prefix("http://localhost:8787")
        .unwrap()
        .to_owned()
}

/// Opens a page in a new browser, and sends a form to it with the cookies of the page.
fn press(serving: &Serving, path: &str, form: &str) -> String {
    let page = serving.get(path, "");
    let cookies = page.lines().filter_map(|line| {
        let cookie = line.strip_prefix("set-cookie: ")?;
        cookie.split(';').next()
    });
    let cookies = cookies.collect::<Vec<_>>().join("; ");
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Mozilla/5.0 (iPhone) Safari/604\r\nCookie: {cookies}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{form}",
        form.len()
    );
    Serving::ask(&serving.address, &request).unwrap()
}

/// Uses a link up, and asks for a new one.
pub(crate) fn ask(serving: &Serving, path: &str) {
    assert!(press(serving, path, "").starts_with("HTTP/1.1 303"));
    let page = serving.get(path, "");
    assert!(page.contains("Ask for a new link"), "{page}");
    let asked = press(serving, path, "ask=new-link");
    assert!(asked.starts_with("HTTP/1.1 200"), "{asked}");
}

#[test]
fn a_person_asks_and_gets_a_link_that_works_or_none() {
    let folder = folder();
    let at = folder.path();
    let serving = Serving::new(at, &[]);
    assert_eq!(open(at), [] as [Value; 0]);
    let none = requests(at, &["list"]);
    assert_eq!(
        (none.out.as_str(), none.err.trim()),
        ("", "Nobody has asked for a new link.")
    );
    let (ada, bob) = (single_use(at, "ada"), single_use(at, "bob"));
    ask(&serving, &ada);
    ask(&serving, &bob);
    let before = open(at);
    let users: Vec<&Value> = before.iter().map(|request| &request["user"]).collect();
    assert_eq!(users, ["bob", "ada"]);
    assert_eq!(before[1]["reason"], "used_up");
    assert_eq!(before[1]["name"], "ada Person");
    assert_eq!(before[1]["address"], "127.0.0.1");
    // Dropping the gateway kills it at once.
    drop(serving);
    assert_eq!(
        open(at),
        before,
        "an acknowledged request outlives the gateway"
    );
    let serving = Serving::new(at, &[]);
    assert_eq!(open(at), before);
    let list = requests(at, &["list"]);
    let columns: Vec<&str> = list.out.lines().nth(1).unwrap().split('\t').collect();
    let number = before[1]["number"].to_string();
    assert_eq!(columns[..4], [&number, "ada", "ada Person", "used up"]);
    assert_eq!(columns[6], "iPhone, Safari");

    let granted = json(at, &["grant", &number]);
    assert_eq!(granted["claims"]["single_use"], true);
    // An old profile must not replace a newer one.
    assert_eq!(granted["claims"]["user"], Value::Null);
    assert_eq!(granted["claims"]["id"], "ada");
    let lifetime =
        |claims: &Value| claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(lifetime(&granted["claims"]), 7 * 86_400);
    let path = path_of(granted["link"].as_str().unwrap());
    assert!(press(&serving, &path, "").starts_with("HTTP/1.1 303"));
    assert_eq!(open(at), before[..1]);
    let again = requests(at, &["--json", "grant", &number]).refusal();
    let unknown = (1, "unknown_request".to_owned(), Some("number".to_owned()));
    assert_eq!(again, unknown);

    let number = before[0]["number"].to_string();
    let dismissed = requests(at, &["dismiss", &number]);
    assert_eq!(
        dismissed.out.trim(),
        format!("Dismissed request {number} of bob.")
    );
    assert_eq!(open(at), [] as [Value; 0]);
    assert_eq!(
        requests(at, &["--json", "dismiss", &number]).refusal(),
        unknown
    );
    let list = in_folder(at, &["activity", "list", "--instance", "here"]).out;
    let closed = list
        .lines()
        .filter(|line| line.contains("link_request_closed"));
    let closed: Vec<&str> = closed.collect();
    for (line, (words, request)) in closed.iter().zip([
        ("Request for a new link dismissed", &before[0]),
        ("New link made on request", &before[1]),
    ]) {
        let link = request["link"].as_str().unwrap();
        assert!(line.contains(&format!("{words}, link {link}")), "{line}");
    }
    assert_eq!(closed.len(), 2);
    // The person can ask again.
    let asked = press(&serving, &bob, "ask=new-link");
    assert!(asked.starts_with("HTTP/1.1 200"), "{asked}");
    assert_eq!(open(at).len(), 1);
}

#[test]
fn a_granted_link_that_the_instance_refuses_has_a_warning() {
    let folder = folder();
    let at = folder.path();
    let old = path_of(&run(
        at,
        &["link", "--instance", "here", "--user-id", "eve"],
    ));
    let newer = [
        "link",
        "--instance",
        "here",
        "--user-id",
        "eve",
        "--supersede",
    ];
    run(at, &newer);
    let serving = Serving::new(at, &[]);
    let asked = press(&serving, &old, "ask=new-link");
    assert!(asked.starts_with("HTTP/1.1 200"), "{asked}");
    run(at, &["instance", "set", "here", "--provisioning", "no"]);
    let number = open(at)[0]["number"].to_string();
    let granted = json(at, &["grant", &number]);
    assert_eq!(
        granted["warnings"][0]["code"], "provisioning_off",
        "{granted}"
    );
}

#[test]
fn a_request_is_granted_in_each_form_without_a_gateway() {
    let folder = folder();
    let at = folder.path();
    let serving = Serving::new(at, &[]);
    let people = ["ada", "bob", "eve"].map(|user| single_use(at, user));
    for path in &people {
        ask(&serving, path);
    }
    serving.end();
    let numbers: Vec<String> = open(at)
        .iter()
        .map(|request| request["number"].to_string())
        .collect();
    let picture = at.join("link.png");
    let wrong = requests(at, &["grant", &numbers[0], "--qr", "link.txt"]);
    assert_eq!(wrong.code, 2, "{}", wrong.err);
    assert_eq!(open(at).len(), 3, "a wrong file name grants nothing");
    let saved = requests(
        at,
        &["grant", &numbers[0], "--qr", picture.to_str().unwrap()],
    );
    assert!(
        saved.out.starts_with("http://localhost:8787/?"),
        "{}",
        saved.err
    );
    assert!(picture.is_file());
    let code = requests(at, &["grant", &numbers[1], "--as", "code"]);
    assert_eq!(code.out.trim().matches('.').count(), 2, "{}", code.err);
    let message = requests(at, &["grant", &numbers[2], "--as", "message"]);
    let begins = "Hello ada Person,\n\nthis link signs you in to ";
    assert!(message.out.starts_with(begins), "{}", message.out);
    assert!(open(at).is_empty());
    let links = in_folder(at, &["--json", "links", "list", "--instance", "here"]).json();
    let given = |user: &str| {
        let links = links["links"].as_array().unwrap();
        let new = links
            .iter()
            .rfind(|link| link["user"] == user && link["status"] == "not_used");
        new.unwrap()["given"][0]["given"].clone()
    };
    let ways = ["eve", "bob", "ada"].map(given);
    assert_eq!(ways, ["file", "code", "message"].map(|way| json!(way)));
}

#[test]
fn an_application_elsewhere_has_no_requests_and_says_so() {
    let folder = folder();
    let at = folder.path();
    let set = ["instance", "set", "here", "--hosted", "elsewhere"];
    assert_eq!(in_folder(at, &set).code, 0);
    for command in [&["list"][..], &["grant", "1"], &["dismiss", "1"]] {
        let (code, error, _) = requests(at, &[&["--json"], command].concat()).refusal();
        assert_eq!(
            (code, error.as_str()),
            (1, "hosted_elsewhere"),
            "{command:?}"
        );
    }
    let said = requests(at, &["list"]).err;
    assert!(said.contains("nobody can ask for a new one here"), "{said}");
    let unnamed = in_folder(at, &["requests", "list"]);
    assert_eq!(unnamed.code, 2, "{}", unnamed.err);
}

#[test]
fn a_request_closes_when_its_link_is_revoked_and_the_new_link_keeps_note_and_short_form() {
    let folder = folder();
    let at = folder.path();
    let serving = Serving::new(at, &[]);
    let make = |user: &str| {
        let link = ["--json", "link", "--instance", "here", "--user-id", user];
        let more = ["--uses", "1", "--short", "--note", "desk 4"];
        in_folder(at, &[&link[..], &more].concat()).json()
    };
    let short_of = |made: &Value| {
        let short = made["short"].as_str().unwrap();
        short
            .strip_prefix("HTTP://LOCALHOST:8787")
            .unwrap()
            .to_owned()
    };
    let (ada, bob) = (make("ada"), make("bob"));
    for made in [&ada, &bob] {
        ask(&serving, &short_of(made));
    }
    let before = open(at);
    let revoked = ["links", "--instance", "here", "revoke"];
    let revoked = [&revoked[..], &[ada["id"].as_str().unwrap()]].concat();
    assert_eq!(in_folder(at, &revoked).code, 0);
    assert_eq!(open(at), before[..1], "the request of ada is gone");
    let number = before[1]["number"].to_string();
    for how in ["grant", "dismiss"] {
        let refused = requests(at, &["--json", how, &number]).refusal();
        let unknown = (1, "unknown_request".to_owned(), Some("number".to_owned()));
        assert_eq!(refused, unknown, "{how}");
    }
    let number = before[0]["number"].to_string();
    let granted = json(at, &["grant", &number]);
    assert!(press(&serving, &short_of(&granted), "").starts_with("HTTP/1.1 303"));
    let show = ["--json", "links", "--instance", "here", "show"];
    let show = [&show[..], &[granted["id"].as_str().unwrap()]].concat();
    let shown = in_folder(at, &show).json();
    let new = &shown["link"];
    assert_eq!(
        (&new["note"], &new["has_short"]),
        (&json!("desk 4"), &json!(true))
    );
}
