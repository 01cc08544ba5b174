use std::path::Path;

use serde_json::json;

use crate::run::{SECRET, hosted_here, in_folder, latchkey};

fn add(folder: &Path, arguments: &[&str]) {
    let mut all = vec!["instance", "add"];
    all.extend(arguments);
    let ran = in_folder(folder, &all);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn an_instance_keeps_its_secret_and_signs_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let file = folder.join("secret");
    std::fs::write(&file, SECRET).unwrap();
    add(
        folder,
        &[
            "Acme",
            "--url",
            "https://chat.acme.example",
            "--hosted",
            "elsewhere",
            "--lifetime",
            "12h",
            "--param",
            "token",
            "--secret-file",
            file.to_str().unwrap(),
        ],
    );
    std::fs::remove_file(&file).unwrap();

    let link = in_folder(folder, &["link", "--instance", "acme", "--email", "a@b.cd"]);
    assert_eq!(link.code, 0, "{}", link.err);
    assert!(
        link.out.starts_with("https://chat.acme.example/?token=ey"),
        "{}",
        link.out
    );
    let outside = latchkey(
        &["--json", "inspect", "-", "--param", "token"],
        &[("LATCHKEY_SECRET", SECRET)],
        link.out.as_bytes(),
    );
    assert_eq!(outside.code, 0, "{}", outside.err);
    assert_eq!(outside.json()["times"][1]["words"], "in 12 hours");
    let inside = in_folder(
        folder,
        &["--json", "inspect", link.out.trim(), "--instance", "Acme"],
    );
    assert_eq!(inside.json()["verification"]["verified"], json!(true));

    let shown = in_folder(folder, &["--json", "instance", "show", "Acme"]);
    assert_eq!(shown.json()["secret"]["origin"], "pasted");
    assert!(!shown.out.contains(SECRET));
    assert!(
        !in_folder(folder, &["instance", "show", "Acme"])
            .out
            .contains(SECRET)
    );
}

#[test]
fn a_wrong_passphrase_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    add(folder.path(), &["Acme", "--url", "https://a.b"]);
    let environment = [
        ("LATCHKEY_DATA_DIR", folder.path().to_str().unwrap()),
        ("LATCHKEY_PASSPHRASE", "wrong"),
    ];
    let link = ["--json", "link", "--instance", "acme", "--email", "a@b.cd"];
    assert_eq!(
        latchkey(&link, &environment, b"").refusal(),
        (1, "wrong_passphrase".into(), Some("passphrase".into()))
    );
    let without = latchkey(&link, environment.get(..1).unwrap(), b"");
    assert_eq!(
        without.refusal().0,
        2,
        "without a secret it says how to give one"
    );
}

#[test]
fn instances_are_listed_changed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let none = in_folder(folder, &["instance", "list"]);
    assert!(none.err.contains("no instance yet"), "{}", none.err);
    assert_eq!(none.out, "");
    add(folder, &["One", "--url", "https://one.example"]);
    add(
        folder,
        &["Two", "--url", "https://two.example", "--no-secret"],
    );
    assert_eq!(
        in_folder(folder, &["instance", "list"]).out.lines().count(),
        2
    );

    let taken = in_folder(
        folder,
        &["--json", "instance", "add", "one", "--url", "https://x.y"],
    );
    assert_eq!(
        taken.refusal(),
        (1, "instance_exists".into(), Some("name".into()))
    );
    let dictated = in_folder(
        folder,
        &[
            "--json",
            "instance",
            "add",
            "Three",
            "--url",
            "https://x.y",
            "--hosted",
            "elsewhere",
        ],
    );
    assert_eq!(
        dictated.refusal().0,
        2,
        "an instance hosted elsewhere has its own secret"
    );

    let set = in_folder(
        folder,
        &[
            "--json",
            "instance",
            "set",
            "one",
            "--name",
            "First",
            "--algorithm",
            "HS512",
            "--require-expiry",
            "yes",
            "--generate-secret",
        ],
    );
    assert_eq!(set.code, 0, "{}", set.err);
    let shown = in_folder(folder, &["--json", "instance", "show", "first"]).json();
    assert_eq!(
        (&shown["id"], &shown["algorithm"]),
        (&json!("one"), &json!("HS512"))
    );
    assert_eq!(shown["policy"]["require_expiry"], json!(true));

    let refused = in_folder(
        folder,
        &["--json", "link", "--instance", "two", "--email", "a@b.cd"],
    );
    assert_eq!(refused.refusal().0, 2, "it has no secret");
    assert_eq!(
        in_folder(folder, &["--json", "instance", "remove", "first"])
            .refusal()
            .0,
        2,
        "without --yes"
    );
    assert_eq!(
        in_folder(folder, &["instance", "remove", "first", "--yes"]).code,
        0
    );
    assert_eq!(
        in_folder(folder, &["--json", "instance", "show", "first"])
            .refusal()
            .1,
        "unknown_instance"
    );
}

#[test]
fn damaged_files_are_reported_with_a_way_out_that_works() {
    let folder = hosted_here("http://localhost:4711");
    let folder = folder.path();
    let settings = folder.join("instances/here/instance.json");
    let sealed = folder.join("keys.sealed");
    std::fs::write(&sealed, "rubbish").unwrap();
    let refused = in_folder(folder, &["link", "--instance", "Here", "--id", "1"]);
    assert!(refused.err.contains("secret start-anew"), "{}", refused.err);
    let started = in_folder(folder, &["secret", "start-anew", "--yes"]);
    assert_eq!(started.code, 0, "{}", started.err);
    assert!(
        started.out.contains("keys.sealed.before-"),
        "{}",
        started.out
    );
    assert!(started.out.contains("again: Here."), "{}", started.out);
    // The second time, no instance needs its secret again, so no list is printed.
    std::fs::write(&sealed, "rubbish").unwrap();
    let started = in_folder(folder, &["secret", "start-anew", "--yes"]);
    assert!(
        started.out.contains("No instance had a secret"),
        "{}",
        started.out
    );

    std::fs::write(&settings, "{").unwrap();
    let refused = in_folder(folder, &["instance", "show", "here"]);
    assert!(
        refused.err.contains("remove the instance 'here'"),
        "{}",
        refused.err
    );
    let removed = in_folder(folder, &["instance", "remove", "here", "--yes"]);
    assert_eq!(removed.code, 0, "{}", removed.err);
    assert!(!settings.exists());
}

#[cfg(unix)]
#[test]
fn an_instance_that_could_not_be_written_leaves_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let add = "instance add Second --url http://localhost:4711 --no-secret";
    let program = env!("CARGO_BIN_EXE_latchkey");
    // Files cannot grow, as on a full disk.
    let full = format!("trap '' XFSZ; ulimit -f 0; exec {program} {add}");
    let ran = std::process::Command::new("sh")
        .args(["-c", &full])
        .env_clear()
        .env("LATCHKEY_KEYCHAIN", "off")
        .env("LATCHKEY_DATA_DIR", folder.path())
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    assert!(!folder.path().join("instances/second").exists());
    let arguments: Vec<&str> = add.split(' ').chain(["--json"]).collect();
    let added = in_folder(folder.path(), &arguments);
    assert_eq!(added.json()["id"], "second", "{}", added.err);
}

#[test]
fn a_sealed_file_with_a_forgotten_passphrase_can_be_replaced() {
    let folder = hosted_here("http://localhost:4711");
    let with_other = |arguments: &[&str]| {
        let environment = [
            ("LATCHKEY_DATA_DIR", folder.path().to_str().unwrap()),
            ("LATCHKEY_PASSPHRASE", "tulips behind nine windmills"),
        ];
        latchkey(arguments, &environment, b"")
    };
    let link = ["link", "--instance", "Here", "--id", "1"];
    assert_eq!(with_other(&link).code, 1, "it is another passphrase");
    let asked = with_other(&["secret", "start-anew"]);
    assert_eq!(asked.code, 2, "nobody agreed: {}", asked.err);
    let started = with_other(&["--json", "secret", "start-anew", "--yes"]);
    assert_eq!(started.json()["without_secret"], json!(["here"]));
    let kept = started.json()["kept_file"].as_str().unwrap().to_owned();
    assert!(Path::new(&kept).is_file(), "{kept}");
    // The passphrase opens the new file, so its keys are not given up.
    let again = with_other(&["secret", "start-anew", "--yes"]);
    assert_eq!(again.code, 1, "{}", again.out);
    assert!(again.err.contains("opens the sealed file"), "{}", again.err);
    let without = with_other(&link);
    assert_ne!(without.code, 0, "the instance needs its secret again");
    let set = ["instance", "set", "Here", "--generate-secret"];
    assert_eq!(with_other(&set).code, 0);
    assert_eq!(with_other(&link).code, 0);
}

#[test]
fn only_the_help_for_a_new_instance_names_defaults_of_its_settings() {
    let help = |command| latchkey(&["instance", command, "--help"], &[], b"").out;
    let (add, set) = (help("add"), help("set"));
    assert!(add.matches("[default: ").count() > 10, "{add}");
    let defaults: Vec<_> = set.split("[default: ").skip(1).collect();
    for default in &defaults {
        let is_known = default.starts_with("the platform's]") || default.starts_with("text]");
        assert!(is_known, "{default}");
    }
    assert_eq!(defaults.len(), 2, "{set}");
    assert!(set.contains("Default lifetime of a link"), "{set}");
    assert!(!set.contains("Settings of an instance"), "{set}");
}

#[test]
fn the_first_passphrase_is_asked_for_as_one_that_is_to_be_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let environment = [("LATCHKEY_DATA_DIR", folder.path().to_str().unwrap())];
    let add = ["instance", "add", "Acme", "--url", "https://a.b"];
    let refused = latchkey(&add, &environment, b"");
    assert_eq!(refused.code, 2);
    assert!(
        refused.err.contains("which this command makes"),
        "{}",
        refused.err
    );
}
