use crate::run::latchkey;

#[test]
fn a_generated_secret_is_printed_alone() {
    for (algorithm, digits) in [("HS256", 64), ("HS384", 96), ("HS512", 128)] {
        let ran = latchkey(&["secret", "generate", "--algorithm", algorithm], &[], b"");
        assert_eq!(ran.out.trim().len(), digits);
    }
    let json = latchkey(&["--json", "secret", "generate"], &[], b"").json();
    assert_eq!(json["secret"].as_str().unwrap().len(), 64);
}

#[test]
fn completions_and_manual_pages_are_made() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        assert!(
            latchkey(&["completions", shell], &[], b"")
                .out
                .contains("latchkey"),
            "{shell}"
        );
    }
    assert!(latchkey(&["man"], &[], b"").out.starts_with(".ie"));
    let folder = tempfile::tempdir().unwrap();
    let ran = latchkey(&["man", "--out", folder.path().to_str().unwrap()], &[], b"");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(folder.path().join("latchkey-link.1").is_file());
}

#[test]
fn the_manual_pages_are_without_fault() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    assert_eq!(latchkey(&["man", "--out", out], &[], b"").code, 0);
    let pages = std::fs::read_dir(folder.path()).unwrap();
    let pages: Vec<_> = pages.map(|page| page.unwrap().path()).collect();
    assert!(pages.len() > 20, "{pages:?}");
    let ran = std::process::Command::new("mandoc")
        .args(["-T", "lint"])
        .args(&pages)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.is_empty(), "{said}");
}

/// Returns the manual page of the program as a terminal shows it.
fn shown() -> String {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("latchkey.1");
    std::fs::write(&page, latchkey(&["man"], &[], b"").out).unwrap();
    let ran = std::process::Command::new("mandoc")
        .args(["-T", "ascii", "-O", "width=78"])
        .arg(page)
        .output()
        .unwrap();
    // A bold or underlined character is printed over another one.
    let text = String::from_utf8(ran.stdout).unwrap();
    regex::Regex::new(".\u{8}")
        .unwrap()
        .replace_all(&text, "")
        .into_owned()
}

#[test]
fn the_manual_page_keeps_the_table_of_secrets_and_names_only_pages_that_exist() {
    let shown = shown();
    assert!(
        shown.contains("latchkey [OPTIONS] <COMMAND>"),
        "the synopsis: {shown}"
    );
    let (_, secrets) = shown.split_once("\nSECRETS\n").unwrap();
    for term in ["--secret-file FILE", "--instance NAME", "LATCHKEY_SECRET"] {
        let mut lines = secrets.lines().map(str::trim);
        assert!(lines.any(|line| line == term), "{term}: {secrets}");
    }
    assert!(!shown.contains("EXTRA"), "{shown}");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    assert_eq!(latchkey(&["man", "--out", out], &[], b"").code, 0);
    let page = regex::Regex::new(r"latchkey-[a-z-]+\(1\)").unwrap();
    let named: Vec<_> = page.find_iter(&shown).map(|page| page.as_str()).collect();
    assert!(named.len() > 10, "{named:?}");
    for name in named {
        let file = name.replace("(1)", ".1");
        assert!(folder.path().join(&file).is_file(), "{file}");
    }
}

#[test]
fn no_argument_takes_a_secret() {
    let help = latchkey(&["link", "--help"], &[], b"").out;
    assert!(
        help.contains("--secret-file") && !help.contains("--secret "),
        "{help}"
    );
}
