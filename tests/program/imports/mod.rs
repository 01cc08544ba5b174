//! Tests that the modules of a crate do not import each other in a circle.

mod graph;
mod modules;

use std::fs;

use graph::circles;
use modules::Target;

#[test]
fn no_two_modules_of_a_crate_import_each_other() {
    let mut report = Vec::new();
    for target in modules::targets() {
        for circle in circles(&target.modules()) {
            let files = circle.files.join(", ");
            report.push(format!("{}: {files}", target.name));
            report.extend(circle.edges.iter().map(|edge| format!("  {edge}")));
        }
    }
    assert!(report.is_empty(), "{report:#?}");
}

#[test]
fn a_circle_is_found_by_any_path_and_a_reexport_does_not_count() {
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
