//! Tests of `latchkey activity verify` and `latchkey activity export`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::run::{Ran, hosted_here, in_folder};
use crate::serve::{Serving, folder, link, run};

fn activity(folder: &Path, arguments: &[&str]) -> Ran {
    let all = [&["activity"], arguments, &["--instance", "here"]].concat();
    in_folder(folder, &all)
}

/// Adds users, so that each adds an entry.
fn add(folder: &Path, ids: &[&str]) {
    for id in ids {
        let added = in_folder(folder, &["users", "--instance", "here", "add", id]);
        assert_eq!(added.code, 0, "{}", added.err);
    }
}

/// Returns the last seal that a verification prints.
fn seal(verified: &Ran) -> String {
    let line = verified.out.lines().last().unwrap();
    line.strip_prefix("Last seal: ").unwrap().to_owned()
}

#[test]
fn a_verification_says_that_the_activity_is_whole_and_compares_a_kept_seal() {
    let folder = hosted_here("https://a.b");
    let folder = folder.path();
    add(folder, &["ada", "bob"]);
    let verified = activity(folder, &["verify"]);
    let title = "The activity is whole: 3 entries as recorded.";
    assert_eq!(
        (verified.code, verified.out.lines().next()),
        (0, Some(title))
    );
    let kept = seal(&verified);
    add(folder, &["cyd"]);
    let again = activity(folder, &["verify", "--expect", &kept]);
    assert_eq!(again.code, 0);
    assert!(
        again.out.contains("has the expected hash."),
        "{}",
        again.out
    );
    assert_ne!(seal(&again), kept);
    let json = activity(folder, &["--json", "verify", "--expect", &kept]).json();
    assert_eq!(
        (
            &json["sound"],
            &json["expected"],
            &json["entries"],
            &json["faults"]
        ),
        (&json!(true), &json!("same"), &json!(4), &json!([]))
    );
    let other = kept.replace(|digit| "abc".contains(digit), "0");
    let other = activity(folder, &["verify", "--expect", &other]);
    assert_eq!(other.code, 1);
    let title = "The activity is not the one that was verified before.";
    assert_eq!(other.out.lines().next(), Some(title));
    let sentence = "does not have the expected hash.";
    assert!(other.out.contains(sentence), "{}", other.out);
    let later = activity(
        folder,
        &["verify", "--expect", &kept.replacen("3:", "300:", 1)],
    );
    assert_eq!(later.code, 1);
    assert!(
        later.out.contains("The activity ends at entry"),
        "{}",
        later.out
    );
    let wrong = activity(folder, &["--json", "verify", "--expect", "3:abc"]);
    assert_eq!(wrong.code, 2);
}

#[test]
fn a_removed_block_is_damage_with_exit_code_1() {
    let folder = hosted_here("https://a.b");
    let folder = folder.path();
    add(folder, &["ada", "bob"]);
    let tree = folder.join("instances/here/directory/sled");
    let tree = sled::open(tree).unwrap();
    let block = tree.scan_prefix("b:").keys().next_back().unwrap().unwrap();
    tree.remove(block).unwrap();
    tree.flush().unwrap();
    drop(tree);
    let verified = activity(folder, &["verify"]);
    assert_eq!(verified.code, 1, "{}", verified.err);
    let title = verified.out.lines().next();
    assert_eq!(title, Some("The activity is damaged: 1 fault."));
    assert!(
        verified.out.contains(": 2 entries are missing."),
        "{}",
        verified.out
    );
    let json = activity(folder, &["--json", "verify"]);
    assert_eq!(json.code, 1);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["faults"][0]["kind"], "missing");
}

#[test]
fn the_activity_is_verified_and_exported_while_the_gateway_runs() {
    let folder = folder();
    let ada = link(folder.path(), "ada");
    let serving = Serving::new(folder.path(), &[]);
    assert!(serving.get(&ada, "").starts_with("HTTP/1.1 303"));
    let verified = run(folder.path(), &["activity", "verify", "--instance", "here"]);
    assert!(
        verified.starts_with("The activity is whole: "),
        "{verified}"
    );
    let kept = verified.lines().last().unwrap().replace("Last seal: ", "");
    let exported = run(
        folder.path(),
        &["activity", "export", "--instance", "here", "--user", "ada"],
    );
    assert!(exported.contains(",provisioned,"), "{exported}");
    serving.end();
    let after = activity(folder.path(), &["verify", "--expect", &kept]);
    assert_eq!(after.code, 0, "{}", after.out);
}

#[test]
fn an_export_has_the_same_columns_in_both_formats_and_no_formulas() {
    let folder = hosted_here("https://a.b");
    let folder = folder.path();
    add(folder, &["=1+1", "bob"]);
    let file = folder.join("activity.csv");
    let name = file.to_str().unwrap();
    let written = activity(folder, &["export", "--out", name]);
    assert_eq!(written.out, format!("Wrote 3 entries to {name}.\n"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let csv = fs::read_to_string(&file).unwrap();
    let csv = csv.strip_prefix('\u{feff}').unwrap();
    assert!(csv.contains(",'=1+1,"), "{csv}");
    let lines = activity(folder, &["export", "--format", "jsonl"]).out;
    let entries: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(entries.len(), 3);
    assert_eq!(entries[1]["subject"], "=1+1");
    assert_eq!(entries[0]["actor"], "command_line");
    let names = entries[0].as_object().unwrap().keys().cloned();
    let names = names.collect::<Vec<_>>().join(",");
    assert_eq!(csv.lines().next(), Some(names.as_str()));
    let count = |more: &[&str]| {
        let all = [&["export", "--format", "jsonl"], more].concat();
        activity(folder, &all).out.lines().count()
    };
    assert_eq!(count(&["--user", "bob"]), 1);
    assert_eq!(count(&["--kind", "refusal"]), 0);
    assert_eq!(count(&["--to", "2020-01-01"]), 0);
    assert_eq!(count(&["--from", "2020-01-01", "--to", "9000-01-01"]), 3);
    let wrong = activity(folder, &["--json", "export", "--from", "soon"]);
    assert_eq!(wrong.refusal().2.as_deref(), Some("from"));
}

#[test]
fn the_history_of_a_link_is_found_by_its_id() {
    let folder = folder();
    let links = ["ada", "bob"].map(|user| link(folder.path(), user));
    let serving = Serving::new(folder.path(), &[]);
    for link in &links {
        assert!(serving.get(link, "").starts_with("HTTP/1.1 303"));
    }
    let list = |more: &[&str]| {
        let arguments = [&["--json", "list"], more].concat();
        let listed = activity(folder.path(), &arguments).json();
        listed["entries"].as_array().unwrap().clone()
    };
    let all = list(&["--user", "ada"]);
    let id = all[0]["link"].as_str().unwrap_or_else(|| panic!("{all:?}"));
    assert_eq!(all.len(), 2, "{all:?}");
    assert_eq!(list(&["--link", id]), all);
    serving.end();
    assert_eq!(list(&["--link", id]), all);
}
