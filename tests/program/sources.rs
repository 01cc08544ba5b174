//! Tests of rules for the sources.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the files of a folder that have one of these extensions, with their texts.
fn files(folder: &str, extensions: &[&str]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extensions.iter().any(|wanted| extension == *wanted))
            {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no such files");
    found
}

/// Returns whether a line of Rust may contain text for people: it is neither a comment nor an
/// attribute.
fn shown(line: &str) -> bool {
    let line = line.trim_start();
    !(line.starts_with("//") || line.starts_with("#["))
}

fn names_an_rfc(line: &str) -> bool {
    let mut after = line.split("RFC").skip(1);
    after.any(|text| {
        text.trim_start_matches([' ', '\u{a0}', '-'])
            .starts_with(|character: char| character.is_ascii_digit())
    })
}

#[test]
fn no_text_that_studio_shows_names_an_rfc() {
    let core = [
        "src-tauri/core/src",
        "src-tauri/src",
        "src-tauri/gateway/src",
    ];
    let rust = core.iter().flat_map(|folder| files(folder, &["rs"]));
    // The descriptions of the APIs are for developers, and Studio does not show them.
    let rust = rust.filter(|(path, _)| !path.ends_with("document.rs"));
    let ui = files("ui/src", &["svelte", "ts"]).into_iter();
    // The comments of this file are those of the commands.
    let ui = ui.filter(|(path, _)| !path.ends_with("generated/types.ts"));
    for (path, text) in rust.chain(ui) {
        for (number, line) in text.lines().enumerate() {
            let place = format!("{}:{}", path.display(), number + 1);
            assert!(!(shown(line) && names_an_rfc(line)), "{place}: {line}");
        }
    }
}

/// Returns the addresses with a fixed port that a test listens on.
fn fixed_ports(text: &str) -> Vec<String> {
    let text: String = text.split_whitespace().collect();
    let listens = [r#"bind(""#, r#""--listen",""#, r#""--metrics",""#];
    let written = listens
        .iter()
        .flat_map(|before| text.split(before).skip(1))
        .filter_map(|after| after.split('"').next());
    let is_fixed = |address: &&str| {
        let (host, port) = address.rsplit_once(':').unwrap_or((address, "0"));
        let host = host.trim_matches(['[', ']']);
        let is_here = host.is_empty() || host == "localhost" || host.parse::<IpAddr>().is_ok();
        is_here && port.parse::<u16>().is_ok_and(|port| port != 0)
    };
    written.filter(is_fixed).map(str::to_owned).collect()
}

#[test]
fn no_test_listens_on_a_fixed_port() {
    let examples = [
        (r#"TcpListener::bind("127.0.0.1:8787")"#, 1),
        ("[\"--listen\",\n    \"[::1]:8787\"]", 1),
        (r#"["--metrics", ":9187"]"#, 1),
        (r#"["--listen", "127.0.0.1:0"]"#, 0),
        (r#"["--listen", "example.com:80"]"#, 0),
        ("Listener::bind(taken.local_addr().unwrap())", 0),
    ];
    for (text, count) in examples {
        assert_eq!(fixed_ports(text).len(), count, "{text}");
    }
    let own = Path::new(file!()).file_name().unwrap();
    for folder in ["tests", "src-tauri"] {
        let files = files(folder, &["rs"]).into_iter();
        for (path, text) in files.filter(|(path, _)| path.file_name() != Some(own)) {
            let fixed = fixed_ports(&text);
            assert!(fixed.is_empty(), "{}: {fixed:?}", path.display());
        }
    }
}
