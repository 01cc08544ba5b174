//! Tests of a gateway that alone has the secret, because it was started with it: the commands let it
//! sign.

use std::path::Path;

use serde_json::Value;

use crate::requests::{ask, path_of};
use crate::run::{Ran, SECRET, in_folder};
use crate::serve::{Serving, run};

/// Returns a folder with the instance `Here`, which keeps no secret.
fn without_secret() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let add = ["--url", "http://localhost:8787", "--no-secret"];
    run(
        folder.path(),
        &[&["instance", "add", "Here"][..], &add].concat(),
    );
    folder
}

/// Starts the gateway with the secret.
fn serve(folder: &Path) -> Serving {
    let secret = folder.join("secret");
    std::fs::write(&secret, SECRET).unwrap();
    Serving::new(folder, &["--secret-file", secret.to_str().unwrap()])
}

fn here(folder: &Path, arguments: &[&str]) -> Ran {
    in_folder(
        folder,
        &[&["--json"], arguments, &["--instance", "here"]].concat(),
    )
}

fn done(folder: &Path, arguments: &[&str]) -> Value {
    let ran = here(folder, arguments);
    assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
    ran.json()
}

#[test]
fn a_running_gateway_that_alone_has_the_secret_signs_links() {
    let folder = without_secret();
    let at = folder.path();
    let link = ["link", "--user-id", "ada"];
    let no_secret = (2, "usage".to_owned(), Some("secret-file".to_owned()));
    assert_eq!(here(at, &link).refusal(), no_secret);
    let serving = serve(at);
    let made = done(at, &link);
    assert_eq!(made["claims"]["user"]["id"], "ada");
    let path = path_of(made["link"].as_str().unwrap());
    assert!(serving.get(&path, "").starts_with("HTTP/1.1 303"));
    let activity = done(at, &["activity", "list"]);
    let entry = &activity["entries"][1];
    assert_eq!(
        (&entry["code"], &entry["actor"]),
        (&"link_made".into(), &"command_line".into())
    );
    serving.end();
}

#[test]
fn a_running_gateway_that_alone_has_the_secret_gives_links_out_again_and_grants_requests() {
    let folder = without_secret();
    let at = folder.path();
    let serving = serve(at);
    let made = done(at, &["link", "--user-id", "ada", "--uses", "1"]);
    let copy = ["links", "copy", made["id"].as_str().unwrap()];
    let copied = done(at, &copy);
    assert_eq!(copied["code"], made["code"]);
    let activity = done(at, &["activity", "list"]);
    let last = &activity["entries"][0];
    assert_eq!(
        (&last["code"], &last["actor"]),
        (&"link_given_out".into(), &"command_line".into())
    );

    ask(&serving, &path_of(made["link"].as_str().unwrap()));
    let open = done(at, &["requests", "list"]);
    let number = open["requests"][0]["number"].to_string();
    let grant = ["requests", "grant", &number];
    let granted = done(at, &grant);
    assert_eq!(granted["claims"]["id"], "ada");
    assert_eq!(
        done(at, &["requests", "list"])["requests"],
        Value::Array(vec![])
    );
    serving.end();
    // Nobody can sign now, and the sentence says so.
    let again = done(at, &["links", "list"])["links"][1]["id"].clone();
    let refused = here(at, &["links", "copy", again.as_str().unwrap()]);
    let no_secret = (2, "usage".to_owned(), Some("secret-file".to_owned()));
    assert_eq!(refused.refusal(), no_secret);
}
