//! Importing users from files and exporting them.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::run::{Ran, hosted_here, in_folder, latchkey};

fn folder() -> TempDir {
    hosted_here("https://a.b")
}

fn users(folder: &Path, arguments: &[&str]) -> Ran {
    let mut all = vec!["users", "--instance", "here"];
    all.extend(arguments);
    in_folder(folder, &all)
}

fn file(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Returns the listed users, as JSON, without times.
fn listed(folder: &Path) -> Vec<Value> {
    let list = users(folder, &["--json", "list", "--origin", "import"]).json();
    let profile = |user: &Value| json!([user["id"], user["email"], user["metadata"]]);
    list["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(profile)
        .collect()
}

#[test]
fn a_dry_run_shows_each_row_and_changes_nothing() {
    let folder = folder();
    users(folder.path(), &["add", "ada", "--email", "ada@b.cd"]);
    in_folder(
        folder.path(),
        &["seats", "--instance", "here", "--set", "3"],
    );
    let file = file(
        folder.path(),
        "people.csv",
        "E-mail;Full name;Team;\nada@b.cd;Ada;R;x\nbob@b.cd;Bob;;\n",
    );
    let ran = users(folder.path(), &["import", &file, "--dry-run"]);
    assert_eq!(
        (ran.code, ran.out.as_str(), ran.err.as_str()),
        (
            0,
            "2\tada\tada@b.cd\texists, differs in name, Team\n\
             3\tbob\tbob@b.cd\tadd\n\
             1 to add, 0 to change, 0 same, 1 different (--update changes them).\n\
             2 of 3 seats will be taken.\n",
            "The column '' is not imported.\n"
        )
    );
    let ran = users(
        folder.path(),
        &["--json", "import", &file, "--dry-run", "--update"],
    );
    assert_eq!(ran.json()["imported"], json!(false));
    assert_eq!(
        ran.json()["rows"][0],
        json!({ "row": 2, "id": "ada", "email": "ada@b.cd", "action": "change", "suspended": false,
            "fields": ["name", "Team"], "problem": null })
    );
    assert!(listed(folder.path()).is_empty());
}

#[test]
fn a_file_with_a_problem_is_imported_only_without_its_row() {
    let folder = folder();
    let file = file(
        folder.path(),
        "people.csv",
        "id,email\nada,a@b.cd\nbob,bob(at)b.cd\n",
    );
    for dry in [&[][..], &["--dry-run"]] {
        let arguments = [&["--json", "import", &file], dry].concat();
        let ran = users(folder.path(), &arguments);
        assert_eq!(
            ran.refusal(),
            (1, "invalid_import".into(), Some("file".into()))
        );
        assert_eq!(ran.json()["problems"], json!(1));
        let rows = ran.json()["rows"].clone();
        let problem = &rows.as_array().unwrap().last().unwrap()["problem"];
        assert_eq!(
            (&problem["code"], &problem["field"]),
            (&json!("invalid"), &json!("email"))
        );
        assert!(listed(folder.path()).is_empty());
    }
    let ran = users(folder.path(), &["import", &file, "--skip-problems"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out
            .ends_with("1 added, 0 changed, 0 same, 1 row with a problem.\n"),
        "{}",
        ran.out
    );
    assert_eq!(listed(folder.path()), [json!(["ada", "a@b.cd", {}])]);
}

#[test]
fn nobody_is_revived_and_no_seat_given_twice() {
    let folder = folder();
    for id in ["ada", "bob"] {
        users(folder.path(), &["add", id]);
    }
    users(folder.path(), &["suspend", "ada"]);
    users(folder.path(), &["remove", "bob"]);
    in_folder(
        folder.path(),
        &["seats", "--instance", "here", "--set", "1"],
    );
    let file = file(
        folder.path(),
        "people.csv",
        "id,team\nada,R\nbob,\ncyd,\ndan,\n",
    );
    let ran = users(folder.path(), &["import", &file, "--dry-run", "--update"]);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines[0], "2\tada\t-\tchange team (suspended, stays so)");
    assert!(
        lines[1].starts_with("3\tbob\t-\tproblem: Was removed at 2"),
        "{}",
        lines[1]
    );
    assert_eq!(lines[2], "4\tcyd\t-\tadd");
    assert!(
        lines[3].starts_with("5\tdan\t-\tproblem: No seat is left of 1."),
        "{}",
        lines[3]
    );
    let ran = users(
        folder.path(),
        &[
            "import",
            &file,
            "--add-removed",
            "--update",
            "--skip-problems",
        ],
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(listed(folder.path()), [json!(["bob", null, {}])]);
    let ada = users(folder.path(), &["--json", "show", "ada"]).json();
    assert_eq!(
        (&ada["status"], &ada["metadata"]["team"]),
        (&json!("suspended"), &json!("R"))
    );
}

#[test]
fn a_file_that_cannot_be_read_is_refused_with_its_reason() {
    let folder = folder();
    let xlsx = file(folder.path(), "people.xlsx", b"PK\x03\x04");
    for arguments in [
        vec!["--json", "import", &xlsx],
        vec!["--json", "import", "/nonexistent/file.csv"],
    ] {
        let ran = users(folder.path(), &arguments);
        let (code, _, field) = ran.refusal();
        assert_eq!((code, field.as_deref()), (1, Some("file")), "{}", ran.err);
    }
    let ran = users(folder.path(), &["--json", "import"]);
    assert_eq!(ran.code, 2);
    let path = folder.path().to_str().unwrap();
    let environment = [("LATCHKEY_DATA_DIR", path)];
    let import = ["users", "--instance", "here", "import", "-"];
    let ran = latchkey(&import, &environment, b"[{\"id\":\"ada\"}]");
    assert_eq!(ran.out, "1 added, 0 changed, 0 same.\n", "{}", ran.err);
}

#[test]
fn an_export_is_private_and_has_the_users_of_its_filter() {
    let folder = folder();
    users(
        folder.path(),
        &["add", "ada", "--email", "a@b.cd", "--metadata", "team==1+1"],
    );
    users(folder.path(), &["add", "bob"]);
    users(folder.path(), &["suspend", "bob"]);
    let out = folder.path().join("users.csv");
    let path = out.to_str().unwrap();
    let ran = users(
        folder.path(),
        &["export", "--status", "active", "--out", path],
    );
    assert_eq!(ran.out, format!("Wrote 1 user to {path}.\n"), "{}", ran.err);
    let written = fs::read_to_string(&out).unwrap();
    let mut lines = written.split("\r\n");
    assert_eq!(
        lines.next(),
        Some(
            "\u{feff}id,email,team,metadata,latchkey.status,latchkey.origin,latchkey.created_at,latchkey.last_sign_in,latchkey.sign_ins,latchkey.ends_at"
        )
    );
    let row = lines.next().unwrap();
    assert!(row.starts_with("ada,a@b.cd,'=1+1,,active,added,2"), "{row}");
    assert!(row.ends_with(",,0,"), "{row}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            fs::metadata(&out).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    let ran = users(folder.path(), &["export", "--format", "json"]);
    let all = ran.json();
    assert_eq!(all["users"].as_array().unwrap().len(), 2);
    assert_eq!(all["users"][0]["metadata"], json!({ "team": "=1+1" }));
    let ran = users(
        folder.path(),
        &["--json", "export", "--out", "/nonexistent/users.csv"],
    );
    assert_eq!(ran.refusal(), (1, "storage".into(), Some("out".into())));
}

/// Runs a Python program in a folder.
fn python(folder: &Path, program: &str) {
    let ran = Command::new("python3")
        .args(["-c", program])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

#[test]
fn csv_of_python_is_imported_and_an_export_is_read_by_python() {
    let folder = folder();
    let make = r#"
import csv, json
people = [{"id": "ada", "email": "ada@b.cd", "name": "Ada \"A\", Okafor", "note": "two\nlines; and\ttabs"},
          {"id": "bjørn", "email": "", "name": "Bjørn", "note": "=1+1"}]
for dialect, encoding in [("excel", "utf-8"), ("excel-tab", "utf-16"), ("unix", "utf-8-sig")]:
    with open(dialect + ".csv", "w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, people[0], dialect=dialect)
        writer.writeheader()
        writer.writerows(people)
"#;
    python(folder.path(), make);
    for dialect in ["excel", "excel-tab", "unix"] {
        let path = folder.path().join(format!("{dialect}.csv"));
        let ran = users(
            folder.path(),
            &["import", path.to_str().unwrap(), "--add-removed"],
        );
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert_eq!(
            listed(folder.path()),
            [
                json!(["ada", "ada@b.cd", { "name": "Ada \"A\", Okafor", "note": "two\nlines; and\ttabs" }]),
                json!(["bjørn", null, { "name": "Bjørn", "note": "=1+1" }]),
            ],
            "{dialect}"
        );
        for id in ["ada", "bjørn"].iter().filter(|_| dialect != "unix") {
            assert_eq!(users(folder.path(), &["remove", id]).code, 0);
        }
    }
    let out = folder.path().join("users.csv");
    users(folder.path(), &["export", "--out", out.to_str().unwrap()]);
    let read = r#"
import csv
with open("users.csv", newline="", encoding="utf-8-sig") as file:
    rows = list(csv.DictReader(file))
assert [row["id"] for row in rows] == ["ada", "bjørn"], rows
assert rows[0]["note"] == "two\nlines; and\ttabs", rows
assert rows[0]["name"] == 'Ada "A", Okafor', rows
assert rows[1]["note"] == "'=1+1", rows
assert rows[1]["latchkey.origin"] == "import" and None not in rows[0], rows
"#;
    python(folder.path(), read);
}
