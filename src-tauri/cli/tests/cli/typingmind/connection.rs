//! Tests of the connection: its key, its address and its certificate.

use std::fs;
use std::path::Path;

use super::{Connected, elsewhere};
use crate::run::{in_folder, latchkey};
use crate::stand_in::{KEY, StandIn};

#[test]
fn the_key_is_sealed_and_a_wrong_one_is_refused_without_being_printed() {
    let chat = Connected::copied(1);
    let instance = chat.folder.path().join("instances/chat");
    let file = fs::read_to_string(instance.join("instance.json")).unwrap();
    assert!(
        file.contains(r#""format": 7"#) && file.contains("typingmind"),
        "{file}"
    );
    for path in [
        instance.join("instance.json"),
        chat.folder.path().join("keys.sealed"),
    ] {
        assert!(
            !fs::read_to_string(&path).unwrap().contains(KEY),
            "{}",
            path.display()
        );
    }
    let shown = chat.run(&["instance", "show", "chat"]);
    assert!(shown.out.contains(&format!(
        "typingmind              {}, key set 2",
        chat.typingmind.url()
    )));
    assert!(!shown.out.contains(KEY));

    let set = ["instance", "set", "chat", "--typingmind-key-file", "-"];
    let environment = [
        ("LATCHKEY_DATA_DIR", chat.folder.path().to_str().unwrap()),
        ("LATCHKEY_PASSPHRASE", "correct horse battery"),
    ];
    let replaced = latchkey(&set, &environment, b" tm-another-key\n");
    assert_eq!(replaced.code, 0, "{}", replaced.err);
    let refused = chat.users(&["sync"]);
    assert!(
        refused.err.contains("refuses the API key (401)"),
        "{}",
        refused.err
    );
    assert!(!refused.err.contains("tm-another-key"));
    for nonsense in [&b""[..], b"two words", b"\xff"] {
        let ran = latchkey(&[&["--json"], &set[..]].concat(), &environment, nonsense);
        assert_eq!(
            ran.refusal().2.as_deref(),
            Some("typingmind-key-file"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn disconnecting_removes_key_and_copy_and_is_recorded() {
    let chat = Connected::copied(1);
    let copy = chat
        .folder
        .path()
        .join("instances/chat/typingmind-users.json");
    assert!(copy.exists());
    let done = chat.run(&["instance", "set", "chat", "--no-typingmind"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(!copy.exists());
    assert_eq!(chat.activity()[0].0, "typingmind_disconnected");
    let refused = chat.users(&["--json", "sync"]);
    assert_eq!(refused.refusal().1, "not_connected");
    assert!(
        refused.err.contains("--typingmind-region"),
        "{}",
        refused.err
    );
    // Without a connection there are no users here, as for any other application.
    assert_eq!(
        chat.users(&["--json", "list"]).refusal().1,
        "hosted_elsewhere"
    );
}

#[test]
fn only_an_instance_elsewhere_is_connected_and_only_by_an_encrypted_address() {
    let here = crate::run::hosted_here("https://a.bc");
    let set = [
        "--json",
        "instance",
        "set",
        "here",
        "--typingmind-region",
        "eu",
    ];
    let refused = in_folder(here.path(), &set).refusal();
    assert_eq!(
        refused,
        (1, "invalid_setting".to_owned(), Some("hosted".to_owned()))
    );
    let sync = ["--json", "users", "sync", "--instance", "here"];
    assert_eq!(in_folder(here.path(), &sync).refusal().1, "invalid_setting");

    let chat = elsewhere();
    for (region, is_accepted) in [
        ("us", true),
        ("eu", true),
        ("https://proxy.example/typingmind", true),
        ("http://127.0.0.1:9/api", true),
        ("http://proxy.example", false),
        ("https://proxy.example/?a=b", false),
        ("asia", false),
    ] {
        let set = ["instance", "set", "chat", "--typingmind-region", region];
        assert_eq!(
            in_folder(chat.path(), &set).code == 0,
            is_accepted,
            "{region}"
        );
    }
}

#[test]
fn only_a_certificate_that_the_computer_trusts_is_accepted() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let pem = folder.path().join("both.pem");
    let both = made.cert.pem() + &made.signing_key.serialize_pem();
    fs::write(&pem, both).unwrap();
    let server = StandIn::run(2, Some(&pem));
    let chat = elsewhere();
    let url = format!("https://localhost:{}/api", server.port());
    let key = folder.path().join("key");
    fs::write(&key, KEY).unwrap();
    let key = key.to_str().unwrap();
    let set = [
        "instance",
        "set",
        "chat",
        "--typingmind-region",
        &url,
        "--typingmind-key-file",
        key,
    ];
    assert_eq!(in_folder(chat.path(), &set).code, 0);
    let sync = |trusted: &Path| {
        let environment = [
            ("LATCHKEY_DATA_DIR", chat.path().to_str().unwrap()),
            ("LATCHKEY_PASSPHRASE", "correct horse battery"),
            ("SSL_CERT_FILE", trusted.to_str().unwrap()),
        ];
        latchkey(&["users", "sync", "--instance", "chat"], &environment, b"")
    };
    let unknown = sync(Path::new("/etc/ssl/certs/ca-certificates.crt"));
    assert_eq!(unknown.code, 1);
    assert!(unknown.err.contains("certificate"), "{}", unknown.err);
    assert!(server.requests().is_empty(), "the key was sent");
    let trusted = sync(&pem);
    assert_eq!(
        (trusted.code, trusted.out.as_str()),
        (0, "Copied 2 users.\n"),
        "{}",
        trusted.err
    );
}
