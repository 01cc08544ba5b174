//! Test of core's messages: they say what is wrong and what must change. Only the faces say how.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, ItemMod, LitStr, Macro};

/// Words of a face: commands, options, environment variables, screens and gestures.
const WORDS_OF_FACES: [&str; 14] = [
    "latchkey ",
    "LATCHKEY_",
    "--",
    "sudo",
    "Settings",
    "Studio",
    " screen ",
    "Compose",
    "button",
    "click",
    "menu",
    "dialog",
    "/api/",
    "command line",
];

/// Texts that are not messages.
const ALLOWED: [&str; 8] = [
    // Actors, also after a verb, and a title in the activity.
    "Studio",
    "The command line",
    "in Studio",
    "by the command line",
    "Settings changed",
    // Name under which a process holds a directory.
    "latchkey serve",
    "latchkey restore",
    // Prefix of a label in an internationalized domain name.
    "--",
];

#[derive(Default)]
struct Texts(Vec<String>);

impl Texts {
    fn read(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.read(group.stream()),
                TokenTree::Literal(literal) => {
                    if let Ok(text) = syn::parse_str::<LitStr>(&literal.to_string()) {
                        self.0.push(text.value());
                    }
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Texts {
    fn visit_lit_str(&mut self, text: &'ast LitStr) {
        self.0.push(text.value());
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.read(call.tokens.clone());
    }

    /// Skips comments and the reasons of lints, which are for developers.
    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if module.ident != "tests" {
            visit::visit_item_mod(self, module);
        }
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !path.ends_with("tests.rs")
        {
            found.push(path);
        }
    }
}

#[test]
fn the_messages_of_core_and_store_name_no_command_no_screen_and_no_button() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&manifest.join("src"), &mut files);
    sources(&manifest.join("../store/src"), &mut files);
    let mut named = Vec::new();
    let mut count = 0;
    for file in files {
        let mut texts = Texts::default();
        texts.visit_file(&syn::parse_file(&fs::read_to_string(&file).unwrap()).unwrap());
        count += texts.0.len();
        for text in texts.0 {
            let words = WORDS_OF_FACES.iter().find(|words| text.contains(*words));
            if let Some(words) = words
                && !ALLOWED.contains(&text.as_str())
            {
                named.push(format!("{}: '{words}' in {text:?}", file.display()));
            }
        }
    }
    assert!(count > 500, "only {count} texts were found");
    assert!(named.is_empty(), "\n{}", named.join("\n"));
}
