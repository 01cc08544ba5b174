//! Modules of a crate import each other in one direction only.

mod graph;
mod modules;

use std::collections::BTreeSet;
use std::fs;

use graph::circles;
use modules::Target;

/// Circles that exist. The test fails for a circle that is missing here, and for one here that is gone.
const KNOWN: [(&str, &[&str]); 5] = [
    (
        "latchkey-core lib latchkey_core",
        &["activity/mod.rs", "activity/repeats.rs"],
    ),
    (
        "latchkey-core lib latchkey_core",
        &[
            "directory/mod.rs",
            "instance/mod.rs",
            "session/mod.rs",
            "session/rules.rs",
        ],
    ),
    (
        "latchkey-core lib latchkey_core",
        &[
            "protocol/audience.rs",
            "protocol/claims.rs",
            "protocol/code/layers.rs",
            "protocol/code/refusal.rs",
            "protocol/code/unverified.rs",
            "protocol/code/verify.rs",
            "protocol/payload.rs",
            "secret/mod.rs",
        ],
    ),
    (
        "latchkey-core lib latchkey_core",
        &["protocol/code/recognize.rs", "protocol/code/words.rs"],
    ),
    (
        "latchkey-store lib latchkey_store",
        &[
            "embedded/blocks.rs",
            "embedded/change.rs",
            "embedded/changes.rs",
            "embedded/emails.rs",
            "embedded/flush.rs",
            "embedded/journal.rs",
            "embedded/load.rs",
            "embedded/migrate.rs",
            "embedded/mod.rs",
            "embedded/open.rs",
            "embedded/order.rs",
            "embedded/record.rs",
            "embedded/sessions.rs",
            "embedded/single_entries.rs",
            "embedded/state.rs",
        ],
    ),
];

#[test]
fn no_two_modules_of_a_crate_import_each_other() {
    let mut found = BTreeSet::new();
    let mut report = Vec::new();
    for target in modules::targets() {
        for circle in circles(&target.modules()) {
            let files = circle.files.join(", ");
            report.push(format!("{}: {files}", target.name));
            report.extend(circle.edges.iter().map(|edge| format!("  {edge}")));
            found.insert((target.name.clone(), circle.files));
        }
    }
    let known = KNOWN.map(|(name, files)| {
        let files = files.iter().map(|file| (*file).to_owned());
        (name.to_owned(), files.collect::<Vec<_>>())
    });
    assert_eq!(found, BTreeSet::from(known), "{report:#?}");
}

#[test]
fn a_circle_is_found_by_whatever_path_and_a_reexport_is_none() {
    let of = |one: &str, other: &str| {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("lib.rs");
        fs::write(&root, "mod one;\nmod other;\npub use one::One;").unwrap();
        fs::write(folder.path().join("one.rs"), one).unwrap();
        fs::write(folder.path().join("other.rs"), other).unwrap();
        let name = "an example".to_owned();
        let found = circles(&Target { name, root }.modules());
        found
            .into_iter()
            .flat_map(|circle| circle.files)
            .collect::<Vec<_>>()
    };
    let one = "use crate::other::Other; pub struct One(Other);";
    for other in [
        "pub struct Other; use super::one::One; fn f(_: One) {}",
        "pub struct Other; fn f(_: crate::One) {}",
        "pub struct Other; fn f() { use crate::*; g!(super::one::One) }",
        "pub struct Other; mod inner { fn f(_: super::super::one::One) {} }",
    ] {
        assert_eq!(of(one, other), ["one.rs", "other.rs"], "{other}");
    }
    for other in [
        "pub struct Other;",
        "pub struct Other; pub use crate::one::One;",
        "pub struct Other; pub(in crate::one) fn f() {}",
        "pub struct Other; #[cfg(test)] mod tests { use crate::one::One; }",
    ] {
        assert_eq!(of(one, other), [""; 0], "{other}");
    }
}
