//! The list of links on the command line.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::run::{Ran, SECRET, hosted_here, in_folder, until};

/// Runs a command that succeeds. Returns its answer in JSON.
pub(crate) fn done(folder: &Path, arguments: &[&str]) -> Value {
    let ran = in_folder(folder, &[&["--json"], arguments].concat());
    assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
    ran.json()
}

pub(crate) fn link(folder: &Path, more: &[&str]) -> Value {
    done(folder, &[&["link", "--instance", "here"], more].concat())
}

pub(crate) fn links(folder: &Path, more: &[&str]) -> Ran {
    in_folder(folder, &[&["links", "--instance", "here"], more].concat())
}

pub(crate) fn listed(folder: &Path, more: &[&str]) -> Vec<Value> {
    let list = done(
        folder,
        &[&["links", "--instance", "here", "list"], more].concat(),
    );
    list["links"].as_array().unwrap().clone()
}

pub(crate) fn id(link: &Value) -> String {
    link["id"].as_str().unwrap().to_owned()
}

/// Returns a data folder with the instance `Here`, which is hosted elsewhere.
pub(crate) fn elsewhere() -> tempfile::TempDir {
    let folder = hosted_here("https://chat.example");
    let set = ["instance", "set", "here", "--hosted", "elsewhere"];
    assert_eq!(in_folder(folder.path(), &set).code, 0);
    folder
}

#[test]
fn each_link_that_is_printed_is_listed_with_how_it_was_given_out() {
    for (folder, status, used) in [
        (hosted_here("https://a.b"), "not_used", Some(0)),
        (elsewhere(), "given_out", None),
    ] {
        let at = folder.path();
        let picture = at.join("code.svg");
        let picture = picture.to_str().unwrap();
        for (more, given) in [
            (&["--as", "url"][..], "link"),
            (&["--as", "code"], "code"),
            (&["--as", "widget"], "widget"),
            (&["--as", "qr"], "qr_code"),
            (&["--as", "message"], "message"),
            (&["--qr", picture], "file"),
        ] {
            let who = ["--user-id", given, "--note", "for the phone", "--uses", "3"];
            let made = link(at, &[&who, more].concat());
            let listed = listed(at, &["--search", &id(&made)]);
            assert_eq!(listed.len(), 1, "{given}");
            let entry = &listed[0];
            assert_eq!(entry["given"][0]["given"], given);
            assert_eq!(entry["given"][0]["by"], "command_line");
            assert_eq!(entry["user"], given);
            assert_eq!(entry["note"], "for the phone");
            assert_eq!(entry["uses"], 3);
            assert_eq!(
                (&entry["status"], &entry["used"]),
                (&json!(status), &json!(used))
            );
            assert!(entry["key"].is_string(), "{entry}");
            assert_eq!(made["claims"]["uses"], 3);
        }
        let once = link(at, &["--id", "1", "--uses", "1"]);
        assert_eq!(once["claims"]["single_use"], true);
    }
}

#[test]
fn use_that_is_not_reported_is_neither_listed_nor_exported() {
    let folder = elsewhere();
    let at = folder.path();
    let made = id(&link(at, &["--user-id", "ada", "--uses", "3"]));
    let listed = links(at, &["list", "--status", "given-out"]).out;
    assert!(listed.contains("given out"), "{listed}");
    let shown = links(at, &["show", &made]).out;
    let said = |name: &str| {
        let mut values = shown.lines().filter_map(|line| line.strip_prefix(name));
        values.next().unwrap().trim().to_owned()
    };
    assert_eq!(
        (&*said("state"), &*said("uses")),
        ("given out", "not reported")
    );
    for said in [&listed, &shown] {
        assert!(
            said.contains("not reported") && !said.contains("not used"),
            "{said}"
        );
    }
    let csv = links(at, &["export"]).out;
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let (head, row) = (lines.next().unwrap(), lines.next().unwrap());
    let cell = |name: &str| row[head.iter().position(|head| *head == name).unwrap()];
    assert_eq!(
        (cell("status"), cell("uses"), cell("used")),
        ("given_out", "3", "")
    );
    assert_eq!((cell("first_use_at"), cell("last_use_at")), ("", ""));
    let line = links(at, &["export", "--format", "jsonl"]).out;
    let json: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&json["status"], &json["used"]),
        (&json!("given_out"), &Value::Null)
    );
}

#[test]
fn use_is_not_told_of_an_instance_that_is_hosted_elsewhere_by_now() {
    let folder = hosted_here("https://a.b");
    let at = folder.path();
    let made = link(at, &["--user-id", "ada"]);
    let url = made["link"].as_str().unwrap();
    let redeemed = in_folder(at, &["redeem", "--instance", "here", url]);
    assert_eq!(redeemed.code, 0, "{}", redeemed.err);
    let shown = || links(at, &["show", &id(&made)]).out;
    assert!(shown().contains("last use"), "{}", shown());
    let set = ["instance", "set", "here", "--hosted", "elsewhere"];
    assert_eq!(in_folder(at, &set).code, 0);
    assert!(shown().contains("not reported"), "{}", shown());
    assert!(!shown().contains("last use"), "{}", shown());
    let listed = links(at, &["list"]).out;
    let cells: Vec<_> = listed.trim_end_matches('\n').split('\t').collect();
    assert_eq!((cells[4], cells[6]), ("not reported", "-"), "{listed}");
}

#[test]
fn a_message_about_a_link_that_was_used_promises_only_the_uses_that_are_left() {
    let folder = hosted_here("https://a.b");
    let at = folder.path();
    let made = link(at, &["--user-id", "ada", "--uses", "3"]);
    let url = made["link"].as_str().unwrap();
    let copy = || links(at, &["copy", &id(&made), "--as", "message"]).out;
    assert!(copy().contains("It works 3 times, "));
    for expected in ["It works 2 more times, ", "It works once more, "] {
        assert_eq!(
            in_folder(at, &["redeem", "--instance", "here", url]).code,
            0
        );
        let said = copy();
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn a_link_with_a_picture_is_entered_as_what_is_printed() {
    let folder = hosted_here("https://a.b");
    let at = folder.path();
    let file = at.join("ada.png");
    let file = file.to_str().unwrap();
    for (form, given) in [("message", "message"), ("code", "code"), ("url", "file")] {
        let made = link(at, &["--user-id", "ada", "--as", form, "--qr", file]);
        let entry = &listed(at, &["--search", &id(&made)])[0];
        assert_eq!(entry["given"][0]["given"], given);
    }
}

#[test]
fn a_message_greets_the_person_and_says_what_the_template_of_the_instance_asks_for() {
    let folder = hosted_here("https://a.b");
    let at = folder.path();
    let add = [
        "users",
        "--instance",
        "here",
        "add",
        "ada",
        "--metadata",
        "name=Ada Okafor",
    ];
    done(at, &add);
    let message = |more: &[&str]| {
        let link = ["link", "--instance", "here", "--as", "message"];
        let ran = in_folder(at, &[&link, more].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out
    };
    let once = message(&["--id", "ada", "--uses", "1"]);
    assert!(
        once.starts_with(
            "Hello Ada Okafor,\n\nthis link signs you in to Here:\n\nhttps://a.b/?externalAuthCode="
        ),
        "{once}"
    );
    assert!(once.contains("\n\nIt works once, until "), "{once}");
    let set = |template: &str| {
        in_folder(
            at,
            &["--json", "instance", "set", "here", "--message", template],
        )
    };
    assert_eq!(set("{name}: {uses}, {expiry}\n{link}").code, 0);
    let endless = message(&[
        "--user-id",
        "bob",
        "--user-email",
        "bob@a.b",
        "--expires-in",
        "never",
    ]);
    let (first, link) = endless.split_once('\n').unwrap();
    assert_eq!(first, "bob@a.b: any number of times, without an end");
    assert!(link.starts_with("https://a.b/?"), "{endless}");
    // A link that is given out again has the name of the first time.
    let id = id(&listed(at, &["--user", "ada"])[0]);
    let again = links(at, &["copy", &id, "--as", "message"]).out;
    assert!(again.starts_with("Ada Okafor: once, until "), "{again}");
    assert_eq!(
        listed(at, &["--user", "ada"])[0]["given"][1]["given"],
        "message"
    );
    for wrong in ["no link", "{link} {nmae}"] {
        let refused = set(wrong).refusal();
        let expected = (1, "invalid_setting".to_owned(), Some("message".to_owned()));
        assert_eq!(refused, expected, "{wrong}");
    }
    assert_eq!(set("default").code, 0);
    assert!(message(&["--id", "ada"]).starts_with("Hello Ada Okafor,"));
}

#[test]
fn a_message_promises_no_number_of_uses_that_an_application_elsewhere_decides() {
    let folder = elsewhere();
    let link = [
        "link",
        "--instance",
        "here",
        "--as",
        "message",
        "--id",
        "7",
        "--uses",
        "1",
    ];
    let message = in_folder(folder.path(), &link).out;
    assert!(
        message.contains("It works as often as chat.example allows, until "),
        "{message}"
    );
}

#[test]
fn a_link_that_cannot_be_entered_is_neither_printed_nor_written() {
    for folder in [hosted_here("https://a.b"), elsewhere()] {
        let at = folder.path();
        link(at, &["--id", "1"]);
        // Without its directory, nothing can be entered.
        fs::rename(at.join("instances/here/directory"), at.join("moved")).unwrap();
        let picture = at.join("code.svg");
        let refused = in_folder(
            at,
            &[
                "link",
                "--instance",
                "here",
                "--id",
                "2",
                "--qr",
                picture.to_str().unwrap(),
            ],
        );
        assert_eq!((refused.code, refused.out.as_str()), (1, ""));
        let said = "error: The link was not given out, because it could not be entered in the list of links. The directory of 'Here' is gone";
        assert!(refused.err.contains(said), "{}", refused.err);
        assert!(!picture.exists());
    }
}

#[test]
fn a_link_without_an_instance_is_in_no_list() {
    let folder = hosted_here("https://a.b");
    let secret = folder.path().join("secret");
    let without = |more: &[&str]| {
        let link = ["link", "--url", "https://c.d", "--id", "1", "--secret-file"];
        in_folder(
            folder.path(),
            &[&link[..], &[secret.to_str().unwrap()], more].concat(),
        )
    };
    let ran = without(&[]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(listed(folder.path(), &[]).is_empty());
    assert_eq!(without(&["--supersede"]).code, 2);
    assert_eq!(without(&["--note", "x"]).code, 2);
}

#[test]
fn links_are_searched_filtered_sorted_and_paged() {
    let folder = hosted_here("https://a.b");
    let at = folder.path();
    for (user, name, lifetime) in [
        ("u1", "Grace", "3d"),
        ("u2", "Ada", "1d"),
        ("u3", "Edsger", "2d"),
    ] {
        let name = format!("name={name}");
        link(
            at,
            &[
                "--user-id",
                user,
                "--metadata",
                &name,
                "--expires-in",
                lifetime,
            ],
        );
    }
    let names = |more: &[&str]| -> Vec<String> {
        let listed = listed(at, more);
        let names = listed.iter().map(|link| link["name"].as_str().unwrap());
        names.map(str::to_owned).collect()
    };
    assert_eq!(names(&["--sort", "expires"]), ["Ada", "Edsger", "Grace"]);
    assert_eq!(
        names(&["--sort", "person", "--descending"]),
        ["Grace", "Edsger", "Ada"]
    );
    assert_eq!(names(&["--search", "grac"]), ["Grace"]);
    assert_eq!(names(&["--user", "u3"]), ["Edsger"]);
    assert_eq!(names(&["--status", "expired"]), [""; 0]);
    assert_eq!(names(&["--works", "yes"]).len(), 3);
    let key = listed(at, &[])[0]["key"].as_str().unwrap().to_owned();
    assert_eq!(names(&["--key", &key]).len(), 3);
    assert_eq!(names(&["--key", "other"]).len(), 0);
    let first = done(
        at,
        &[
            "links",
            "list",
            "--instance",
            "here",
            "--sort",
            "expires",
            "--limit",
            "2",
        ],
    );
    assert_eq!(first["total"], 3);
    let next = first["next"].as_str().unwrap();
    assert_eq!(names(&["--sort", "expires", "--after", next]), ["Grace"]);
    let text = links(at, &["list", "--limit", "1", "--sort", "person"]);
    let columns: Vec<&str> = text.out.trim().split('\t').collect();
    assert_eq!(columns[1..5], ["u2", "Ada", "not used", "0"]);
    // The newest come first, unless another order is asked for.
    // Links that were entered in the same second are sorted by ID, so the last one is made a second later.
    let made_at = Timestamp::now().as_second();
    until("a second has passed", || {
        Timestamp::now().as_second() > made_at
    });
    link(at, &["--user-id", "u4", "--metadata", "name=Barbara"]);
    assert_eq!(names(&[])[0], "Barbara");
    let mut reversed = names(&["--descending"]);
    reversed.reverse();
    assert_eq!(reversed, names(&[]));
    let mut oldest = names(&["--sort", "entered"]);
    assert_eq!(oldest[3], "Barbara");
    oldest[..3].sort();
    assert_eq!(oldest[..3], ["Ada", "Edsger", "Grace"]);
    assert!(
        text.err.contains("1 of 3; the next page: --after "),
        "{}",
        text.err
    );
    let none = links(at, &["list", "--search", "nobody"]);
    assert_eq!(
        (none.out.as_str(), none.err.trim()),
        ("", "No link matches.")
    );
}

#[test]
fn text_of_others_is_escaped_in_a_terminal_and_no_formula_in_csv() {
    let folder = hosted_here("https://a.b");
    let at = folder.path();
    let made = link(at, &["--id", "1", "--note", "=1+1\u{202e}"]);
    for command in [&["list"][..], &["show", &id(&made)]] {
        let ran = links(at, command);
        assert!(ran.out.contains(r"=1+1\u{202e}"), "{}", ran.out);
    }
    let csv = links(at, &["export"]).out;
    assert!(csv.contains(",'=1+1\u{202e},"), "{csv}");
    let lines = links(at, &["export", "--format", "jsonl"]).out;
    let line: Value = serde_json::from_str(lines.trim()).unwrap();
    assert_eq!(line["id"], made["id"]);
    let file = at.join("links.csv");
    let file = file.to_str().unwrap();
    let written = links(at, &["export", "--out", file]);
    assert!(
        written.out.starts_with("Wrote 1 link to "),
        "{}",
        written.out
    );
    assert_eq!(fs::read_to_string(file).unwrap(), csv);
}

#[test]
fn a_link_is_copied_as_the_same_code_and_that_is_entered() {
    for folder in [hosted_here("https://a.b"), elsewhere()] {
        let at = folder.path();
        let made = link(at, &["--user-id", "ada", "--uses", "2"]);
        let copied = done(
            at,
            &[
                "links",
                "copy",
                "--instance",
                "here",
                &id(&made),
                "--as",
                "code",
            ],
        );
        assert_eq!(copied["code"], made["code"]);
        let entry = listed(at, &[])[0].clone();
        let given = entry["given"].as_array().unwrap();
        assert_eq!((given.len(), &given[1]["given"]), (2, &json!("code")));
        let other = at.join("other");
        fs::write(&other, format!("another-{SECRET}")).unwrap();
        let other = ["copy", &id(&made), "--secret-file", other.to_str().unwrap()];
        let refused = links(at, &[&["--json"][..], &other].concat());
        assert_eq!(refused.refusal().1, "not_copyable");
        let unknown = links(at, &["--json", "copy", "nothing"]);
        let expected = (1, "unknown_link".to_owned(), Some("id".to_owned()));
        assert_eq!(unknown.refusal(), expected);
    }
}

#[test]
fn a_link_whose_picture_cannot_be_written_is_not_given_out() {
    let folder = hosted_here("https://a.b");
    let at = folder.path();
    let picture = at.join("missing/ada.png");
    let link = ["link", "--instance", "here", "--user-id", "ada", "--qr"];
    let refused = in_folder(at, &[&link[..], &[picture.to_str().unwrap()]].concat());
    assert_eq!(refused.code, 1);
    assert!(
        refused.err.contains("could not be written"),
        "{}",
        refused.err
    );
    assert_eq!(refused.out, "");
    assert_eq!(listed(at, &[]), [Value::Null; 0]);
}

#[test]
fn older_links_cannot_be_set_to_stop_at_an_application_elsewhere() {
    let folder = elsewhere();
    let set = ["instance", "set", "here", "--supersede", "on"];
    let refused = in_folder(folder.path(), &set);
    assert_eq!(refused.code, 1);
    assert!(
        refused.err.contains("chat.example decides"),
        "{}",
        refused.err
    );
}
