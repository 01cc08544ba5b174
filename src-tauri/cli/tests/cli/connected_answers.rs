//! Tests of answers of a gateway on another computer, which must be those that a command gives here.

use std::path::Path;

use crate::connected::{Connected, at, done, pairing};
use crate::serve::{FREE, Serving, folder};

/// Returns exit code, error code and field of a command that is refused.
fn refusal(folder: &Path, arguments: &[&str]) -> (i32, String, Option<String>) {
    at(folder, &[&["--json"], arguments].concat(), "").refusal()
}

#[test]
fn an_error_of_the_gateway_names_the_option_as_an_error_here_does() {
    let connected = Connected::new();
    let (server, client) = (connected.server.path(), connected.client.path());
    let ended = ["--user-id", "x", "--account-ends", "2020-01-01"];
    for (folder, instance) in [(server, "here"), (client, "server")] {
        let link = [&["link", "--instance", instance], &ended[..]].concat();
        let (code, error, field) = refusal(folder, &link);
        assert_eq!((code, error.as_str()), (1, "invalid_time"), "{instance}");
        assert_eq!(field.as_deref(), Some("account-ends"), "{instance}");
    }
    connected.serving.end();
}

/// Returns the folder of a new client of a gateway. The API key has one scope, which is also the name of
/// the instance there.
fn client_with(scope: &str, server: &Path, serving: &Serving) -> tempfile::TempDir {
    let listener = &serving.said["admin"];
    let url = format!("https://{}", listener["address"].as_str().unwrap());
    let fingerprint = listener["fingerprint"].as_str().unwrap();
    let make = ["api-key", "make", scope, "--scope", scope];
    let key = at(server, &[&make[..], &["--instance", "here"]].concat(), "");
    let client = tempfile::tempdir().unwrap();
    let file = client.path().join("key");
    std::fs::write(&file, &key.out).unwrap();
    let file = file.to_str().unwrap();
    let connect = ["instance", "connect", "--name", scope, "--url", &url];
    let by_key = ["--key-file", file, "--fingerprint", fingerprint];
    done(client.path(), &[&connect[..], &by_key].concat());
    client
}

#[test]
fn an_export_that_is_refused_writes_nothing() {
    let server = folder();
    let serving = Serving::new(server.path(), &["--admin-listen", FREE]);
    let client = client_with("users:read", server.path(), &serving);
    for what in ["links", "activity"] {
        let ran = at(
            client.path(),
            &[what, "export", "--instance", "users:read"],
            "",
        );
        assert_eq!((ran.code, &*ran.out), (1, ""), "{what}");
        assert!(ran.err.contains("scope_missing"), "{what}: {}", ran.err);
    }
    serving.end();
}

#[test]
fn ending_sessions_with_a_key_that_may_not_names_the_missing_scope_and_no_option() {
    let server = folder();
    let serving = Serving::new(server.path(), &["--admin-listen", FREE]);
    let add = ["users", "--instance", "here", "add", "fay"];
    done(server.path(), &add);
    for scope in ["links", "users:read"] {
        let client = client_with(scope, server.path(), &serving);
        for which in [&["--all"][..], &["--session", &"0".repeat(12)]] {
            let end = ["--json", "sessions", "end", "--instance", scope];
            let end = [&end[..], &["--user", "fay"], which].concat();
            let ran = at(client.path(), &end, "");
            let (code, error, field) = ran.refusal();
            assert_eq!((code, error.as_str()), (1, "scope_missing"), "{which:?}");
            assert_eq!(field, None, "{which:?}");
            assert!(ran.err.contains("'users'"), "{which:?}: {}", ran.err);
        }
    }
    serving.end();
}

#[test]
fn codes_that_wait_are_listed_over_a_connection_and_a_newer_one_replaces_them_with_a_word() {
    let connected = Connected::new();
    let (server, client) = (connected.server.path(), connected.client.path());
    let make = ["api-key", "make", "tablet", "--scope", "admin"];
    let make = [&make[..], &["--instance", "here"]].concat();
    let first = at(server, &make, "");
    assert!(
        !first.err.contains("does not work any more"),
        "{}",
        first.err
    );
    let here = done(server, &["api-key", "list", "--instance", "here"]);
    assert_eq!(here["pairings"][0]["name"], "tablet");
    let list = ["api-key", "list", "--instance", "server"];
    let there = done(client, &list);
    assert_eq!(there["pairings"], here["pairings"]);
    let listed = at(client, &list, "");
    assert!(listed.out.contains("waiting\ttablet"), "{}", listed.out);

    let second = at(server, &make, "");
    let said = "made before for 'tablet' does not work any more";
    assert!(second.err.contains(said), "{}", second.err);
    assert_eq!(done(server, &make)["replaced"], true);
    let connect = ["instance", "connect", "-", "--name", "Tablet"];
    let another = tempfile::tempdir().unwrap();
    let refused = at(another.path(), &connect, &first.out);
    let said = "or was replaced by a newer one";
    assert!(refused.err.contains(said), "{}", refused.err);

    let revoke = ["api-key", "revoke", "tablet", "--instance", "server"];
    done(client, &revoke);
    assert_eq!(done(client, &list)["pairings"].as_array().unwrap().len(), 0);
    pairing(server, "tablet");
    connected.serving.end();
}
