//! The code blocks of a document. The tests of the gateway include this file, too.

use std::fs;
use std::path::{Path, PathBuf};

/// A code block.
pub(crate) struct Block {
    /// Language after the opening fence. Empty if there is none.
    pub(crate) language: String,
    /// Lines between the fences.
    pub(crate) text: String,
}

/// Returns the path of a document, given relative to the root of the project.
pub(crate) fn path(document: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(document)
}

/// Returns the code blocks of a document in their order.
pub(crate) fn blocks(document: &str) -> Vec<Block> {
    let text = fs::read_to_string(path(document)).unwrap();
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        assert!(
            !line.trim_start().starts_with("```") || line.starts_with("```"),
            "{document}: an indented block would not be tested: {line}"
        );
        if let Some(language) = line.strip_prefix("```") {
            let inner = lines.by_ref().take_while(|line| *line != "```");
            let text = inner.flat_map(|line| [line, "\n"]).collect();
            let language = language.to_owned();
            blocks.push(Block { language, text });
        }
    }
    blocks
}

/// Returns the texts of a document's code blocks in a language.
pub(crate) fn blocks_in(document: &str, language: &str) -> Vec<String> {
    let of_language = |block: Block| (block.language == language).then_some(block.text);
    blocks(document)
        .into_iter()
        .filter_map(of_language)
        .collect()
}
