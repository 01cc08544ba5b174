//! Tests of the field of an error, and of the names of settings.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::run::{hosted_here, in_folder};

const GUIDE: &str = include_str!("../../../guides/command-line.md");

type Case = (Vec<&'static str>, &'static str);

fn assert_named(cases: impl IntoIterator<Item = Case>) {
    let folder = hosted_here("https://a.bc");
    for (arguments, field) in cases {
        let arguments = [&["--json"], &arguments[..]].concat();
        let ran = in_folder(folder.path(), &arguments);
        assert_ne!(ran.code, 0, "{arguments:?}");
        let (_, _, found) = ran.refusal();
        assert_eq!(found.as_deref(), Some(field), "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn an_error_about_an_option_names_the_option() {
    let link = |more: &[&'static str]| [&["link", "--url", "https://a.bc"], more].concat();
    let user = |more: &[&'static str]| [&link(&["--user-id", "a"])[..], more].concat();
    assert_named([
        (vec!["link", "--url", "https://", "--id", "1"], "url"),
        (vec!["link", "--id", "1"], "url"),
        (
            vec!["link", "--instance", "nobody", "--id", "1"],
            "instance",
        ),
        (link(&["--email", "x"]), "email"),
        (link(&["--id", ""]), "id"),
        (link(&["--user-id", ""]), "user.id"),
        (user(&["--user-email", "x"]), "user.email"),
        (user(&["--metadata", "x"]), "metadata"),
        (user(&["--metadata-json", "/nonexistent"]), "metadata-json"),
        (link(&["--id", "1", "--expires-in", "soon"]), "expires-in"),
        (
            vec![
                "link",
                "--instance",
                "here",
                "--id",
                "1",
                "--not-before",
                "soon",
            ],
            "not-before",
        ),
        (link(&["--id", "1", "--algorithm", "x"]), "algorithm"),
        (link(&["--id", "1", "--param", "a b"]), "param"),
        (
            link(&["--id", "1", "--secret-file", "/nonexistent"]),
            "secret-file",
        ),
        (link(&["--id", "1"]), "secret-file"),
        (
            link(&["--id", "1", "--secret-encoding", "x"]),
            "secret-encoding",
        ),
        (
            link(&["--id", "1", "--secret-encoding", "hex"]),
            "secret-encoding",
        ),
        (link(&["--id", "1", "--as", "x"]), "as"),
        (link(&["--id", "1", "--qr", "code.txt"]), "qr"),
        (link(&["--id", "1", "--nothing"]), "nothing"),
    ]);
}

#[test]
fn an_error_about_an_option_of_an_instance_names_the_option() {
    let users = |more: &[&'static str]| [&["users", "--instance", "here"], more].concat();
    let activity =
        |more: &[&'static str]| [&["activity", "list", "--instance", "here"], more].concat();
    let serve = |more: &[&'static str]| [&["serve", "--instance", "here"], more].concat();
    let set = |more: &[&'static str]| [&["instance", "set", "here"], more].concat();
    assert_named([
        (vec!["inspect", "nothing.png"], "code"),
        (vec!["inspect", "nothing"], "code"),
        (vec!["inspect"], "code"),
        (vec!["users", "list"], "instance"),
        (users(&["list", "--status", "x"]), "status"),
        (users(&["list", "--origin", "x"]), "origin"),
        (users(&["list", "--sort", "x"]), "sort"),
        (users(&["list", "--limit", "0"]), "limit"),
        (users(&["list", "--after", "x"]), "after"),
        (users(&["show"]), "id"),
        (users(&["show", "nobody"]), "id"),
        (users(&["add", "ada", "--email", "x"]), "email"),
        (users(&["add", "ada", "--metadata", "x"]), "metadata"),
        (vec!["seats", "--instance", "here", "--set", "-1"], "set"),
        (activity(&["--kind", "x"]), "kind"),
        (activity(&["--before", "-1"]), "before"),
        (activity(&["--limit", "0"]), "limit"),
        (vec!["api-key", "make", " ", "--instance", "here"], "name"),
        (
            vec!["api-key", "make", "x", "--instance", "here", "--scope", "x"],
            "scope",
        ),
        (
            vec![
                "api-key",
                "make",
                "x",
                "--instance",
                "here",
                "--expires-in",
                "x",
            ],
            "expires-in",
        ),
        (vec!["api-key", "revoke", "x", "--instance", "here"], "key"),
        (serve(&["--listen", "x"]), "listen"),
        (
            serve(&["--tls-cert", "/nonexistent", "--tls-key", "/nonexistent"]),
            "tls-cert",
        ),
        (serve(&["--trusted-proxy", "x"]), "trusted-proxy"),
        (serve(&["--visits-per-second", "-4"]), "visits-per-second"),
        (
            serve(&["--api-requests-per-second", "many"]),
            "api-requests-per-second",
        ),
        (serve(&["--metrics", "0.0.0.0:0"]), "metrics"),
        (serve(&["--log", "x"]), "log"),
        (vec!["instance", "remove", "here"], "yes"),
        (vec!["instance", "show", "nobody"], "instance"),
        (set(&["--name", ""]), "name"),
        (set(&["--url", "https://"]), "url"),
        (set(&["--hosted", "x"]), "hosted"),
        (set(&["--param", "a b"]), "param"),
        (set(&["--algorithm", "x"]), "algorithm"),
        (set(&["--lifetime", "x"]), "lifetime"),
        (set(&["--external-auth", "x"]), "external-auth"),
        (set(&["--require-expiry", "x"]), "require-expiry"),
        (set(&["--provisioning", "x"]), "provisioning"),
        (set(&["--refresh-profile", "x"]), "refresh-profile"),
        (set(&["--sign-in", "x"]), "sign-in"),
        (set(&["--session", "x"]), "session"),
        (
            set(&["--session-ends-with-link", "x"]),
            "session-ends-with-link",
        ),
        (set(&["--session-idle", "1s"]), "session-idle"),
        (set(&["--return-to", "app..example"]), "return-to"),
        (set(&["--embed-in", "app..example"]), "embed-in"),
        (set(&["--keep-activity", "x"]), "keep-activity"),
        (set(&["--keep-refusals", "-1"]), "keep-refusals"),
        (set(&["--keep-links", "x"]), "keep-links"),
        (set(&["--audience", "a b"]), "audience"),
        (set(&["--message", "no link"]), "message"),
        (vec!["requests", "--instance", "here", "grant"], "number"),
        (
            vec!["requests", "--instance", "here", "dismiss", "x"],
            "number",
        ),
        (
            vec!["requests", "--instance", "here", "dismiss", "7"],
            "number",
        ),
        (set(&["--secret-encoding", "hex"]), "secret-encoding"),
        (vec!["completions", "x"], "shell"),
        (vec!["secret", "generate", "--algorithm", "x"], "algorithm"),
    ]);
}

#[test]
fn an_error_about_a_value_names_the_values_of_the_help() {
    let folder = hosted_here("https://a.bc");
    for (option, said) in [
        ("--supersede", "'--supersede <on|off>': must be on or off"),
        (
            "--require-expiry",
            "'--require-expiry <yes|no>': must be yes or no",
        ),
        ("--backups", "'--backups <daily|off>': must be daily or off"),
    ] {
        let set = ["instance", "set", "here", option, "maybe"];
        let ran = in_folder(folder.path(), &set);
        assert!(ran.err.contains(said), "{}", ran.err);
    }
}

/// Returns the rows of the guide: the option of a setting, and its member in JSON.
fn rows() -> Vec<(&'static str, &'static str)> {
    let lines = GUIDE.lines();
    let table = lines.skip_while(|line| !line.starts_with("| option of `instance set`"));
    let rows = table.skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let mut names = row.split('`').skip(1).step_by(2);
        (names.next().unwrap(), names.next().unwrap())
    })
    .collect()
}

fn member<'a>(value: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(value, |value, name| &value[name])
}

#[test]
fn the_guide_names_the_member_in_json_of_each_setting() {
    let folder = hosted_here("https://a.bc");
    let show = || in_folder(folder.path(), &["--json", "instance", "show", "here"]).json();
    for (option, path) in rows() {
        let value = match option {
            "--name" => "There",
            "--url" => "https://b.bc",
            "--hosted" => "elsewhere",
            "--param" => "code",
            "--algorithm" => "HS512",
            "--lifetime" | "--session" | "--session-idle" | "--keep-activity" | "--keep-links" => {
                "3 days"
            }
            "--sign-in" => "confirm",
            "--return-to" | "--embed-in" => "https://app.bc",
            "--keep-refusals" => "7",
            "--audience" => "acme",
            "--message" => "Hi {name}: {link}",
            "--backups" => "off",
            "--external-auth" | "--provisioning" | "--refresh-profile" => "no",
            "--require-expiry" | "--session-ends-with-link" | "--supersede" => "yes",
            other => panic!("{other} is no setting"),
        };
        let before = show();
        let set = in_folder(folder.path(), &["instance", "set", "here", option, value]);
        assert_eq!(set.code, 0, "{}", set.err);
        let after = show();
        let (was, is) = (member(&before, path), member(&after, path));
        assert!(
            !was.is_null() && was != is,
            "{option} is not {path}: {after}"
        );
        if option == "--supersede" {
            // Not possible together with another place.
            in_folder(folder.path(), &["instance", "set", "here", option, "off"]);
        }
    }
    let help = in_folder(folder.path(), &["instance", "set", "--help"]).out;
    let options = help.lines().filter_map(|line| {
        let option = line.trim_start().strip_prefix("--")?;
        option.split_once(" <").map(|(name, _)| format!("--{name}"))
    });
    let not_settings = [
        "--data-dir",
        "--secret-file",
        "--secret-encoding",
        "--retire-after",
        "--typingmind-region",
        "--typingmind-key-file",
    ];
    let settings: BTreeSet<String> = options
        .filter(|option| !not_settings.contains(&option.as_str()))
        .collect();
    let in_guide: BTreeSet<String> = rows()
        .iter()
        .map(|(option, _)| (*option).to_owned())
        .collect();
    assert_eq!(in_guide, settings);
}
