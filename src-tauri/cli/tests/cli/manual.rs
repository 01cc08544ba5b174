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
fn no_argument_takes_a_secret() {
    let help = latchkey(&["link", "--help"], &[], b"").out;
    assert!(
        help.contains("--secret-file") && !help.contains("--secret "),
        "{help}"
    );
}
