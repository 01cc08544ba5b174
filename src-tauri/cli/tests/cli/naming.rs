//! Tests of finding an instance by its name or id.

use std::path::Path;

use serde_json::json;

use crate::run::{Ran, in_folder};

fn add(folder: &Path, name: &str, url: &str) -> Ran {
    let add = ["--json", "instance", "add", name, "--url", url];
    in_folder(folder, &[&add[..], &["--no-secret"]].concat())
}

/// Gives the instance `alpha` a name that is the id of another instance, as earlier versions
/// allowed.
fn with_a_name_that_is_an_id() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(add(folder.path(), "Alpha", "https://first.example").code, 0);
    assert_eq!(add(folder.path(), "Other", "https://other.example").code, 0);
    for (id, from, to) in [("alpha", "Alpha", "Beta"), ("other", "Other", "Alpha")] {
        let file = folder.path().join(format!("instances/{id}/instance.json"));
        let written = std::fs::read_to_string(&file).unwrap();
        let (from, to) = (
            format!("\"name\": \"{from}\""),
            format!("\"name\": \"{to}\""),
        );
        assert!(written.contains(&from), "{written}");
        std::fs::write(&file, written.replace(&from, &to)).unwrap();
    }
    folder
}

#[test]
fn an_exact_id_wins_over_an_equal_name() {
    let folder = with_a_name_that_is_an_id();
    let url_of = |word: &str| {
        let shown = in_folder(folder.path(), &["--json", "instance", "show", word]);
        shown.json()["url"].clone()
    };
    assert_eq!(url_of("alpha"), "https://first.example/");
    assert_eq!(
        url_of("Alpha"),
        "https://other.example/",
        "a name, because ids are in lower case"
    );
    let removed = in_folder(
        folder.path(),
        &["--json", "instance", "remove", "alpha", "--yes"],
    );
    assert_eq!(removed.json(), json!({ "removed": "alpha" }));
    assert_eq!(
        url_of("other"),
        "https://other.example/",
        "it is still there"
    );
}

#[test]
fn a_name_that_equals_the_id_of_another_instance_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let set = |id: &str, name: &str| {
        in_folder(folder, &["--json", "instance", "set", id, "--name", name])
    };
    assert_eq!(add(folder, "Alpha", "https://first.example").code, 0);
    assert_eq!(set("alpha", "Beta").code, 0);
    let taken = (1, "instance_exists".into(), Some("name".into()));
    assert_eq!(
        add(folder, "Alpha", "https://other.example").refusal(),
        taken
    );
    assert_eq!(add(folder, "Gamma", "https://other.example").code, 0);
    assert_eq!(set("gamma", "ALPHA").refusal(), taken);
    assert_eq!(
        set("alpha", "Alpha").code,
        0,
        "an instance may have its own id as its name"
    );
    // A generated id is not the name of another instance either.
    assert_eq!(set("gamma", "delta-2").code, 0);
    assert_eq!(
        add(folder, "Delta", "https://d.example").json()["id"],
        "delta"
    );
    assert_eq!(
        add(folder, "Delta!", "https://d.example").json()["id"],
        "delta-3"
    );
}
