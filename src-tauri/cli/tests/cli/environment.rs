//! Tests of a secret in the environment beside instances with a secret of their own.

use std::path::Path;

use crate::run::{Ran, SECRET, hosted_here, latchkey};

const OTHER: &str = "another-secret-of-more-than-thirty-two-bytes";

/// Runs the program in a shell that has exported another secret.
fn with_other(folder: &Path, arguments: &[&str]) -> Ran {
    let environment = [
        ("LATCHKEY_DATA_DIR", folder.to_str().unwrap()),
        ("LATCHKEY_PASSPHRASE", "correct horse battery"),
        ("LATCHKEY_SECRET", OTHER),
    ];
    latchkey(arguments, &environment, b"")
}

/// Returns whether a link verifies with a secret.
fn verifies(link: &str, secret: &str) -> bool {
    latchkey(&["inspect", link], &[("LATCHKEY_SECRET", secret)], b"").code == 0
}

#[test]
fn an_instance_signs_with_its_own_secret_whatever_the_environment_has() {
    let folder = hosted_here("https://a.b");
    let made = with_other(
        folder.path(),
        &["link", "--instance", "here", "--user-id", "ada"],
    );
    let link = made.out.trim();
    assert!(verifies(link, SECRET), "{}", made.err);
    let inspected = with_other(folder.path(), &["inspect", "--instance", "here", link]);
    assert_eq!(inspected.code, 0, "{}", inspected.out);
    let redeemed = with_other(folder.path(), &["redeem", "--instance", "here", link]);
    assert_eq!(redeemed.code, 0, "{}", redeemed.out);
}

#[test]
fn an_instance_without_a_stored_secret_uses_that_of_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let add = [
        "instance",
        "add",
        "Here",
        "--url",
        "https://a.b",
        "--no-secret",
    ];
    assert_eq!(with_other(folder.path(), &add).code, 0);
    let made = with_other(
        folder.path(),
        &["link", "--instance", "here", "--user-id", "ada"],
    );
    assert!(verifies(made.out.trim(), OTHER), "{}", made.err);
}

#[test]
fn an_instance_that_is_added_here_gets_a_secret_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let add = |name: &str, arguments: &[&str]| {
        let add = ["--json", "instance", "add", name, "--url", "https://a.b"];
        with_other(folder.path(), &[&add[..], arguments].concat())
    };
    assert_eq!(add("Here", &[]).json()["secret"]["origin"], "generated");
    // An instance that is hosted elsewhere already has a secret, which the environment may contain.
    let elsewhere = add("There", &["--hosted", "elsewhere"]);
    assert_eq!(elsewhere.json()["secret"]["origin"], "pasted");
    let said = with_other(folder.path(), &["--help"]).out;
    assert!(said.contains("or the instance has no secret"), "{said}");
}
