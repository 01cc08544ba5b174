//! Tests of connecting to a gateway on another computer, which another data folder plays: with keys of
//! few scopes, and again with another key.

use crate::connected::{Connected, at, done, pairing, refused};
use crate::run::until;
use crate::serve::{FREE, Serving, folder};

#[test]
fn a_revoked_key_is_named_and_the_instance_is_connected_again() {
    let connected = Connected::new();
    let (server, client) = (connected.server.path(), connected.client.path());
    done(
        server,
        &["api-key", "revoke", "laptop", "--instance", "here"],
    );
    let seats = ["--json", "seats", "--instance", "server"];
    until("the key is refused", || at(client, &seats, "").code == 1);
    assert_eq!(
        refused(client, &["seats", "--instance", "server"]),
        "key_refused"
    );
    let shown = done(client, &["instance", "show", "server"]);
    let old = shown["connection"]["key_id"].as_str().unwrap().to_owned();
    let string = pairing(server, "laptop 2");
    let again = ["instance", "connect", &string, "--name", "server"];
    let again = at(client, &again, "");
    assert_eq!(again.code, 0, "{}", again.err);
    let revoke = format!("api-key revoke --instance here {old}");
    assert!(again.err.contains(&revoke), "{}", again.err);
    done(client, &["seats", "--instance", "server"]);
    let removed = at(client, &["instance", "remove", "server", "--yes"], "");
    assert_eq!(removed.code, 0, "{}", removed.err);
    assert!(
        removed.err.contains("api-key revoke --instance here"),
        "{}",
        removed.err
    );
    connected.serving.end();
}

#[test]
fn a_key_of_a_narrow_scope_connects_by_url_and_fingerprint_and_reads_only() {
    let (server, client) = (folder(), tempfile::tempdir().unwrap());
    let serving = Serving::new(server.path(), &["--admin-listen", FREE]);
    let scope = ["--scope", "users:read", "--instance", "here"];
    let key = at(
        server.path(),
        &[&["api-key", "make", "reader"], &scope[..]].concat(),
        "",
    );
    let file = client.path().join("key");
    std::fs::write(&file, &key.out).unwrap();
    let url = format!(
        "https://{}",
        serving.said["admin"]["address"].as_str().unwrap()
    );
    let by_key = ["--url", &url, "--key-file", file.to_str().unwrap()];
    let connect = [&["instance", "connect", "--name", "Server"], &by_key[..]].concat();
    assert_eq!(refused(client.path(), &connect), "wrong_certificate");
    let fingerprint = serving.said["admin"]["fingerprint"].as_str().unwrap();
    done(
        client.path(),
        &[&connect[..], &["--fingerprint", fingerprint]].concat(),
    );
    let listed = done(client.path(), &["instance", "list"]);
    let url = &listed["instances"][0]["url"];
    assert_eq!(
        url, "http://localhost:8787/",
        "not that of the administration"
    );
    let users = done(client.path(), &["users", "--instance", "server", "list"]);
    assert_eq!(users["total"], 0);
    let add = ["users", "--instance", "server", "add", "ada"];
    assert_eq!(refused(client.path(), &add), "scope_missing");
    serving.end();
}

#[test]
fn settings_that_a_key_may_not_read_are_said_to_be_unknown_until_a_better_key_connects_again() {
    let (server, client) = (folder(), tempfile::tempdir().unwrap());
    let set = ["instance", "set", "here", "--lifetime", "2 days"];
    done(server.path(), &set);
    let serving = Serving::new(server.path(), &["--admin-listen", FREE]);
    let (address, fingerprint) = (
        serving.said["admin"]["address"].as_str().unwrap(),
        serving.said["admin"]["fingerprint"].as_str().unwrap(),
    );
    let url = format!("https://{address}");
    let connect = |scope: &str| {
        let command = ["api-key", "make", scope, "--scope", scope];
        let made = at(
            server.path(),
            &[&command[..], &["--instance", "here"]].concat(),
            "",
        );
        let file = client.path().join("key");
        std::fs::write(&file, &made.out).unwrap();
        let by_key = ["--url", &url, "--key-file", file.to_str().unwrap()];
        let named = ["--name", "Server", "--fingerprint", fingerprint];
        done(
            client.path(),
            &[&["instance", "connect"], &by_key[..], &named].concat(),
        )
    };
    let narrow = connect("links");
    assert_eq!(narrow["connection"]["settings_read"], false);
    for unknown in ["policy", "lifetime", "retention", "secret", "message"] {
        assert_eq!(narrow.get(unknown), None, "{unknown}: {narrow}");
    }
    let shown = at(client.path(), &["instance", "show", "server"], "");
    assert!(
        shown.out.contains("settings                not known"),
        "{}",
        shown.out
    );
    assert!(
        shown
            .err
            .contains("Only its name and its URL are known here."),
        "{}",
        shown.err
    );
    // The gateway knows the lifetime, and the message has the text that is known here.
    let link = ["link", "--instance", "server", "--user-id", "ada"];
    let made = done(client.path(), &[&link[..], &["--as", "message"]].concat());
    let claims = &made["claims"];
    let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(lifetime, 2 * 86_400);
    assert_eq!(made["warnings"][0]["code"], "settings_not_known");

    let again = connect("links,activity");
    assert_ne!(
        again["connection"]["key_id"],
        narrow["connection"]["key_id"]
    );
    assert_eq!(again["connection"]["settings_read"], false);
    done(client.path(), &["activity", "list", "--instance", "server"]);

    let string = pairing(server.path(), "admin");
    let connect = ["instance", "connect", &string, "--name", "Server"];
    let wide = done(client.path(), &connect);
    assert_eq!(wide["connection"]["settings_read"], true);
    assert_eq!(wide["lifetime"], "2 days");
    let listed = done(client.path(), &["instance", "list"]);
    assert_eq!(listed["instances"].as_array().unwrap().len(), 1);
    serving.end();
}

#[test]
fn connecting_again_without_a_name_replaces_the_key_of_the_same_instance() {
    let (server, client) = (folder(), tempfile::tempdir().unwrap());
    let serving = Serving::new(server.path(), &["--admin-listen", FREE]);
    let mut keys = Vec::new();
    for name in ["laptop", "laptop 2"] {
        let string = pairing(server.path(), name);
        let connected = done(client.path(), &["instance", "connect", &string]);
        assert_eq!(connected["name"], "Here");
        keys.push(connected["connection"]["key_id"].clone());
    }
    assert_ne!(keys[0], keys[1]);
    let listed = done(client.path(), &["instance", "list"]);
    assert_eq!(listed["instances"].as_array().unwrap().len(), 1);
    done(client.path(), &["seats", "--instance", "here"]);
    serving.end();
}
