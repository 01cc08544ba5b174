//! Tests of `latchkey users` for an instance at TypingMind, against a stand-in for its API.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::run::{Ran, SECRET, in_folder, latchkey};
use crate::stand_in::{KEY, StandIn};

/// A data folder with the instance `Chat`, which is connected to a stand-in.
struct Connected {
    folder: tempfile::TempDir,
    typingmind: StandIn,
}

impl Connected {
    fn new(users: usize) -> Self {
        let typingmind = StandIn::start(users);
        let folder = elsewhere();
        let connected = Self { folder, typingmind };
        let url = connected.typingmind.url();
        let key = connected.path("key");
        fs::write(&key, KEY).unwrap();
        let set = connected.run(&[
            "instance",
            "set",
            "chat",
            "--typingmind-region",
            &url,
            "--typingmind-key-file",
            &key,
        ]);
        assert_eq!(set.code, 0, "{}", set.err);
        connected
    }

    /// Connects, and copies the users.
    fn copied(users: usize) -> Self {
        let connected = Self::new(users);
        let synced = connected.users(&["sync"]);
        assert_eq!(synced.code, 0, "{}", synced.err);
        connected
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        in_folder(self.folder.path(), arguments)
    }

    fn users(&self, arguments: &[&str]) -> Ran {
        self.run(&[&["users", "--instance", "chat"], arguments].concat())
    }

    fn users_json(&self, arguments: &[&str]) -> Value {
        let ran = self.users(&[&["--json"], arguments].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.json()
    }

    fn emails(&self, arguments: &[&str]) -> Vec<String> {
        let listed = self.users_json(&[&["list"], arguments].concat());
        let users = listed["users"].as_array().unwrap().iter();
        users
            .map(|user| user["email"].as_str().unwrap_or("-").to_owned())
            .collect()
    }

    /// Returns the latest entry of the activity.
    fn latest(&self) -> Value {
        let ran = self.run(&["--json", "activity", "list", "--instance", "chat"]);
        ran.json()["entries"][0].clone()
    }

    /// Returns the codes and subjects of the activity, newest first.
    fn activity(&self) -> Vec<(String, Option<String>)> {
        let ran = self.run(&["--json", "activity", "list", "--instance", "chat"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let entries = ran.json()["entries"].as_array().unwrap().clone();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        entries
            .iter()
            .map(|entry| (text(&entry["code"]).unwrap(), text(&entry["subject"])))
            .collect()
    }
}

/// Returns a data folder with the instance `Chat`, which is hosted elsewhere.
fn elsewhere() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    fs::write(&secret, SECRET).unwrap();
    let added = in_folder(
        folder.path(),
        &[
            "instance",
            "add",
            "Chat",
            "--url",
            "https://chat.example",
            "--hosted",
            "elsewhere",
            "--secret-file",
            secret.to_str().unwrap(),
        ],
    );
    assert_eq!(added.code, 0, "{}", added.err);
    folder
}

#[test]
fn the_users_of_typingmind_are_copied_listed_and_shown_with_their_age() {
    let chat = Connected::new(4);
    let missing = chat.users(&["--json", "list"]).refusal();
    assert_eq!(missing, (1, "not_copied".to_owned(), None));

    let synced = chat.users(&["sync"]);
    assert_eq!((synced.code, synced.out.as_str()), (0, "Copied 4 users.\n"));
    let listed = chat.users(&["list"]);
    assert_eq!(
        listed.out,
        "1\tuser-1@acme.example\tSales\n\
         2\tuser-2@acme.example\tSales, Support\n\
         3\tuser-3@acme.example\t-\n\
         4\tuser-4@acme.example\tSales\n"
    );
    assert!(
        listed.err.contains("TypingMind's users as of "),
        "{}",
        listed.err
    );
    let json = chat.users_json(&["list", "--limit", "1"]);
    assert_eq!(json["total"], 4);
    assert_eq!(json["next"], "1");
    assert!(json["as_of"].as_str().unwrap().ends_with('Z'), "{json}");
    assert_eq!(json["users"][0]["created_at"], "2023-11-14T22:13:21Z");
    assert!(json["users"][0].get("status").is_none(), "{json}");

    for name in ["2", "USER-2@acme.example"] {
        let shown = chat.users_json(&["show", name]);
        assert_eq!(shown["email"], "user-2@acme.example");
        assert_eq!(shown["groups"][1]["name"], "Support");
        assert!(shown["as_of"].is_string());
    }
    let unknown = chat.users(&["--json", "show", "9"]).refusal();
    assert_eq!(
        unknown,
        (1, "unknown_user".to_owned(), Some("id".to_owned()))
    );
}

#[test]
fn the_copy_is_searched_sorted_filtered_by_group_and_paged() {
    let chat = Connected::copied(11);
    let of = |number: u32| format!("user-{number}@acme.example");
    assert_eq!(chat.emails(&["--search", "USER-11 acme"]), [of(11)]);
    assert_eq!(chat.emails(&["--group", "support"]), [2, 5, 8, 11].map(of));
    assert_eq!(chat.emails(&["--group", "2", "--search", "8"]), [of(8)]);
    assert!(chat.emails(&["--group", "nobody"]).is_empty());
    // Numbers are sorted as numbers, and addresses as texts.
    assert_eq!(
        chat.emails(&["--limit", "2", "--after", "8"]),
        [9, 10].map(of)
    );
    assert_eq!(
        chat.emails(&["--sort", "email", "--limit", "2"]),
        [10, 11].map(of)
    );
    let newest = ["--sort", "created", "--descending", "--limit", "1"];
    assert_eq!(chat.emails(&newest), [of(11)]);
}

#[test]
fn what_typingmind_does_not_tell_is_refused() {
    let chat = Connected::copied(1);
    for (arguments, field) in [
        (&["list", "--status", "active"][..], "status"),
        (&["list", "--origin", "link"], "origin"),
        (&["list", "--sort", "last-sign-in"], "sort"),
        (&["add", "ada", "--email", "a@b.example"], "id"),
        (&["add"], "email"),
    ] {
        let refused = chat.users(&[&["--json"], arguments].concat()).refusal();
        assert_eq!(
            refused,
            (2, "usage".to_owned(), Some(field.to_owned())),
            "{arguments:?}"
        );
    }
    assert_eq!(chat.users(&["suspend", "1"]).code, 2);
}

#[test]
fn a_failure_says_what_happened_and_keeps_the_copy() {
    let chat = Connected::copied(3);
    let file = chat
        .folder
        .path()
        .join("instances/chat/typingmind-users.json");
    let before = fs::read(&file).unwrap();
    for (mode, code, words) in [
        ("403", "key_refused", "refuses the API key (403)"),
        ("404", "unexpected_answer", "Check the region"),
        ("429", "unexpected_answer", "too many requests"),
        (
            "500",
            "unexpected_answer",
            "has failed to list its users (500)",
        ),
        ("redirect", "unexpected_answer", "leads to another address"),
        ("html", "unexpected_answer", "it is not JSON"),
        ("no-data", "unexpected_answer", "no list 'data'"),
        ("other-types", "unexpected_answer", "other types"),
        ("half", "unexpected_answer", "ends in the middle"),
        ("cut", "unexpected_answer", "ends in the middle"),
        (
            "user-without-id",
            "unexpected_answer",
            "user 2 in it has no 'id'",
        ),
    ] {
        chat.typingmind.set_mode(mode);
        let failed = chat.users(&["--json", "sync"]);
        let field = (mode == "403").then(|| "typingmind-key-file".to_owned());
        assert_eq!(failed.refusal(), (1, code.to_owned(), field), "{mode}");
        assert!(failed.err.contains(words), "{mode}: {}", failed.err);
        assert!(
            failed.err.contains("The copy of the users as of "),
            "{mode}: {}",
            failed.err
        );
        assert!(!failed.err.contains(KEY), "{mode}: {}", failed.err);
        assert_eq!(fs::read(&file).unwrap(), before, "{mode}");
    }
    assert_eq!(chat.emails(&[]).len(), 3);
}

#[test]
fn members_that_are_new_or_missing_do_not_stop_a_copy() {
    let chat = Connected::new(3);
    chat.typingmind.set_mode("new-members");
    assert_eq!(chat.users(&["sync"]).code, 0);
    assert_eq!(chat.emails(&["--group", "Sales"]).len(), 2);
    chat.typingmind.set_mode("missing-members");
    assert_eq!(chat.users(&["sync"]).code, 0);
    assert_eq!(chat.emails(&[]), ["-"; 3]);
    let shown = chat.users_json(&["show", "1"]);
    assert_eq!(
        (&shown["created_at"], &shown["groups"]),
        (&Value::Null, &Value::Array(Vec::new()))
    );
}

#[test]
fn a_server_that_cannot_be_reached_keeps_the_copy() {
    let mut chat = Connected::copied(2);
    let before = chat.typingmind.url();
    chat.typingmind = StandIn::start(0);
    let failed = chat.users(&["--json", "sync"]);
    assert_eq!(
        failed.refusal(),
        (1, "unreachable".to_owned(), None),
        "{before}"
    );
    assert!(failed.err.contains("Connection refused"), "{}", failed.err);
    assert_eq!(chat.emails(&[]).len(), 2);
}

#[test]
fn a_user_is_added_and_removed_only_after_a_question_and_both_are_recorded() {
    let chat = Connected::copied(2);
    let begun = chat.typingmind.requests().lines().count();
    for arguments in [
        &["add", "--email", "ada@acme.example"][..],
        &["remove", "1"],
    ] {
        let refused = chat.users(&[&["--json"], arguments].concat()).refusal();
        assert_eq!(refused, (2, "usage".to_owned(), Some("yes".to_owned())));
    }
    assert_eq!(
        chat.typingmind.requests().lines().count(),
        begun,
        "nothing was sent"
    );

    let added = chat.users(&["add", "--email", "ada@acme.example", "--yes"]);
    assert_eq!(added.out, "Added ada@acme.example at TypingMind (ID 3).\n");
    let removed = chat.users(&["remove", "1", "--yes"]);
    assert_eq!(
        removed.out,
        "Removed user-1@acme.example (ID 1) at TypingMind.\n"
    );
    let sent = chat.typingmind.requests();
    let sent: Vec<&str> = sent.lines().skip(begun).collect();
    assert_eq!(
        sent,
        [
            r#"POST /api/v2/users {"email": "ada@acme.example"}"#,
            "DELETE /api/v2/users/1 null",
        ]
    );
    // The copy follows, and a new copy is equal.
    let expected = ["user-2@acme.example", "ada@acme.example"];
    assert_eq!(chat.emails(&[]), expected);
    assert_eq!(chat.users(&["sync"]).code, 0);
    assert_eq!(chat.emails(&[]), expected);
    let entries = chat.activity();
    let entry = |code: &str, subject: &str| (code.to_owned(), Some(subject.to_owned()));
    assert_eq!(
        entries[0],
        entry("typingmind_user_removed", "user-1@acme.example")
    );
    assert_eq!(
        entries[1],
        entry("typingmind_user_added", "ada@acme.example")
    );
    assert_eq!(entries[2].0, "typingmind_key_set");

    // A refusal by TypingMind is not recorded.
    let again = chat.users(&["add", "--email", "ada@acme.example", "--yes"]);
    assert!(
        again.err.contains("(409): 'User already exists'"),
        "{}",
        again.err
    );
    let unknown = chat.users(&["--json", "remove", "77", "--yes"]).refusal();
    assert_eq!(
        unknown,
        (1, "unknown_user".to_owned(), Some("id".to_owned()))
    );
    chat.typingmind.set_mode("cut");
    let lost = chat.users(&["remove", "2", "--yes"]);
    assert!(
        lost.err
            .contains("not known whether the user 2 was removed"),
        "{}",
        lost.err
    );
    // The lost answer is recorded, because the user may be removed.
    let (latest, before) = (chat.latest(), chat.activity().split_off(1));
    assert_eq!(latest["title"], "Removing at TypingMind", "{latest}");
    assert_eq!(latest["parameters"]["id"], "2", "{latest}");
    let detail = latest["detail"].as_str().unwrap();
    assert!(detail.contains("not known"), "{detail}");
    assert_eq!(before, entries);
}

#[test]
fn a_process_that_dies_before_the_answer_leaves_an_entry_that_is_not_confirmed() {
    let chat = Connected::copied(2);
    let before = chat.activity();
    chat.typingmind.set_mode("slow");
    let sent = chat.typingmind.requests();
    let mut adding = Command::new(env!("CARGO_BIN_EXE_latchkey"))
        .args(["users", "--instance", "chat", "add", "--yes"])
        .args(["--email", "ada@acme.example"])
        .env_clear()
        .env("LATCHKEY_KEYCHAIN", "off")
        .env("LATCHKEY_DATA_DIR", chat.folder.path())
        .env("LATCHKEY_PASSPHRASE", "correct horse battery")
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while chat.typingmind.requests() == sent {
        assert!(begun.elapsed() < Duration::from_secs(30), "nothing is sent");
        std::thread::sleep(Duration::from_millis(10));
    }
    adding.kill().unwrap();
    adding.wait().unwrap();
    let latest = chat.latest();
    assert_eq!(latest["title"], "Adding at TypingMind", "{latest}");
    assert_eq!(latest["subject"], "ada@acme.example", "{latest}");
    assert_eq!(chat.activity().split_off(1), before);
}

#[test]
fn a_change_that_was_not_sent_is_not_recorded() {
    let chat = Connected::copied(2);
    let before = chat.activity();
    let Connected { folder, typingmind } = chat;
    drop(typingmind);
    let add = ["users", "--instance", "chat", "add", "--yes", "--email"];
    let arguments = [&add[..], &["ada@acme.example"]].concat();
    let failed = in_folder(folder.path(), &arguments);
    assert!(failed.err.contains("Connection refused"), "{}", failed.err);
    assert!(!failed.err.contains("not known whether"), "{}", failed.err);
    let listed = ["--json", "activity", "list", "--instance", "chat"];
    let listed = in_folder(folder.path(), &listed).json();
    assert_eq!(listed["entries"].as_array().unwrap().len(), before.len());
}

#[test]
fn the_key_is_sealed_and_a_wrong_one_is_refused_without_being_printed() {
    let chat = Connected::copied(1);
    let instance = chat.folder.path().join("instances/chat");
    let file = fs::read_to_string(instance.join("instance.json")).unwrap();
    assert!(
        file.contains(r#""format": 5"#) && file.contains("typingmind"),
        "{file}"
    );
    for path in [
        instance.join("instance.json"),
        chat.folder.path().join("keys.sealed"),
    ] {
        assert!(
            !fs::read_to_string(&path).unwrap().contains(KEY),
            "{}",
            path.display()
        );
    }
    let shown = chat.run(&["instance", "show", "chat"]);
    assert!(shown.out.contains(&format!(
        "typingmind              {}, key set 2",
        chat.typingmind.url()
    )));
    assert!(!shown.out.contains(KEY));

    let set = ["instance", "set", "chat", "--typingmind-key-file", "-"];
    let environment = [
        ("LATCHKEY_DATA_DIR", chat.folder.path().to_str().unwrap()),
        ("LATCHKEY_PASSPHRASE", "correct horse battery"),
    ];
    let replaced = latchkey(&set, &environment, b" tm-another-key\n");
    assert_eq!(replaced.code, 0, "{}", replaced.err);
    let refused = chat.users(&["sync"]);
    assert!(
        refused.err.contains("refuses the API key (401)"),
        "{}",
        refused.err
    );
    assert!(!refused.err.contains("tm-another-key"));
    for nonsense in [&b""[..], b"two words", b"\xff"] {
        let ran = latchkey(&[&["--json"], &set[..]].concat(), &environment, nonsense);
        assert_eq!(
            ran.refusal().2.as_deref(),
            Some("typingmind-key-file"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn disconnecting_removes_key_and_copy_and_is_recorded() {
    let chat = Connected::copied(1);
    let copy = chat
        .folder
        .path()
        .join("instances/chat/typingmind-users.json");
    assert!(copy.exists());
    let done = chat.run(&["instance", "set", "chat", "--no-typingmind"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(!copy.exists());
    assert_eq!(chat.activity()[0].0, "typingmind_disconnected");
    let refused = chat.users(&["--json", "sync"]);
    assert_eq!(refused.refusal().1, "not_connected");
    assert!(
        refused.err.contains("--typingmind-region"),
        "{}",
        refused.err
    );
    // Without a connection there are no users here, as for any other application.
    assert_eq!(
        chat.users(&["--json", "list"]).refusal().1,
        "hosted_elsewhere"
    );
}

#[test]
fn only_an_instance_elsewhere_is_connected_and_only_by_an_encrypted_address() {
    let here = crate::run::hosted_here("https://a.bc");
    let set = [
        "--json",
        "instance",
        "set",
        "here",
        "--typingmind-region",
        "eu",
    ];
    let refused = in_folder(here.path(), &set).refusal();
    assert_eq!(
        refused,
        (1, "invalid_setting".to_owned(), Some("hosted".to_owned()))
    );
    let sync = ["--json", "users", "sync", "--instance", "here"];
    assert_eq!(in_folder(here.path(), &sync).refusal().1, "invalid_setting");

    let chat = elsewhere();
    for (region, is_accepted) in [
        ("us", true),
        ("eu", true),
        ("https://proxy.example/typingmind", true),
        ("http://127.0.0.1:9/api", true),
        ("http://proxy.example", false),
        ("https://proxy.example/?a=b", false),
        ("asia", false),
    ] {
        let set = ["instance", "set", "chat", "--typingmind-region", region];
        assert_eq!(
            in_folder(chat.path(), &set).code == 0,
            is_accepted,
            "{region}"
        );
    }
}

#[cfg(unix)]
#[test]
fn only_their_owner_reads_the_copy() {
    use std::os::unix::fs::PermissionsExt as _;

    let chat = Connected::copied(1);
    let file = chat
        .folder
        .path()
        .join("instances/chat/typingmind-users.json");
    let mode = fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_damaged_copy_is_reported_and_replaced_by_the_next() {
    let chat = Connected::copied(2);
    let file = chat
        .folder
        .path()
        .join("instances/chat/typingmind-users.json");
    fs::write(&file, b"{\"format\":1,\"at\":").unwrap();
    assert_eq!(chat.users(&["--json", "list"]).refusal().1, "damaged_file");
    assert_eq!(chat.users(&["sync"]).code, 0);
    assert_eq!(chat.emails(&[]).len(), 2);
    // A newer format is not read, and nothing is lost: the next copy makes it again.
    fs::write(&file, b"{\"format\":2}").unwrap();
    assert_eq!(chat.users(&["--json", "list"]).refusal().1, "not_copied");
}

#[test]
fn ten_thousand_users_are_copied_and_found() {
    let chat = Connected::copied(10_000);
    let found = chat.users_json(&["list", "--search", "user-9999@"]);
    assert_eq!(
        (&found["total"], &found["users"][0]["id"]),
        (&1.into(), &"9999".into())
    );
    let page = chat.users_json(&["list", "--after", "9990", "--limit", "100"]);
    assert_eq!(
        (page["total"].as_u64(), page["next"].as_str()),
        (Some(10_000), None)
    );
    assert_eq!(page["users"].as_array().unwrap().len(), 10);
}

#[test]
fn only_a_certificate_that_the_computer_trusts_is_accepted() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let pem = folder.path().join("both.pem");
    let both = made.cert.pem() + &made.signing_key.serialize_pem();
    fs::write(&pem, both).unwrap();
    let server = StandIn::run(2, Some(&pem));
    let chat = elsewhere();
    let url = format!("https://localhost:{}/api", server.port());
    let key = folder.path().join("key");
    fs::write(&key, KEY).unwrap();
    let key = key.to_str().unwrap();
    let set = [
        "instance",
        "set",
        "chat",
        "--typingmind-region",
        &url,
        "--typingmind-key-file",
        key,
    ];
    assert_eq!(in_folder(chat.path(), &set).code, 0);
    let sync = |trusted: &Path| {
        let environment = [
            ("LATCHKEY_DATA_DIR", chat.path().to_str().unwrap()),
            ("LATCHKEY_PASSPHRASE", "correct horse battery"),
            ("SSL_CERT_FILE", trusted.to_str().unwrap()),
        ];
        latchkey(&["users", "sync", "--instance", "chat"], &environment, b"")
    };
    let unknown = sync(Path::new("/etc/ssl/certs/ca-certificates.crt"));
    assert_eq!(unknown.code, 1);
    assert!(unknown.err.contains("certificate"), "{}", unknown.err);
    assert!(server.requests().is_empty(), "the key was sent");
    let trusted = sync(&pem);
    assert_eq!(
        (trusted.code, trusted.out.as_str()),
        (0, "Copied 2 users.\n"),
        "{}",
        trusted.err
    );
}
