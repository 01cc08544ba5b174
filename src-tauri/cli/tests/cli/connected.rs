//! Tests of instances on a gateway on another computer, which another data folder plays.

use std::path::Path;

use serde_json::Value;

use crate::run::{Ran, latchkey};
use crate::serve::{FREE, PASSPHRASE, Serving, folder};

pub(crate) fn at(folder: &Path, arguments: &[&str], input: &str) -> Ran {
    let environment = [
        ("LATCHKEY_DATA_DIR", folder.to_str().unwrap()),
        ("LATCHKEY_PASSPHRASE", PASSPHRASE),
        // It is meant for something else.
        (
            "LATCHKEY_SECRET",
            "another-secret-of-more-than-thirty-two-bytes",
        ),
    ];
    latchkey(arguments, &environment, input.as_bytes())
}

/// Runs a command that succeeds. Returns its answer in JSON.
pub(crate) fn done(folder: &Path, arguments: &[&str]) -> Value {
    let ran = at(folder, &[&["--json"], arguments].concat(), "");
    assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
    ran.json()
}

/// Runs a command that fails. Returns the code of its error.
pub(crate) fn refused(folder: &Path, arguments: &[&str]) -> String {
    let ran = at(folder, &[&["--json"], arguments].concat(), "");
    assert_eq!(ran.code, 1, "{arguments:?}: {}", ran.out);
    ran.refusal().1
}

/// Makes a connection string on the server.
pub(crate) fn pairing(server: &Path, name: &str) -> String {
    let make = [
        "api-key",
        "make",
        name,
        "--scope",
        "admin",
        "--instance",
        "here",
    ];
    let ran = at(server, &make, "");
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.out.trim().to_owned()
}

/// A gateway, and a client that is connected to it.
pub(crate) struct Connected {
    pub(crate) server: tempfile::TempDir,
    pub(crate) client: tempfile::TempDir,
    pub(crate) serving: Serving,
}

impl Connected {
    pub(crate) fn new() -> Self {
        let (server, client) = (folder(), tempfile::tempdir().unwrap());
        let serving = Serving::new(server.path(), &["--admin-listen", FREE]);
        let string = pairing(server.path(), "laptop");
        let connect = ["instance", "connect", "-", "--name", "Server"];
        let ran = at(client.path(), &connect, &format!("{string}\n"));
        assert_eq!(ran.code, 0, "{}", ran.err);
        // The code works once.
        let again = ["--json", "instance", "connect", &string, "--name", "Again"];
        assert_eq!(at(client.path(), &again, "").refusal().1, "key_refused");
        Self {
            server,
            client,
            serving,
        }
    }
}

#[test]
fn every_command_works_on_a_connected_instance_and_the_gateway_signs() {
    let connected = Connected::new();
    let (server, client) = (connected.server.path(), connected.client.path());
    let there = |arguments: &[&str]| done(client, arguments);

    let shown = there(&["instance", "show", "server"]);
    assert_eq!(shown["hosted"], "gateway");
    assert_eq!(shown["connection"]["instance"], "here");
    assert_eq!(
        shown["connection"]["fingerprint"],
        connected.serving.said["admin"]["fingerprint"]
    );
    assert_eq!(shown["secret"]["origin"], "pasted");

    there(&["users", "--instance", "server", "add", "ada"]);
    there(&["users", "--instance", "server", "suspend", "ada"]);
    let listed = done(server, &["users", "--instance", "here", "list"]);
    assert_eq!(listed["users"][0]["status"], "suspended");
    there(&["users", "--instance", "server", "reactivate", "ada"]);
    let seats = there(&["seats", "--instance", "server", "--set", "7"]);
    assert_eq!(seats["limit"], 7);

    let made = there(&["link", "--instance", "server", "--user-id", "grace"]);
    let link = made["link"].as_str().unwrap();
    assert!(link.starts_with("http://localhost:8787/"), "{link}");
    assert_eq!(made["claims"]["user"]["id"], "grace");
    let inspected = there(&["inspect", "--instance", "server", "--dry-run", link]);
    assert_eq!(inspected["verification"]["verified"], true);
    assert_eq!(inspected["dry_run"]["verdict"], "provisioned");
    let redeem = ["redeem", "--instance", "server", link];
    assert_eq!(there(&redeem)["verdict"], "provisioned");
    assert_eq!(there(&redeem)["verdict"], "signed_in");
    let forged = made["code"].as_str().unwrap().to_owned() + "x";
    let redeem = ["--json", "redeem", "--instance", "server", &forged];
    let redeemed = at(client, &redeem, "");
    assert_eq!(redeemed.code, 1);
    assert_eq!(redeemed.json()["verdict"], "bad_signature");
    let activity = [
        "activity",
        "list",
        "--instance",
        "here",
        "--kind",
        "refusal",
    ];
    let recorded = done(server, &activity)["entries"][0].clone();
    assert_eq!(recorded["code"], "bad_signature", "{recorded}");
    assert_eq!(recorded["actor"]["api_key"], "laptop", "{recorded}");
    let forged = at(
        client,
        &["--json", "inspect", "--instance", "server", &forged],
        "",
    );
    assert_eq!(forged.code, 1);
    assert_eq!(
        forged.json()["verification"]["refused"]["code"],
        "bad_signature"
    );
    assert_eq!(
        forged.json()["claims"]["user"]["id"],
        "grace",
        "it is shown here"
    );

    there(&[
        "instance",
        "set",
        "server",
        "--session",
        "3h",
        "--name",
        "Office",
    ]);
    let settings = done(server, &["instance", "show", "here"]);
    assert_eq!(settings["visiting"]["session"], "3 hours");
    assert_eq!(
        settings["name"], "Here",
        "the name here is this computer's own"
    );
    assert_eq!(there(&["instance", "show", "office"])["hosted"], "gateway");

    let entries = there(&["activity", "list", "--instance", "office", "--limit", "200"]);
    let entries = entries["entries"].as_array().unwrap();
    let of = |code: &str| entries.iter().filter(|entry| entry["code"] == code).count();
    for code in ["link_made", "user_suspended", "seat_limit_set"] {
        assert!(of(code) <= 1, "{code} is recorded twice: {entries:?}");
    }
    let by_key = |entry: &&Value| entry["actor"].to_string().contains("laptop");
    assert!(entries.iter().any(|entry| by_key(&entry)), "{entries:?}");

    assert_eq!(
        refused(client, &["serve", "--instance", "office"]),
        "on_gateway"
    );
    connected.serving.end();
    assert_eq!(
        refused(client, &["seats", "--instance", "office"]),
        "unreachable"
    );
    let cached = at(client, &["instance", "show", "office"], "");
    assert_eq!(cached.code, 0);
    assert!(cached.err.contains("read there last"), "{}", cached.err);
    // The key was never read, which is not the same as none.
    assert!(cached.out.contains("not known here"), "{}", cached.out);
    let cached = done(client, &["instance", "show", "office"]);
    assert!(cached.get("secret").is_none(), "{cached}");
}

#[test]
fn a_refused_key_or_a_lost_gateway_changes_no_setting_of_a_connected_instance() {
    let connected = Connected::new();
    let (server, client) = (connected.server.path(), connected.client.path());
    let before = done(server, &["instance", "show", "here"]);
    let file = client.join("secret");
    std::fs::write(&file, "not base64!").unwrap();
    let set = [
        "instance",
        "set",
        "server",
        "--session",
        "3h",
        "--name",
        "Office",
    ];
    let key = ["--secret-encoding", "base64", "--secret-file"];
    let with_key = [&set[..], &key, &[file.to_str().unwrap()]].concat();
    assert_eq!(refused(client, &with_key), "invalid_secret");
    let after = done(server, &["instance", "show", "here"]);
    assert_eq!(after["visiting"], before["visiting"]);
    assert_eq!(
        done(client, &["instance", "show", "server"])["name"],
        "Server"
    );
    connected.serving.end();
    assert_eq!(refused(client, &set), "unreachable");
    let listed = done(client, &["instance", "list"]);
    assert_eq!(listed["instances"][0]["name"], "Server");
}

#[test]
fn a_link_that_the_gateway_would_refuse_has_a_warning() {
    let connected = Connected::new();
    let client = connected.client.path();
    let known = done(
        client,
        &["link", "--instance", "server", "--user-id", "ada"],
    );
    assert_eq!(known["warnings"], serde_json::json!([]));
    let link = [
        "link",
        "--instance",
        "server",
        "--email",
        "ada@acme.example",
    ];
    let warned = at(client, &link, "");
    assert_eq!(warned.code, 0, "{}", warned.err);
    assert!(warned.err.contains("ada@acme.example"), "{}", warned.err);
    let warned = done(client, &link);
    assert_eq!(warned["warnings"][0]["code"], "unknown_user");
    connected.serving.end();
}

/// Returns the users of an instance as an export.
fn exported(folder: &Path, instance: &str) -> String {
    let ran = at(folder, &["users", "--instance", instance, "export"], "");
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.out
}

#[test]
fn users_are_imported_and_exported_over_tls_as_on_the_server() {
    let connected = Connected::new();
    let (server, client) = (connected.server.path(), connected.client.path());
    let file = client.join("users.csv");
    std::fs::write(&file, "id,email,role\nada,ada@acme.example,admin\nbob,,\n").unwrap();
    let import = [
        "users",
        "--instance",
        "server",
        "import",
        file.to_str().unwrap(),
    ];
    let planned = done(client, &[&import[..], &["--dry-run"]].concat());
    assert_eq!(exported(server, "here").lines().count(), 1, "{planned}");
    done(client, &import);
    let there = exported(server, "here");
    assert!(there.contains("ada@acme.example"), "{there}");
    assert_eq!(exported(client, "server"), there);

    // A row that differs is kept unless the import updates, and the seats are respected.
    std::fs::write(&file, "id,email,role\nada,ada@acme.example,user\neve,,\n").unwrap();
    done(client, &["seats", "--instance", "server", "--set", "2"]);
    let full = at(client, &[&["--json"], &import[..]].concat(), "");
    assert_eq!(full.code, 1, "{}", full.out);
    assert_eq!(exported(server, "here"), there);
    done(client, &["seats", "--instance", "server", "--set", "3"]);
    done(client, &import);
    let kept = exported(client, "server");
    assert!(kept.contains("admin") && kept.contains("eve"), "{kept}");
    done(client, &[&import[..], &["--update"]].concat());
    assert!(!exported(client, "server").contains("admin"));
    connected.serving.end();
}

#[test]
fn api_keys_of_a_connected_instance_are_made_and_revoked_at_the_gateway() {
    let connected = Connected::new();
    let (server, client) = (connected.server.path(), connected.client.path());
    done(
        client,
        &[
            "api-key",
            "make",
            "CRM",
            "--scope",
            "users:read",
            "--instance",
            "server",
        ],
    );
    for (folder, instance) in [(server, "here"), (client, "server")] {
        let keys = done(folder, &["api-key", "list", "--instance", instance]);
        let names = keys["api_keys"].as_array().unwrap().iter();
        let names: Vec<&str> = names.map(|key| key["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["laptop", "CRM"], "{instance}");
    }
    let admin = [
        "api-key",
        "make",
        "two",
        "--scope",
        "admin",
        "--instance",
        "server",
    ];
    assert_eq!(refused(client, &admin), "on_gateway");
    done(
        client,
        &["api-key", "revoke", "CRM", "--instance", "server"],
    );
    let keys = done(server, &["api-key", "list", "--instance", "here"]);
    assert_eq!(keys["api_keys"].as_array().unwrap().len(), 1);
    connected.serving.end();
}

#[test]
fn a_message_names_the_instance_as_its_gateway_does() {
    let connected = Connected::new();
    let client = connected.client.path();
    let link = ["link", "--instance", "server", "--user-id", "ada"];
    let made = done(client, &[&link[..], &["--as", "message"]].concat());
    let message = made["message"].as_str().unwrap();
    assert!(message.contains("signs you in to Here:"), "{message}");
    let copy = ["links", "copy", "--instance", "server"];
    let id = made["id"].as_str().unwrap();
    let copied = done(client, &[&copy[..], &[id, "--as", "message"]].concat());
    assert_eq!(copied["message"], made["message"]);
    connected.serving.end();
}

#[test]
fn the_signing_keys_of_a_connected_instance_are_rotated_at_its_gateway() {
    let connected = Connected::new();
    let client = connected.client.path();
    let keys = |arguments: &[&str]| {
        let named = ["--instance", "server"];
        let done = done(client, &[&["keys"], arguments, &named].concat());
        done["signing_keys"].as_array().unwrap().clone()
    };
    let link = |user: &str| {
        let made = done(client, &["link", "--instance", "server", "--user-id", user]);
        made["link"].as_str().unwrap().to_owned()
    };
    let redeem = |link: &str| {
        let redeem = ["--json", "redeem", "--instance", "server", link];
        at(client, &redeem, "").json()["verdict"].clone()
    };
    let old = link("ada");
    let before = keys(&["list"]);
    let rotated = keys(&["rotate", "--retire-after", "7d"]);
    assert_eq!(rotated[1]["id"], before[0]["id"]);
    assert_eq!(redeem(&old), "provisioned");
    let new = link("bob");
    let leaked = rotated[0]["id"].as_str().unwrap();
    let given_up = keys(&["retire", leaked, "--leaked"]);
    assert_eq!(given_up.len(), 2);
    let list = ["activity", "list", "--instance", "server"];
    let activity = done(client, &list).to_string();
    for (event, is_recorded) in [
        ("key_rotated", true),
        ("key_leaked", true),
        ("secret_shown", false),
    ] {
        assert_eq!(activity.contains(event), is_recorded, "{event}: {activity}");
    }
    assert_eq!(redeem(&new), "bad_signature");
    assert_eq!(redeem(&old), "signed_in");
    let retiring = rotated[1]["id"].as_str().unwrap();
    assert_eq!(keys(&["retire", retiring]).len(), 1);
    assert_eq!(redeem(&old), "bad_signature");
    let unknown = ["keys", "retire", retiring, "--instance", "server"];
    assert_eq!(refused(client, &unknown), "unknown_signing_key");
}

#[test]
fn a_gateway_elsewhere_makes_a_short_link_that_works_there() {
    let connected = Connected::new();
    let client = connected.client.path();
    let command = ["link", "--instance", "server", "--user-id", "ada"];
    assert_eq!(done(client, &command)["short"], Value::Null);
    let made = done(client, &[&command[..], &["--short"]].concat());
    let short = made["short"].as_str().unwrap();
    let path = short.strip_prefix("HTTP://LOCALHOST:8787").unwrap();
    let opens = || connected.serving.get(path, "").starts_with("HTTP/1.1 303");
    assert!(opens());
    let id = made["id"].as_str().unwrap();
    let shown = done(client, &["links", "--instance", "server", "show", id]);
    assert_eq!(shown["link"]["has_short"], true);
    assert_eq!(shown["link"]["used"], 1);
    done(client, &["links", "--instance", "server", "revoke", id]);
    assert!(!opens());
    connected.serving.end();
}

#[test]
fn a_link_that_does_not_fit_into_a_qr_code_is_not_made_at_the_gateway() {
    let connected = Connected::new();
    let client = connected.client.path();
    let metadata = format!("about={}", "x".repeat(3_000));
    let long = [
        "link",
        "--instance",
        "server",
        "--user-id",
        "ada",
        "--metadata",
        &metadata,
    ];
    assert_eq!(
        refused(client, &[&long[..], &["--as", "qr"]].concat()),
        "qr_too_dense"
    );
    let listed = done(client, &["links", "--instance", "server", "list"]);
    assert_eq!(listed["total"], 0);
    connected.serving.end();
}
