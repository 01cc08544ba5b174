//! Tests of warnings about links that their instance will refuse, and about settings that are
//! probably mistakes.

use std::path::Path;

use serde_json::Value;

use crate::run::{hosted_here, in_folder};

fn set(folder: &Path, arguments: &[&str]) {
    let ran = in_folder(folder, &[&["instance", "set", "here"], arguments].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
}

fn warnings_of(answer: &Value) -> Vec<String> {
    let warnings = answer["warnings"].as_array().unwrap();
    let code = |warning: &Value| warning["code"].as_str().unwrap().to_owned();
    warnings.iter().map(code).collect()
}

/// Makes a link. Returns the codes of its warnings.
fn link(folder: &Path, arguments: &[&str]) -> Vec<String> {
    let all = [&["--json", "link", "--instance", "here"], arguments].concat();
    let ran = in_folder(folder, &all);
    assert_eq!(ran.code, 0, "{}", ran.err);
    warnings_of(&ran.json())
}

#[test]
fn a_link_that_its_instance_will_refuse_is_warned_of() {
    let folder = hosted_here("https://a.b");
    let folder = folder.path();
    let new = ["--user-id", "ada"];
    let forever = ["--user-id", "ada", "--expires-in", "never"];
    assert_eq!(link(folder, &new), [""; 0]);
    assert_eq!(link(folder, &forever), ["never_expires"]);
    let foreign = ["--user-id", "ada", "--audience", "https://other.example"];
    assert_eq!(link(folder, &foreign), ["wrong_audience"]);

    set(folder, &["--require-expiry", "yes"]);
    assert_eq!(
        link(folder, &forever),
        ["expiry_required"],
        "it must not say that the link never expires"
    );
    set(folder, &["--provisioning", "no"]);
    assert_eq!(link(folder, &new), ["provisioning_off"]);
    let add = ["users", "add", "bob", "--instance", "here"];
    assert_eq!(in_folder(folder, &add).code, 0);
    assert_eq!(link(folder, &["--id", "bob"]), [""; 0]);
    assert_eq!(link(folder, &["--user-id", "bob"]), [""; 0]);
    set(folder, &["--external-auth", "no"]);
    assert_eq!(link(folder, &["--id", "ada"]), ["external_auth_off"]);

    set(folder, &["--hosted", "elsewhere"]);
    assert_eq!(
        link(folder, &new),
        [""; 0],
        "the settings of the other server are unknown"
    );
    let once = ["--user-id", "ada", "--single-use"];
    assert_eq!(link(folder, &once), ["single_use_elsewhere"]);
}

#[test]
fn a_link_that_is_signed_with_another_secret_than_the_instances_is_warned_of() {
    let folder = hosted_here("https://a.b");
    let other = folder.path().join("other");
    std::fs::write(&other, "another-secret-of-more-than-thirty-two-bytes").unwrap();
    let path = other.to_str().unwrap();
    let with_other = ["--user-id", "ada", "--secret-file", path];
    assert_eq!(link(folder.path(), &with_other), ["bad_signature"]);
    let same = folder.path().join("secret");
    let with_own = ["--user-id", "ada", "--secret-file", same.to_str().unwrap()];
    assert_eq!(link(folder.path(), &with_own), [""; 0]);
}

#[test]
fn a_link_for_a_user_who_cannot_sign_in_is_warned_of() {
    let folder = hosted_here("https://a.b");
    let folder = folder.path();
    let users = |arguments: &[&str]| {
        let all = [&["users", "--instance", "here"], arguments].concat();
        let ran = in_folder(folder, &all);
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
    };
    assert_eq!(link(folder, &["--id", "ada"]), ["unknown_user"]);
    users(&["add", "ada"]);
    assert_eq!(link(folder, &["--id", "ada"]), [""; 0]);
    let made = ["link", "--instance", "here", "--id", "ada"];
    let made = in_folder(folder, &[&["--json"], &made[..]].concat()).json();
    users(&["suspend", "ada"]);
    assert_eq!(link(folder, &["--id", "ada"]), ["user_suspended"]);
    assert_eq!(link(folder, &["--user-id", "ada"]), ["user_suspended"]);
    let copy = ["links", "copy", made["id"].as_str().unwrap()];
    let copy = [&["--json"], &copy[..], &["--instance", "here"]].concat();
    let copied = in_folder(folder, &copy).json();
    assert_eq!(warnings_of(&copied), ["user_suspended"]);
    let said = in_folder(folder, &["link", "--instance", "here", "--id", "ada"]);
    assert_eq!(
        said.err.trim(),
        "warning: 'Here' refuses the link. ada is suspended. Reactivate the user first."
    );
    users(&["reactivate", "ada"]);
    users(&["remove", "ada", "--yes"]);
    // A new link for a removed person works, and needs no warning.
    assert_eq!(link(folder, &["--user-id", "ada"]), [""; 0]);
    let seats = ["seats", "--instance", "here", "--set", "0"];
    assert_eq!(in_folder(folder, &seats).code, 0);
    assert_eq!(link(folder, &["--user-id", "carl"]), ["no_seats"]);
}

#[test]
fn an_end_of_the_account_in_a_link_for_a_known_user_is_warned_of() {
    let folder = hosted_here("https://a.b");
    let guest = ["--user-id", "ada", "--account-ends", "14 days"];
    assert_eq!(link(folder.path(), &guest), [""; 0]);
    let add = ["users", "add", "ada", "--instance", "here"];
    assert_eq!(in_folder(folder.path(), &add).code, 0);
    assert_eq!(link(folder.path(), &guest), ["account_exists"]);
    let in_text = [&["link", "--instance", "here"], &guest[..]].concat();
    let said = in_folder(folder.path(), &in_text).err;
    let hint = "hint: latchkey users extend --instance here ID --until WHEN";
    assert!(said.contains(hint), "{said}");
    assert_eq!(link(folder.path(), &["--user-id", "ada"]), [""; 0]);
}

#[test]
fn a_link_that_replaces_older_ones_before_it_works_is_warned_of() {
    let folder = hosted_here("https://a.b");
    let later = ["--user-id", "ada", "--not-before", "2036-11-29T23:10:00Z"];
    assert_eq!(link(folder.path(), &later), [""; 0]);
    let replacing = [&later[..], &["--supersede"]].concat();
    assert_eq!(link(folder.path(), &replacing), ["replaces_early"]);
    let now = ["--user-id", "ada", "--supersede"];
    assert_eq!(link(folder.path(), &now), [""; 0]);
    set(folder.path(), &["--supersede", "on"]);
    assert_eq!(link(folder.path(), &later), ["replaces_early"]);
}

#[test]
fn a_link_that_outlives_its_signing_key_is_warned_of() {
    let folder = hosted_here("https://a.b");
    let folder = folder.path();
    let made = ["--json", "link", "--instance", "here", "--user-id", "ada"];
    let made = in_folder(folder, &made).json();
    let rotate = ["keys", "rotate", "--instance", "here"];
    let rotate = [&rotate[..], &["--retire-after", "2d"]].concat();
    assert_eq!(in_folder(folder, &rotate).code, 0);
    let copy = ["links", "copy", made["id"].as_str().unwrap()];
    let copy = [&["--json"], &copy[..], &["--instance", "here"]].concat();
    let copied = in_folder(folder, &copy);
    assert_eq!(copied.code, 0, "{}", copied.err);
    assert_eq!(warnings_of(&copied.json()), ["outlives_key"]);
    let old = folder.join("secret");
    let with_old = ["--user-id", "ada", "--secret-file", old.to_str().unwrap()];
    assert_eq!(link(folder, &with_old), ["outlives_key"]);
    let short = [&with_old[..], &["--expires-in", "1d"]].concat();
    assert_eq!(link(folder, &short), [""; 0]);
    assert_eq!(link(folder, &["--user-id", "ada"]), [""; 0]);
}

#[test]
fn the_lifetime_of_a_link_that_starts_later_runs_from_its_start() {
    let folder = hosted_here("https://a.b");
    let later = [
        "--user-id",
        "ada",
        "--expires-in",
        "2h",
        "--not-before",
        "2099-01-01T00:00:00Z",
    ];
    let all = [&["--json", "link", "--instance", "here"][..], &later].concat();
    let ran = in_folder(folder.path(), &all);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.json()["expires_at"], "2099-01-01T02:00:00Z");
}

#[test]
fn settings_that_are_probably_mistakes_are_warned_of() {
    let folder = hosted_here("https://a.b");
    let folder = folder.path();
    let shown = || warnings_of(&in_folder(folder, &["--json", "instance", "show", "here"]).json());
    assert_eq!(shown(), [""; 0]);
    set(folder, &["--keep-activity", "30s"]);
    assert_eq!(shown(), ["short_retention"]);
    set(
        folder,
        &[
            "--keep-activity",
            "30d",
            "--session",
            "1h",
            "--session-idle",
            "40d",
        ],
    );
    assert_eq!(shown(), ["idle_beyond_session"]);
    set(folder, &["--session", "1s", "--session-idle", "never"]);
    assert_eq!(shown(), ["short_session"]);
    set(
        folder,
        &[
            "--session",
            "1d",
            "--lifetime",
            "never",
            "--require-expiry",
            "yes",
        ],
    );
    assert_eq!(shown(), ["default_link_refused"]);
    let said = in_folder(folder, &["instance", "show", "here"]).err;
    assert!(said.contains("warning: Links have no expiry"), "{said}");
}

#[test]
fn a_negative_or_too_long_time_is_refused_with_its_reason() {
    let folder = hosted_here("https://a.b");
    for (arguments, said) in [
        (
            &["instance", "set", "here", "--session", "0d"][..],
            "shorter than a second",
        ),
        (
            &["instance", "set", "here", "--session", "-1d"],
            "shorter than a second",
        ),
        (
            &["instance", "set", "here", "--lifetime", "9999999d"],
            "longer than a hundred years",
        ),
        (
            &["instance", "set", "here", "--keep-refusals", "-5"],
            "not negative",
        ),
        (
            &["seats", "--instance", "here", "--set", "-1"],
            "not negative, or none",
        ),
        (
            &["users", "list", "--instance", "here", "--limit", "0"],
            "at least 1",
        ),
    ] {
        let ran = in_folder(folder.path(), arguments);
        assert_eq!(ran.code, 2, "{arguments:?}");
        assert!(ran.err.contains(said), "{arguments:?}: {}", ran.err);
        assert!(!ran.err.contains("the link"), "{arguments:?}: {}", ran.err);
    }
}
