//! Tests of the form of answers: JSON with the same names in all commands, and text without stray
//! lines.

use serde_json::{Value, json};

use crate::run::{SECRET, hosted_here, in_folder, latchkey};

#[test]
fn each_redeemed_line_gets_one_line_of_output() {
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
fn errors_about_a_user_name_the_field_like_the_argument() {
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
fn changes_of_an_instance_hosted_elsewhere_are_in_the_activity_once_it_is_hosted_here() {
    let folder = hosted_here("http://localhost:4711");
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "a secret of the application, long enough").unwrap();
    for change in [
        &["--hosted", "elsewhere"][..],
        &["--url", "http://localhost:4712"],
        &["--secret-file", secret.to_str().unwrap()],
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
    // Earlier versions made such ids.
    let file = folder.path().join("instances/here/instance.json");
    let mut kept: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    kept["api_keys"][0]["id"] = json!("-dw12345");
    std::fs::write(&file, kept.to_string()).unwrap();
    let revoke = ["api-key", "revoke", "-dw12345", "--instance", "here"];
    let ran = in_folder(folder.path(), &revoke);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn standard_input_is_read_only_once() {
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
    assert!(ran.err.contains("only once"), "{}", ran.err);
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
fn a_missing_passphrase_file_is_reported_with_the_variable_that_names_it() {
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
fn an_encrypted_token_is_not_described_as_signed() {
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

#[test]
fn an_option_that_is_no_number_or_time_is_refused_in_plain_words() {
    for (arguments, said) in [
        (
            ["activity", "list", "--instance", "x", "--before", "abc"].as_slice(),
            "must be a number that is not negative",
        ),
        (
            ["instance", "set", "x", "--keep-activity", "0"].as_slice(),
            "The time has no unit.",
        ),
    ] {
        let ran = latchkey(arguments, &[], b"");
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains(said), "{}", ran.err);
    }
}
