//! Tests of `latchkey backup` and `latchkey restore`.

use std::fs;
use std::path::Path;

use crate::run::{Ran, hosted_here, latchkey};
use crate::serve::{Serving, folder, link, run};

const BACKUP_PASSPHRASE: &str = "another horse battery staple";

/// Runs a command with the passphrases of the sealed file and of backups.
fn with_passphrase(folder: &Path, arguments: &[&str], input: &[u8]) -> Ran {
    let environment = [
        ("LATCHKEY_DATA_DIR", folder.to_str().unwrap()),
        ("LATCHKEY_PASSPHRASE", "correct horse battery"),
        ("LATCHKEY_BACKUP_PASSPHRASE", BACKUP_PASSPHRASE),
    ];
    latchkey(arguments, &environment, input)
}

#[test]
fn an_instance_is_backed_up_while_its_gateway_runs_and_restored_elsewhere() {
    let here = folder();
    let link = link(here.path(), "ada");
    let serving = Serving::new(here.path(), &[]);
    assert!(serving.get(&link, "").starts_with("HTTP/1.1 303"));
    let file = here.path().join("backup");
    let path = file.to_str().unwrap();
    let backup = [
        "--json",
        "backup",
        "--instance",
        "here",
        "--out",
        path,
        "--with-keys",
    ];
    let made = with_passphrase(here.path(), &backup, b"");
    assert_eq!(made.code, 0, "{}", made.err);
    let made = made.json();
    assert_eq!(
        (made["users"].as_u64(), made["sessions"].as_u64()),
        (Some(1), Some(1))
    );
    let entries = ["activity", "list", "--instance", "here", "--limit", "1"];
    let entries = run(here.path(), &entries);
    assert!(entries.contains("backed_up"), "{entries}");
    serving.end();

    let there = tempfile::tempdir().unwrap();
    let restored = with_passphrase(there.path(), &["--json", "restore", path], b"");
    assert_eq!(restored.code, 0, "{}", restored.err);
    let restored = restored.json();
    assert_eq!(restored["instance"], "here");
    assert_eq!(
        (&restored["replaced"], &restored["signing_key"]),
        (&false.into(), &true.into())
    );
    assert_eq!(restored["entries"], made["entries"]);
    let shown = run(
        there.path(),
        &["users", "--instance", "here", "show", "ada"],
    );
    assert!(shown.contains("ada"), "{shown}");
    let serving = Serving::new(there.path(), &[]);
    assert!(serving.get(&link, "").starts_with("HTTP/1.1 303"));
    serving.end();
}

#[cfg(unix)]
#[test]
fn only_its_owner_reads_a_backup_and_an_older_one_is_replaced_whole() {
    use std::os::unix::fs::PermissionsExt as _;

    let here = hosted_here("https://a.bc");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup");
    fs::write(&file, "older").unwrap();
    let out = file.to_str().unwrap();
    let ran = with_passphrase(
        here.path(),
        &["backup", "--instance", "here", "--out", out],
        b"",
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.starts_with("Backed up 'Here' to "), "{}", ran.out);
    assert!(ran.err.contains("--with-keys"), "{}", ran.err);
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing is left"
    );
    let missing = folder.path().join("missing/backup");
    let missing = missing.to_str().unwrap();
    let refused = with_passphrase(
        here.path(),
        &["--json", "backup", "--instance", "here", "--out", missing],
        b"",
    );
    assert_eq!(refused.refusal().1, "storage");
}

#[test]
fn a_refused_restore_says_what_to_do_and_changes_nothing() {
    let here = hosted_here("https://a.bc");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup");
    let path = file.to_str().unwrap();
    let backup = ["backup", "--instance", "here", "--out", path, "--with-keys"];
    assert_eq!(with_passphrase(here.path(), &backup, b"").code, 0);
    let restore = |more: &[&str], input: &[u8]| {
        let ran = with_passphrase(here.path(), &[&["--json", "restore"], more].concat(), input);
        ran.refusal()
    };
    let replace = Some("replace".to_owned());
    assert_eq!(
        restore(&[path], b""),
        (1, "instance_exists".into(), replace)
    );
    let said = with_passphrase(here.path(), &["restore", path], b"").err;
    let hint = "hint: --replace replaces that instance, and --name NAME gives";
    assert!(said.contains(hint), "{said}");
    assert_eq!(restore(&["/nonexistent"], b"").1, "storage");
    let whole = fs::read(&file).unwrap();
    let cut = &whole[..whole.len() / 2];
    assert_eq!(restore(&["-", "--replace"], cut).1, "damaged_file");
    assert_eq!(restore(&["-", "--replace"], b"x").1, "damaged_file");
    let ran = with_passphrase(here.path(), &["restore", "-", "--replace"], &whole);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out.contains("It has replaced the instance"),
        "{}",
        ran.out
    );

    // Without the passphrase, a program is told by which variable to give it.
    let environment = [
        ("LATCHKEY_DATA_DIR", here.path().to_str().unwrap()),
        ("LATCHKEY_PASSPHRASE", "correct horse battery"),
    ];
    let refused = latchkey(&["restore", path, "--replace"], &environment, b"");
    assert_eq!(refused.code, 2);
    assert!(
        refused.err.contains("LATCHKEY_BACKUP_PASSPHRASE_FILE"),
        "{}",
        refused.err
    );
    let without = ["restore", path, "--name", "Copy", "--without-keys"];
    let copied = latchkey(&without, &environment, b"");
    assert_eq!(copied.code, 0, "{}", copied.err);
    assert!(copied.err.contains("no signing key"), "{}", copied.err);
    assert!(!copied.out.contains("the keys"), "{}", copied.out);
    let replace = ["restore", path, "--replace", "--without-keys"];
    let replaced = latchkey(&replace, &environment, b"");
    assert_eq!(replaced.code, 0, "{}", replaced.err);
    assert!(!replaced.out.contains("the keys"), "{}", replaced.out);
    assert!(
        replaced.out.contains("keeps its signing key"),
        "{}",
        replaced.out
    );
    let other = ["restore", path, "--name", "Copy", "--replace"];
    let refused = with_passphrase(here.path(), &other, b"");
    assert_eq!(refused.code, 1, "{}", refused.out);
    assert!(
        refused.err.contains("of another instance, 'here'"),
        "{}",
        refused.err
    );
}

#[test]
fn a_wrong_passphrase_of_a_backup_does_not_lead_to_new_keys_for_all_instances() {
    let here = hosted_here("https://a.bc");
    let file = here.path().join("backup");
    let path = file.to_str().unwrap();
    let backup = ["backup", "--instance", "here", "--out", path, "--with-keys"];
    assert_eq!(with_passphrase(here.path(), &backup, b"").code, 0);
    let environment = [
        ("LATCHKEY_DATA_DIR", here.path().to_str().unwrap()),
        ("LATCHKEY_PASSPHRASE", "correct horse battery"),
        ("LATCHKEY_BACKUP_PASSPHRASE", "another one"),
    ];
    let refused = latchkey(&["restore", path, "--name", "Copy"], &environment, b"");
    assert_eq!(refused.code, 1, "{}", refused.out);
    assert!(refused.err.contains("--without-keys"), "{}", refused.err);
    assert!(!refused.err.contains("start-anew"), "{}", refused.err);
}

#[test]
fn automatic_backups_are_turned_off_and_on_where_the_instance_is_hosted() {
    let here = folder();
    let set = |backups: &str| {
        let arguments = ["--json", "instance", "set", "here", "--backups", backups];
        with_passphrase(here.path(), &arguments, b"")
    };
    let off = here.path().join("instances/here/backups/off");
    assert_eq!(set("off").json()["backups"], "off");
    assert!(off.exists());
    // An earlier version made the file by hand.
    fs::write(&off, "").unwrap();
    assert_eq!(set("daily").json()["backups"], "daily");
    assert!(!off.exists());
    let moved = ["instance", "set", "here", "--hosted", "elsewhere"];
    assert_eq!(with_passphrase(here.path(), &moved, b"").code, 0);
    let refused = set("off").refusal();
    assert_eq!(
        refused,
        (1, "hosted_elsewhere".to_owned(), Some("backups".to_owned()))
    );
}
