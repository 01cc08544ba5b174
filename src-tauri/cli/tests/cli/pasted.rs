//! Tests of input by people: texts that contain a code, secrets in files, endless pipes.

use std::fs;
use std::process::{Command, Stdio};

use latchkey_core::link::qr::Qr;
use serde_json::json;

use crate::run::{SECRET, hosted_here, in_folder, latchkey, with_secret};

fn link() -> String {
    let ran = with_secret(&["link", "--url", "https://a.b", "--email", "a@b.cd"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.out.trim().to_owned()
}

#[test]
fn inspect_and_redeem_find_the_code_in_a_mail() {
    let folder = hosted_here("https://a.b");
    let made = in_folder(
        folder.path(),
        &["link", "--instance", "Here", "--user-id", "ada"],
    );
    let link = made.out.trim();
    let (before, after) = link.split_at(90);
    let mail =
        format!("Hi support,\n\nthis does nothing:\n> <{before}\n> {after}>.\n\nThanks, Ben\n");
    let looked = in_folder(
        folder.path(),
        &["--json", "inspect", &mail, "--instance", "Here"],
    );
    assert_eq!(looked.code, 0, "{}", looked.err);
    let looked = looked.json();
    assert_eq!(looked["form"], "text");
    assert_eq!(looked["verification"]["verified"], true);
    assert_eq!(looked["hints"], json!([]));
    let redeemed = in_folder(
        folder.path(),
        &["--json", "redeem", &mail, "--instance", "Here"],
    );
    assert_eq!(redeemed.code, 0, "{}", redeemed.err);
    assert_eq!(redeemed.json()["verdict"], "provisioned");
}

#[test]
fn inspect_names_the_cause_in_words_and_in_json() {
    let code = link();
    let quoted = format!("\"{SECRET}\"");
    let environment = [("LATCHKEY_SECRET", quoted.as_str())];
    let ran = latchkey(&["--json", "inspect", &code], &environment, b"");
    assert_eq!(ran.code, 1);
    let hint = &ran.json()["hints"][0];
    assert_eq!(hint["code"], "secret_has_quotes");
    assert_eq!(hint["next"], "replace_secret");
    let ran = latchkey(&["inspect", &code], &environment, b"");
    assert!(ran.out.contains("pasted with its quotes"), "{}", ran.out);
    assert!(!ran.out.contains(SECRET));
}

#[test]
fn inspect_names_the_instance_that_signed_a_code() {
    let folder = hosted_here("https://a.b");
    let made = in_folder(folder.path(), &["link", "--instance", "Here", "--id", "1"]);
    let link = made.out.trim();
    let add = [
        "instance",
        "add",
        "Other",
        "--url",
        "https://c.d",
        "--generate-secret",
    ];
    assert_eq!(in_folder(folder.path(), &add).code, 0);
    let ran = in_folder(
        folder.path(),
        &["--json", "inspect", link, "--instance", "Other"],
    );
    assert_eq!(ran.code, 1);
    let hints = ran.json()["hints"].clone();
    assert_eq!(hints[0]["code"], "signed_by_other_instance");
    assert_eq!(hints[0]["instance"], "here");
    assert_eq!(hints.as_array().unwrap().len(), 1, "one cause says both");
}

#[test]
fn a_secret_file_may_have_a_byte_order_mark_line_ends_and_invisible_characters() {
    let folder = tempfile::tempdir().unwrap();
    let link = link();
    let utf16: Vec<u8> = format!("\u{FEFF}{SECRET}\r\n")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (name, bytes) in [
        ("windows", format!("\u{FEFF}{SECRET}\r\n").into_bytes()),
        ("powershell", utf16),
        ("copied", format!("{SECRET}\u{200B}\n\n").into_bytes()),
    ] {
        let file = folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        let ran = latchkey(
            &["inspect", &link, "--secret-file", file.to_str().unwrap()],
            &[],
            b"",
        );
        assert_eq!(ran.code, 0, "{name}: {}{}", ran.out, ran.err);
    }
}

#[test]
fn a_secret_in_base64_or_hex_is_decoded_wherever_it_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let link = link();
    let hex: String = SECRET
        .bytes()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let base64 = "YS1zZWNyZXQtb2YtbW9yZS10aGFuLXRoaXJ0eS10d28tYnl0ZXM=";
    for (encoding, secret) in [("hex", hex.as_str()), ("base64", base64), ("text", SECRET)] {
        let file = folder.path().join(encoding);
        fs::write(&file, format!("{secret}\n")).unwrap();
        let file = file.to_str().unwrap();
        let given = ["--secret-file", file, "--secret-encoding", encoding];
        let inspect = [&["inspect", &link][..], &given].concat();
        assert_eq!(latchkey(&inspect, &[], b"").code, 0, "{encoding}");
        // The instance stores the encoding with its secret.
        let name = format!("In {encoding}");
        let add = [
            &["instance", "add", &name, "--url", "https://a.b"][..],
            &given,
        ]
        .concat();
        assert_eq!(in_folder(folder.path(), &add).code, 0, "{encoding}");
        let kept = in_folder(
            folder.path(),
            &["--json", "inspect", &link, "--instance", &name],
        );
        assert_eq!(kept.code, 0, "{encoding}: {}{}", kept.out, kept.err);
        let shown = in_folder(folder.path(), &["--json", "instance", "show", &name]);
        assert_eq!(shown.json()["secret"]["encoding"], encoding);
    }
    let wrong = latchkey(
        &["--json", "inspect", &link, "--secret-encoding", "base64"],
        &[("LATCHKEY_SECRET", "no base64!")],
        b"",
    );
    assert_eq!(
        wrong.refusal(),
        (1, "invalid_secret".into(), Some("secret".into()))
    );
    let alone = latchkey(
        &["--json", "inspect", &link, "--secret-encoding", "hex"],
        &[],
        b"",
    );
    assert_eq!(alone.refusal().0, 2);
}

#[cfg(unix)]
#[test]
fn an_endless_pipe_is_refused_at_a_limit() {
    for arguments in [
        &["--json", "inspect", "-"][..],
        &[
            "--json",
            "link",
            "--url",
            "https://a.b",
            "--id",
            "1",
            "--secret-file",
            "-",
        ],
    ] {
        let mut endless = Command::new("yes").stdout(Stdio::piped()).spawn().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_latchkey"))
            .args(arguments)
            .env_clear()
            .env("LATCHKEY_KEYCHAIN", "off")
            .stdin(endless.stdout.take().unwrap())
            .output()
            .unwrap();
        let _ = endless.kill();
        endless.wait().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let error: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
        assert_eq!(error["error"]["code"], "input_too_large");
    }
}

#[test]
fn a_qr_code_with_other_content_is_reported_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wifi.png");
    let qr = Qr::for_url("WIFI:T:WPA;S:Office;P:s3cr3t-of-the-network;;").unwrap();
    fs::write(&file, qr.png().unwrap()).unwrap();
    let ran = with_secret(&["--json", "inspect", file.to_str().unwrap()]);
    assert_eq!(ran.refusal(), (1, "no_code".into(), Some("code".into())));
    assert!(ran.err.contains("a Wi-Fi network"), "{}", ran.err);
    assert!(!ran.err.contains("s3cr3t"), "{}", ran.err);
}
