//! The modules of a crate, parsed from its sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use serde_json::Value;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, UseTree, Visibility};

/// A library, program or test of the workspace.
pub(super) struct Target {
    pub(super) name: String,
    /// Main file of the target.
    pub(super) root: PathBuf,
}

impl Target {
    pub(super) fn modules(&self) -> Modules {
        let mut modules = Modules(BTreeMap::new());
        let folder = self.root.parent().unwrap();
        modules.read(&[], &self.root, folder, folder);
        modules
    }
}

/// Returns the targets of the workspace's packages, except build scripts.
pub(super) fn targets() -> Vec<Target> {
    let metadata = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let targets = packages.flat_map(|package| {
        let targets = package["targets"].as_array().unwrap().iter();
        targets.map(move |target| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let (kind, name) = (text(&target["kind"][0]), text(&target["name"]));
            Target {
                name: format!("{} {kind} {name}", text(&package["name"])),
                root: PathBuf::from(text(&target["src_path"])),
            }
        })
    });
    let targets = targets.filter(|target| !target.name.contains(" custom-build "));
    targets.collect()
}

/// Path of a module in its crate.
pub(super) type ModulePath = Vec<String>;

/// A module, without items that are only for unit tests.
pub(super) struct Module {
    /// File of the module, relative to the folder of the crate's root.
    pub(super) file: String,
    pub(super) items: BTreeSet<String>,
    pub(super) uses: Vec<Use>,
    /// Paths of two or more segments in the code.
    pub(super) paths: BTreeSet<Vec<String>>,
    /// Identifiers in the code.
    pub(super) idents: BTreeSet<String>,
}

/// One name of a `use` item.
#[derive(Clone)]
pub(super) struct Use {
    pub(super) path: Vec<String>,
    /// Name in the module. `None` for a glob.
    pub(super) name: Option<String>,
    pub(super) is_reexport: bool,
}

pub(super) struct Modules(pub(super) BTreeMap<ModulePath, Module>);

impl Modules {
    /// Parses the file of a module, and the modules that it declares in `folder`.
    fn read(&mut self, path: &[String], file: &Path, folder: &Path, root: &Path) {
        let text =
            fs::read_to_string(file).unwrap_or_else(|cause| panic!("{}: {cause}", file.display()));
        let items = syn::parse_file(&text).unwrap().items;
        let name = file.strip_prefix(root).unwrap_or(file);
        self.add(
            path,
            &items,
            &name.display().to_string(),
            file,
            folder,
            root,
        );
    }

    fn add(
        &mut self,
        path: &[String],
        items: &[Item],
        name: &str,
        file: &Path,
        folder: &Path,
        root: &Path,
    ) {
        let mut module = Module {
            file: name.to_owned(),
            items: BTreeSet::new(),
            uses: Vec::new(),
            paths: BTreeSet::new(),
            idents: BTreeSet::new(),
        };
        for item in items {
            match item {
                Item::Use(item) => module.add_use(item),
                Item::Mod(child) if is_test(&child.attrs) => {}
                Item::Mod(child) => self.add_child(path, child, name, file, folder, root),
                item => module.add_item(item),
            }
        }
        self.0.insert(path.to_vec(), module);
    }

    fn add_child(
        &mut self,
        parent: &[String],
        child: &ItemMod,
        name: &str,
        file: &Path,
        folder: &Path,
        root: &Path,
    ) {
        let own = child.ident.to_string();
        let path: ModulePath = parent.iter().cloned().chain([own.clone()]).collect();
        let inner = folder.join(&own);
        if let Some((_, items)) = &child.content {
            self.add(&path, items, name, file, &inner, root);
            return;
        }
        let given = child.attrs.iter().find_map(path_attribute);
        let file = given.map_or_else(
            || {
                let flat = folder.join(format!("{own}.rs"));
                if flat.is_file() {
                    flat
                } else {
                    inner.join("mod.rs")
                }
            },
            |given| file.parent().unwrap().join(given),
        );
        self.read(&path, &file, &inner, root);
    }
}

impl Module {
    fn add_item(&mut self, item: &Item) {
        let tokens = item.to_token_stream();
        self.items.extend(item_name(item));
        if let Item::Impl(item) = item
            && is_test(&item.attrs)
        {
            return;
        }
        if let Item::Fn(item) = item
            && is_test(&item.attrs)
        {
            return;
        }
        self.scan(tokens);
        let mut inner = InnerUses(Vec::new());
        inner.visit_item(item);
        inner.0.iter().for_each(|item| self.add_use(item));
    }

    fn add_use(&mut self, item: &ItemUse) {
        if is_test(&item.attrs) {
            return;
        }
        let is_reexport = !matches!(item.vis, Visibility::Inherited);
        self.add_tree(&mut Vec::new(), &item.tree, is_reexport);
    }

    fn add_tree(&mut self, before: &mut Vec<String>, tree: &UseTree, is_reexport: bool) {
        let mut add = |last: Option<String>, name: Option<String>| {
            let mut path = before.clone();
            path.extend(last.filter(|last| last != "self"));
            let name = name.map(|name| match name.as_str() {
                "self" => path.last().cloned().unwrap_or_default(),
                _ => name,
            });
            self.uses.push(Use {
                path,
                name,
                is_reexport,
            });
        };
        match tree {
            UseTree::Name(leaf) => {
                let name = leaf.ident.to_string();
                add(Some(name.clone()), Some(name));
            }
            UseTree::Rename(leaf) => {
                add(Some(leaf.ident.to_string()), Some(leaf.rename.to_string()));
            }
            UseTree::Glob(_) => add(None, None),
            UseTree::Path(part) => {
                before.push(part.ident.to_string());
                self.add_tree(before, &part.tree, is_reexport);
                before.pop();
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_tree(before, tree, is_reexport);
                }
            }
        }
    }

    /// Collects identifiers and paths from tokens, also from those of macro calls.
    fn scan(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        let mut end = |path: &mut Vec<String>| {
            if path.len() > 1 {
                self.paths.insert(std::mem::take(path));
            }
            path.clear();
        };
        let mut groups = Vec::new();
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        end(&mut path);
                    }
                    let ident = ident.to_string();
                    self.idents.insert(ident.clone());
                    path.push(ident);
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => {
                    colons += 1;
                }
                // `pub(in path)` is not an import.
                TokenTree::Group(_) if path == ["pub"] => path.clear(),
                TokenTree::Group(group) => {
                    end(&mut path);
                    colons = 0;
                    groups.push(group.stream());
                }
                _ => {
                    end(&mut path);
                    colons = 0;
                }
            }
        }
        end(&mut path);
        for group in groups {
            self.scan(group);
        }
    }
}

/// `use` items inside functions.
struct InnerUses(Vec<ItemUse>);

impl<'ast> Visit<'ast> for InnerUses {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.0.push(item.clone());
        visit::visit_item_use(self, item);
    }
}

fn item_name(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}

/// Returns whether an item is compiled only for unit tests.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = attribute.to_token_stream().to_string();
        text == "# [cfg (test)]" || text == "# [test]"
    })
}

/// Returns the file that `#[path = "…"]` names.
fn path_attribute(attribute: &Attribute) -> Option<String> {
    let pair = attribute.meta.require_name_value().ok()?;
    if !pair.path.is_ident("path") {
        return None;
    }
    match &pair.value {
        syn::Expr::Lit(literal) => match &literal.lit {
            syn::Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}
