//! The form of answers: JSON that agrees from command to command, and text without stray lines.

use serde_json::{Value, json};

use crate::run::{SECRET, hosted_here, in_folder, latchkey};

#[test]
fn each_line_that_is_redeemed_is_answered_by_one_line() {
    let folder = hosted_here("https://a.b");
    let link = ["link", "--instance", "here", "--user-id", "ada"];
    let link = in_folder(folder.path(), &link).out;
    let input = format!("no code here\n{link}\n");
    let environment = [
        ("LATCHKEY_DATA_DIR", folder.path().to_str().unwrap()),
        ("LATCHKEY_PASSPHRASE", "correct horse battery"),
    ];
    let redeem = ["--json", "redeem", "-", "--instance", "here"];
    let ran = latchkey(&redeem, &environment, input.as_bytes());
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    let lines: Vec<Value> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect();
    assert_eq!(lines.len(), 3, "{}", ran.out);
    assert_eq!(lines[0]["error"]["code"], "no_code");
    assert_eq!(lines[1]["verdict"], "provisioned");
    assert_eq!(
        lines[2]["error"]["code"], "no_code",
        "an empty line is one, too"
    );
    let text = latchkey(&redeem[1..], &environment, b"no code here\n");
    assert!(
        text.out.starts_with("no_code: There is no code"),
        "{}",
        text.out
    );
}

#[test]
fn lists_are_objects_and_empty_ones_print_no_line() {
    let folder = hosted_here("https://a.b");
    for list in [["users", "list"], ["activity", "list"], ["api-key", "list"]] {
        let arguments = [&list[..], &["--instance", "here"]].concat();
        let arguments = match list[0] {
            "activity" => [&arguments[..], &["--about", "nobody"]].concat(),
            _ => arguments,
        };
        let ran = in_folder(folder.path(), &arguments);
        assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{list:?}");
        assert!(ran.err.starts_with("There is no "), "{list:?}: {}", ran.err);
        let listed = in_folder(folder.path(), &[&["--json"], &arguments[..]].concat());
        assert!(listed.json().is_object(), "{}", listed.out);
    }
}

#[test]
fn errors_about_a_user_name_the_member_as_the_arguments_do() {
    let folder = hosted_here("https://a.b");
    let users = |arguments: &[&str]| {
        let all = [&["--json", "users", "--instance", "here"], arguments].concat();
        in_folder(folder.path(), &all)
    };
    assert_eq!(
        users(&["add", "bob", "--email", "Bob@acme.example"]).code,
        0
    );
    let id = Some("id".to_owned());
    assert_eq!(
        users(&["add", "bob"]).refusal(),
        (1, "user_exists".into(), id.clone())
    );
    assert_eq!(users(&["add", " bob"]).refusal().2, id);
    assert_eq!(
        users(&["suspend", "eve"]).refusal(),
        (1, "unknown_user".into(), id)
    );
    assert_eq!(
        users(&["add", "eve", "--email", "x"]).refusal().2,
        Some("email".into())
    );
    // The error for an address in place of an id names the id.
    for command in ["suspend", "show", "remove"] {
        let said = users(&[command, "BOB@acme.example"]).err;
        assert!(said.contains("is the address of bob"), "{said}");
    }
    let said = users(&["suspend", "eve@acme.example"]).err;
    assert!(!said.contains("address of"), "{said}");
}

#[test]
fn an_instance_that_is_hosted_elsewhere_is_refused_in_words_that_fit_each_command() {
    let folder = tempfile::tempdir().unwrap();
    let add = [
        "instance",
        "add",
        "There",
        "--url",
        "https://a.b",
        "--hosted",
        "elsewhere",
    ];
    assert_eq!(
        in_folder(folder.path(), &[&add[..], &["--generate-secret"]].concat()).code,
        0
    );
    for command in [
        &["users", "list"][..],
        &["seats", "--set", "3"],
        &["activity", "list"],
        &["api-key", "make", "CRM"],
        &["serve"],
    ] {
        let ran = in_folder(folder.path(), &[command, &["--instance", "there"]].concat());
        assert_eq!(ran.code, 1, "{command:?}");
        assert!(
            ran.err.contains("is hosted elsewhere"),
            "{command:?}: {}",
            ran.err
        );
        assert!(!ran.err.contains("redeem"), "{command:?}: {}", ran.err);
        assert!(
            ran.err.contains("--hosted here"),
            "{command:?}: {}",
            ran.err
        );
        assert!(!ran.err.contains("let a proxy"), "{command:?}: {}", ran.err);
    }
}

#[test]
fn an_error_names_commands_and_not_the_screens_of_studio() {
    let folder = tempfile::tempdir().unwrap();
    let add = [
        "instance",
        "add",
        "Here",
        "--url",
        "http://localhost:4711",
        "--no-secret",
    ];
    assert_eq!(in_folder(folder.path(), &add).code, 0);
    let serve = ["serve", "--instance", "here", "--listen", "127.0.0.1:0"];
    let link = ["link", "--instance", "here", "--id", "1"];
    for command in [&serve[..], &link] {
        let said = in_folder(folder.path(), command).err;
        assert!(said.contains("latchkey instance set"), "{said}");
        assert!(!said.contains("Settings"), "{said}");
    }
    let off = hosted_here("http://localhost:4711");
    let in_off = |arguments: &[&str]| in_folder(off.path(), arguments);
    let link = in_off(&["link", "--instance", "here", "--user-id", "ada"]).out;
    in_off(&["instance", "set", "here", "--external-auth", "no"]);
    let refused = in_off(&["redeem", link.trim(), "--instance", "here"]);
    assert!(
        refused.out.starts_with("external_auth_off: "),
        "{}",
        refused.out
    );
    assert!(!refused.out.contains("Settings"), "{}", refused.out);
    assert!(
        refused.err.contains("--external-auth yes"),
        "{}",
        refused.err
    );
    let short = folder.path().join("short");
    std::fs::write(&short, "short").unwrap();
    let link = ["link", "--url", "https://a.b", "--id", "1", "--secret-file"];
    let ran = in_folder(
        folder.path(),
        &[&link[..], &[short.to_str().unwrap()]].concat(),
    );
    let message = ran.err.lines().next().unwrap();
    assert!(
        message.contains("(weak_secret") && !message.contains("latchkey instance"),
        "{message}"
    );
}

#[test]
fn what_is_changed_while_an_instance_is_hosted_elsewhere_is_in_the_activity_afterwards() {
    let folder = hosted_here("http://localhost:4711");
    for change in [
        &["--hosted", "elsewhere"][..],
        &["--url", "http://localhost:4712"],
        &["--generate-secret"],
        &["--external-auth", "no"],
        &["--hosted", "here"],
    ] {
        let set = [&["instance", "set", "here"], change].concat();
        assert_eq!(in_folder(folder.path(), &set).code, 0, "{change:?}");
    }
    let list = ["--json", "activity", "list", "--instance", "here"];
    let entries = in_folder(folder.path(), &list).json()["entries"].clone();
    let entries = entries.to_string();
    for expected in [
        "here → elsewhere",
        "4712",
        "secret_replaced",
        "external_auth_switched_off",
    ] {
        assert!(entries.contains(expected), "{expected}: {entries}");
    }
}

#[test]
fn a_key_whose_id_begins_with_a_hyphen_is_revoked() {
    let folder = hosted_here("https://a.b");
    let make = ["api-key", "make", "CRM", "--instance", "here"];
    assert_eq!(in_folder(folder.path(), &make).code, 0);
    // As earlier versions made them.
    let file = folder.path().join("instances/here/instance.json");
    let mut kept: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    kept["api_keys"][0]["id"] = json!("-dw12345");
    std::fs::write(&file, kept.to_string()).unwrap();
    let revoke = ["api-key", "revoke", "-dw12345", "--instance", "here"];
    let ran = in_folder(folder.path(), &revoke);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn standard_input_is_read_for_one_thing_only() {
    let arguments = [
        "link",
        "--url",
        "https://a.b",
        "--user-id",
        "ada",
        "--metadata-json",
        "-",
        "--secret-file",
        "-",
    ];
    let ran = latchkey(&arguments, &[], b"{}");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("Two things"), "{}", ran.err);
}

#[test]
fn an_error_about_an_option_names_the_option() {
    let folder = hosted_here("http://localhost:4711");
    let of_link = ["link", "--instance", "here", "--id", "1"];
    let set = ["instance", "set", "here"];
    for (command, option, value) in [
        (&of_link[..], "--not-before", "soon"),
        (&of_link, "--not-before", "9999-12-31T00:00"),
        (&of_link, "--expires-in", "soon"),
        (&set, "--session-idle", "1 second"),
        (&set, "--return-to", "null"),
        (&set, "--embed-in", "'self'"),
        (&set, "--param", "a b"),
        (&set, "--keep-activity", "x"),
        (&set, "--url", "/tmp"),
    ] {
        let arguments = [&["--json"], command, &[option, value]].concat();
        let refused = in_folder(folder.path(), &arguments);
        let (_, _, field) = refused.refusal();
        assert_eq!(
            field.as_deref(),
            option.strip_prefix("--"),
            "{}",
            refused.err
        );
        assert!(!refused.err.contains("https:///"), "{}", refused.err);
    }
    let late = in_folder(
        folder.path(),
        &[&of_link[..], &["--not-before", "9999-12-31T00:00"]].concat(),
    );
    assert!(late.err.contains("too late"), "{}", late.err);
}

#[test]
fn a_missing_passphrase_file_says_what_names_it() {
    let folder = hosted_here("http://localhost:4711");
    let environment = [
        ("LATCHKEY_DATA_DIR", folder.path().to_str().unwrap()),
        ("LATCHKEY_PASSPHRASE_FILE", "/nope"),
    ];
    let refused = latchkey(
        &["link", "--instance", "here", "--id", "1"],
        &environment,
        b"",
    );
    assert!(
        refused.err.contains("LATCHKEY_PASSPHRASE_FILE"),
        "{}",
        refused.err
    );
}

#[test]
fn an_encrypted_token_is_not_said_to_be_signed() {
    // {"alg":"RSA-OAEP","enc":"A256GCM"}
    let header = "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ";
    let token = format!(
        "{header}.OKOawDo13gRp2ojaHV7LFpZcgV7T6DVZKTyKOMTYUmKoTCVJRgckCL9kiMT03JGe.48V1_ALb6US04U3b.5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6ji.XFBoMYUZodetZdvTiFvSkQ"
    );
    let refused = latchkey(&["inspect", &token], &[("LATCHKEY_SECRET", SECRET)], b"");
    assert!(
        refused.out.contains("encrypted"),
        "{} {}",
        refused.out,
        refused.err
    );
}
