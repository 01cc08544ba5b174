//! Checks of the links between the documents.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::blocks::path;
use super::documents;

/// Returns the lines of a document outside of code blocks.
fn prose(document: &Path) -> String {
    let text = fs::read_to_string(document).unwrap();
    let mut is_code = false;
    let mut prose = String::new();
    for line in text.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    prose
}

/// Returns the anchors that GitHub makes from the headings of a document.
fn anchors(document: &Path) -> BTreeSet<String> {
    let text = prose(document);
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let mut anchors = BTreeSet::new();
    for heading in headings {
        let words = heading.trim_start_matches('#').trim().to_lowercase();
        let is_kept = |sign: &char| sign.is_alphanumeric() || matches!(sign, ' ' | '-' | '_');
        let anchor: String = words.chars().filter(is_kept).collect();
        let is_new = anchors.insert(anchor.replace(' ', "-"));
        assert!(is_new, "{}: {heading} is there twice", document.display());
    }
    anchors
}

/// Returns the targets of all links and pictures of a document.
fn targets(document: &Path) -> Vec<String> {
    let text = prose(document);
    let mut targets = Vec::new();
    for (begin, end) in [("](", ')'), ("src=\"", '"'), ("srcset=\"", '"')] {
        let rest = text.split(begin).skip(1);
        targets.extend(rest.map(|rest| rest.split(end).next().unwrap().to_owned()));
    }
    targets.retain(|target| !target.starts_with("https://"));
    targets
}

/// Returns a path without `..`.
fn plain(path: &Path) -> PathBuf {
    path.canonicalize()
        .unwrap_or_else(|_| panic!("there is no {}", path.display()))
}

#[test]
fn every_link_leads_to_a_file_and_an_anchor_that_are_there() {
    let mut count = 0;
    for document in documents() {
        let file = path(&document);
        for target in targets(&file) {
            let (to, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let to = if to.is_empty() {
                file.clone()
            } else {
                plain(&file.parent().unwrap().join(to))
            };
            let is_there = anchor.is_empty() || anchors(&to).contains(anchor);
            assert!(is_there, "{document}: there is no anchor for {target}");
            count += 1;
        }
    }
    assert!(count > 50, "only {count} links were found");
}

#[test]
fn every_document_can_be_reached_from_the_readme() {
    let all: BTreeMap<PathBuf, String> = documents()
        .into_iter()
        .map(|document| (plain(&path(&document)), document))
        .collect();
    let mut reached = BTreeSet::new();
    let mut waiting = vec![plain(&path("README.md"))];
    while let Some(document) = waiting.pop() {
        if !all.contains_key(&document) || !reached.insert(document.clone()) {
            continue;
        }
        let folder = document.parent().unwrap();
        let files = targets(&document);
        let files = files.iter().map(|target| target.split('#').next().unwrap());
        waiting.extend(files.map(|file| plain(&folder.join(file))));
    }
    for (file, document) in &all {
        assert!(reached.contains(file), "no link leads to {document}");
    }
}
