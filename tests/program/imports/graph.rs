//! The graph of imports between the files of a crate, and its circles.

use std::collections::{BTreeMap, BTreeSet};

use super::modules::{Module, ModulePath, Modules};

/// Maximum number of re-exports to follow, so that a name that re-exports itself ends.
const MAX_REEXPORTS: usize = 16;

/// Files that import each other, in alphabetical order.
pub(super) struct Circle {
    pub(super) files: Vec<String>,
    /// Imports between the files, as `from -> to: path`.
    pub(super) edges: Vec<String>,
}

/// Returns the circles among the files of a crate.
///
/// A file imports from another file if its code names an item of that file by any path. A re-export
/// alone does not count.
pub(super) fn circles(modules: &Modules) -> Vec<Circle> {
    let edges = edges(modules);
    let reached: BTreeMap<&str, BTreeSet<&str>> = edges
        .keys()
        .map(|(from, _)| (from.as_str(), reached(from, &edges)))
        .collect();
    let is_reached =
        |from: &str, to: &str| reached.get(from).is_some_and(|files| files.contains(to));
    let components = reached.keys().map(|file| {
        let files = reached.keys();
        let files = files.filter(|other| is_reached(file, other) && is_reached(other, file));
        files.copied().collect::<Vec<_>>()
    });
    let components: BTreeSet<Vec<&str>> = components.filter(|files| !files.is_empty()).collect();
    let circles = components.into_iter().map(|files| {
        let is_inside = |file: &str| files.contains(&file);
        let inside = edges
            .iter()
            .filter(|((from, to), _)| is_inside(from) && is_inside(to));
        Circle {
            edges: inside
                .map(|((from, to), paths)| format!("{from} -> {to}: {}", paths.join(", ")))
                .collect(),
            files: files.iter().map(|file| (*file).to_owned()).collect(),
        }
    });
    circles.collect()
}

type Edges = BTreeMap<(String, String), Vec<String>>;

/// Returns the files that a file imports from, directly or through other files.
fn reached<'a>(start: &'a str, edges: &'a Edges) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut next = vec![start];
    while let Some(file) = next.pop() {
        let from_here = edges.keys().filter(|(from, _)| from == file);
        next.extend(
            from_here
                .map(|(_, to)| to.as_str())
                .filter(|to| found.insert(*to)),
        );
    }
    found
}

/// Returns the paths of all imports, by the names of both files.
fn edges(modules: &Modules) -> Edges {
    let mut edges = Edges::new();
    for (own, module) in &modules.0 {
        let imports = module.uses.iter().filter(|import| {
            let is_named = |name: &String| module.idents.contains(name);
            !import.is_reexport || import.name.as_ref().is_some_and(is_named)
        });
        let paths = imports.map(|import| &import.path).chain(&module.paths);
        for path in paths {
            let Some(to) = modules.defining(own, path, MAX_REEXPORTS) else {
                continue;
            };
            if to.file != module.file {
                let key = (module.file.clone(), to.file.clone());
                let paths = edges.entry(key).or_default();
                if !paths.contains(&path.join("::")) {
                    paths.push(path.join("::"));
                }
            }
        }
    }
    edges
}

impl Modules {
    /// Returns the module that defines the item of a path in the module `from`. For a path to a
    /// module, returns that module. Returns `None` for paths into other crates.
    fn defining(&self, from: &[String], path: &[String], reexports: usize) -> Option<&Module> {
        let found = self.resolve(from, path, reexports)?;
        self.0.get(&found)
    }

    fn resolve(&self, from: &[String], path: &[String], reexports: usize) -> Option<ModulePath> {
        let mut current = from.to_vec();
        let mut rest = path;
        let mut is_relative = false;
        while let [first, after @ ..] = rest {
            match first.as_str() {
                "crate" => current.clear(),
                "self" => {}
                "super" => _ = current.pop()?,
                _ => break,
            }
            is_relative = true;
            rest = after;
        }
        while let [name, after @ ..] = rest {
            let child: ModulePath = current.iter().cloned().chain([name.clone()]).collect();
            let module = self.0.get(&current)?;
            if self.0.contains_key(&child) {
                current = child;
            } else if module.items.contains(name) {
                return Some(current);
            } else if let Some(through) = self.imported(&current, name, reexports) {
                // The module defines the item, or the path continues in the module.
                if through.is_item || after.is_empty() {
                    return Some(through.module);
                }
                current = through.module;
            } else {
                // The name is from another crate, or a macro of the module defines it.
                return is_relative.then_some(current);
            }
            is_relative = true;
            rest = after;
        }
        Some(current)
    }

    /// Returns the item behind a name that a module imports.
    fn imported(&self, module: &[String], name: &str, reexports: usize) -> Option<Imported> {
        let reexports = reexports.checked_sub(1)?;
        let uses = &self.0.get(module)?.uses;
        let named = uses
            .iter()
            .filter(|import| import.name.as_deref() == Some(name));
        let mut named = named.filter(|import| {
            import
                .path
                .first()
                .is_none_or(|first| first != name || import.path.len() > 1)
        });
        if let Some(import) = named.next() {
            let found = self.resolve(module, &import.path, reexports)?;
            let is_item = found.last() != import.path.last();
            return Some(Imported {
                module: found,
                is_item,
            });
        }
        let globs = uses.iter().filter(|import| import.name.is_none());
        globs
            .filter_map(|glob| self.resolve(module, &glob.path, reexports))
            .find(|found| {
                self.0
                    .get(found)
                    .is_some_and(|module| module.items.contains(name))
            })
            .map(|found| Imported {
                module: found,
                is_item: true,
            })
    }
}

/// Module that an imported name leads to.
struct Imported {
    module: ModulePath,
    /// Whether the name is an item of the module, and not the module itself.
    is_item: bool,
}
