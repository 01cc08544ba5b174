//! Tests of the README and the guides: their commands run as written, and their links have targets.

pub(crate) mod blocks;
mod commands;
mod links;
#[cfg(target_os = "linux")]
mod moving;
#[cfg(target_os = "linux")]
mod proxies;
#[cfg(target_os = "linux")]
mod service;

use std::fs;
use std::path::Path;

use self::blocks::{Block, blocks, blocks_in, path};
use crate::run::with_secret;

/// Folder of the guides.
const GUIDES: &str = "src-tauri/guides";

/// Languages of code blocks, each with the test that runs its blocks.
const TESTED: [(&str, &str); 8] = [
    (
        "sh",
        "documents::commands, documents::moving, documents::service and documents::proxies",
    ),
    ("ini", "documents::service"),
    ("html", "documents"),
    (
        "nginx",
        "documents::proxies and the gateway's proxies::nginx",
    ),
    (
        "caddyfile",
        "documents::proxies and the gateway's proxies::caddy",
    ),
    (
        "yaml",
        "documents::proxies and the gateway's proxies::traefik",
    ),
    (
        "haproxy",
        "documents::proxies and the gateway's proxies::haproxy",
    ),
    (
        "lua",
        "documents::proxies and the gateway's proxies::haproxy",
    ),
];

/// Returns the documents of the project, relative to its root.
fn documents() -> Vec<String> {
    let mut documents = vec!["README.md".to_owned()];
    for folder in [".github", GUIDES] {
        let files = fs::read_dir(path(folder)).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let is_document =
            |name: &String| Path::new(name).extension().is_some_and(|end| end == "md");
        let documents_here = names.filter(is_document);
        documents.extend(documents_here.map(|name| format!("{folder}/{name}")));
    }
    documents.sort();
    documents
}

#[test]
fn the_readme_has_at_most_200_lines() {
    let readme = fs::read_to_string(path("README.md")).unwrap();
    let lines = readme.lines().count();
    assert!(lines <= 200, "{lines} lines");
}

#[test]
fn every_code_block_is_in_a_language_that_a_test_runs() {
    for document in documents() {
        for Block { language, text } in blocks(&document) {
            // The tree of folders has no language.
            let is_tree = language.is_empty() && document.ends_with("architecture.md");
            let is_tested = TESTED.iter().any(|(tested, _)| *tested == language);
            assert!(is_tree || is_tested, "{document}: {language}\n{text}");
        }
    }
}

#[test]
fn configurations_are_only_where_their_tests_read_them() {
    let proxies = format!("{GUIDES}/proxies.md");
    let gateway = format!("{GUIDES}/gateway.md");
    let widget = format!("{GUIDES}/widget.md");
    for document in documents() {
        for Block { language, .. } in blocks(&document) {
            let expected = match language.as_str() {
                "nginx" | "caddyfile" | "yaml" | "haproxy" | "lua" => &proxies,
                "ini" => &gateway,
                "html" => &widget,
                _ => &document,
            };
            assert_eq!(expected, &document, "{language}");
        }
    }
}

#[test]
fn every_folder_of_the_architecture_guide_is_there() {
    let tree = blocks_in(&format!("{GUIDES}/architecture.md"), "");
    let mut above = "";
    let mut count = 0;
    for line in tree.iter().flat_map(|tree| tree.lines()) {
        let names = line
            .split("  ")
            .map(str::trim)
            .find(|part| !part.is_empty());
        let indent = line.len() - line.trim_start().len();
        // A line with a deeper indent continues the description of the line above.
        if indent > 2 {
            continue;
        }
        for name in names.unwrap().split(' ') {
            if indent == 0 {
                above = name;
            }
            let parent = if indent == 0 { "" } else { above };
            let folder = path(parent).join(name);
            assert!(folder.exists(), "{}", folder.display());
            count += 1;
        }
    }
    assert!(count > 10, "{count}");
}

#[test]
fn the_widget_tag_of_the_guide_is_the_one_that_link_prints() {
    let ran = with_secret(&[
        "link",
        "--url",
        "https://chat.acme.example",
        "--user-id",
        "ada",
        "--as",
        "widget",
    ]);
    let (before, rest) = ran.out.split_once("code=\"").unwrap();
    let (_, after) = rest.split_once('"').unwrap();
    let tag = format!("{before}code=\"CODE\"{after}");
    let shown = blocks_in(&format!("{GUIDES}/widget.md"), "html");
    assert_eq!(shown, [tag]);
}
