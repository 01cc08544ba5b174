//! Runs the shell commands of the documents as written.
//!
//! The commands of a document run one after the other in a fresh folder. They run in a network
//! namespace of their own, where the ports and host names of the documents are free.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Output};

use super::blocks::{blocks_in, path};
use super::documents;
use crate::run::{SECRET, latchkey, with_secret};

/// Beginnings of the commands that no test runs, each with the reason.
const NOT_HERE: [(&str, &str); 3] = [
    ("cargo xtask run", "it opens a window"),
    ("cargo xtask test", "it runs this test"),
    ("cargo install", "it builds this program"),
];

/// Arguments of `unshare` for a network namespace and a mount namespace. The user stays the same,
/// and may use every port there.
pub(super) const NETWORK: [&str; 4] = ["--map-current-user", "--keep-caps", "--net", "--mount"];

/// Shell functions around the commands. A gateway runs until a command that sends it no request.
const FUNCTIONS: &str = r#"
gateway=
end_gateway() {
    [ -n "$gateway" ] || return 0
    kill "$gateway"
    wait "$gateway"
    gateway=
}
wait_for_gateway() {
    until grep -q . serve.out; do
        kill -0 "$gateway" || { cat serve.err >&2; exit 1; }
        sleep 0.02
    done
}
need_gateway() {
    [ -z "$gateway" ] || return 0
    latchkey serve --instance Acme --listen 127.0.0.1:443 --tls-self-signed >serve.out 2>serve.err &
    gateway=$!
    wait_for_gateway
}
trap end_gateway EXIT
"#;

/// Starts the stand-in for TypingMind's API at the address of the API, in namespaces of their own.
const TYPINGMIND: &str = r#"
mount --bind hosts /etc/hosts
export SSL_CERT_FILE="$PWD/typingmind.pem"
python3 typingmind.py --key tm-key --folder . --port 443 --certificate typingmind.pem >typingmind.out &
typingmind=$!
trap 'end_gateway; kill "$typingmind"' EXIT
until grep -q . typingmind.out; do
    kill -0 "$typingmind" || exit 1
    sleep 0.02
done
"#;

/// Opens the first link of the README like a browser. The gateway that the README starts must be
/// running.
const FIRST_LINK: &str = r#"
link=$(latchkey link --instance Demo --user-id ada)
curl --user-agent Mozilla/5.0 --location --cookie-jar cookies "$link" >page
grep -q "You are signed in" page
"#;

/// Returns whether a block is for root on a server. The test of the service runs such a block.
pub(super) fn is_of_the_service(block: &str) -> bool {
    ["useradd", "systemctl", "/var/lib/latchkey", "/root/"]
        .iter()
        .any(|sign| block.contains(sign))
}

/// Returns whether a block starts an application. The test of the proxies runs such a block.
pub(super) fn is_of_open_webui(block: &str) -> bool {
    block.contains("open-webui")
}

/// Returns whether a block moves an instance to a server. The test of the move runs such a block.
pub(super) fn is_of_the_move(block: &str) -> bool {
    block.contains("acme.latchkey")
}

/// Returns whether a command is for the other computer, or for the running gateway that the other
/// computer connects to.
fn needs_running_gateway(command: &str) -> bool {
    ["--data-dir ~/laptop", "connection.txt", "reader.txt"]
        .iter()
        .any(|sign| command.contains(sign))
}

/// Returns the commands of a document, each with its continuation lines.
fn commands(document: &str) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let blocks = blocks_in(document, "sh").into_iter();
    let is_elsewhere = |block: &String| {
        is_of_the_service(block) || is_of_open_webui(block) || is_of_the_move(block)
    };
    for block in blocks.filter(|block| !is_elsewhere(block)) {
        let mut continues = false;
        for line in block.lines() {
            if continues {
                let command = commands.last_mut().unwrap();
                command.push('\n');
                command.push_str(line);
            } else if !line.is_empty() && !line.starts_with('#') {
                commands.push(line.to_owned());
            }
            continues = line.ends_with('\\');
        }
    }
    commands.retain(|command| {
        let is_left_out = NOT_HERE.iter().any(|(begin, _)| command.starts_with(begin));
        !is_left_out
    });
    commands
}

/// Returns whether a command needs a network namespace.
fn needs_network(command: &str) -> bool {
    command.starts_with("latchkey serve")
        || command.starts_with("curl")
        || needs_running_gateway(command)
}

/// Returns whether this computer allows a test to make a network namespace.
#[expect(
    clippy::print_stderr,
    reason = "a test that skips something prints that"
)]
pub(super) fn has_networks() -> bool {
    let tried = Command::new("unshare")
        .args(NETWORK)
        .args(["ip", "link", "set", "lo", "up"])
        .status();
    let has = matches!(tried, Ok(status) if status.success());
    if !has {
        eprintln!("left out: commands that need a network of their own");
    }
    has
}

/// Prepares a folder with what the reader has: the program, a secret in a file, and a link on the
/// clipboard.
fn prepare(folder: &Path) {
    let path = |name: &str| folder.join(name);
    fs::create_dir(path("bin")).unwrap();
    symlink(env!("CARGO_BIN_EXE_latchkey"), path("bin/latchkey")).unwrap();
    fs::create_dir(path("secrets")).unwrap();
    fs::write(path("secrets/chat"), SECRET).unwrap();
    fs::write(path("secret.txt"), SECRET).unwrap();
    let link = with_secret(&["link", "--url", "https://a.b", "--email", "a@b.cd"]).out;
    fs::write(
        path("bin/pbpaste"),
        format!("#!/bin/sh\necho '{}'\n", link.trim()),
    )
    .unwrap();
    fs::set_permissions(path("bin/pbpaste"), fs::Permissions::from_mode(0o755)).unwrap();
    // Makes `curl` fail for a refused request, and trust the certificate of the gateway.
    let certificate = path("data/instances/acme/self-signed.pem");
    let curl = format!(
        "fail\nsilent\nshow-error\nresolve = \"chat.acme.example:443:127.0.0.1\"\ncacert = \"{}\"\n",
        certificate.display()
    );
    fs::write(path(".curlrc"), curl).unwrap();
}

/// Prepares a folder with the key of TypingMind's API, and with what its stand-in needs.
fn prepare_typingmind(folder: &Path) {
    let host = "api.eu.typingmind.com";
    let made = rcgen::generate_simple_self_signed(vec![host.to_owned()]).unwrap();
    let both = made.cert.pem() + &made.signing_key.serialize_pem();
    for (name, contents) in [
        ("typingmind-key.txt", "tm-key\n".to_owned()),
        ("typingmind.pem", both),
        ("hosts", format!("127.0.0.1 localhost {host}\n")),
    ] {
        fs::write(folder.join(name), contents).unwrap();
    }
    let server = path("tests/typingmind/server.py");
    symlink(server, folder.join("typingmind.py")).unwrap();
}

/// Returns a script that runs the commands and names the one that fails.
fn script(commands: &[String], has_network: bool, before: &str) -> String {
    let mut script = "set -u\n".to_owned();
    if has_network {
        script.push_str("ip link set lo up\n");
    }
    script.push_str(FUNCTIONS);
    script.push_str(before);
    for (number, command) in commands.iter().enumerate() {
        let fails = format!("{{ echo \"command {number} failed\" >&2; exit 1; }}");
        let run = if command.starts_with("latchkey serve") {
            format!(
                "end_gateway || {fails}\n: >serve.out\n{command} >serve.out 2>serve.err &\n\
                 gateway=$!\nwait_for_gateway || {fails}\n"
            )
        } else if command.starts_with("curl") {
            format!("need_gateway || {fails}\n{command} || {fails}\n")
        } else if needs_running_gateway(command) {
            format!("{command} || {fails}\n")
        } else {
            format!("end_gateway || {fails}\n{command} || {fails}\n")
        };
        script.push_str(&run);
    }
    script
}

fn run(folder: &Path, script: &str, has_network: bool) -> Output {
    let mut command = Command::new(if has_network { "unshare" } else { "sh" });
    if has_network {
        command.args(NETWORK).arg("sh");
    }
    command
        .args(["-c", script])
        .current_dir(folder)
        .env_clear()
        .env(
            "PATH",
            format!(
                "{}:/usr/sbin:/usr/bin:/sbin:/bin",
                folder.join("bin").display()
            ),
        )
        .env("HOME", folder)
        .env("LATCHKEY_KEYCHAIN", "off")
        .env("LATCHKEY_DATA_DIR", folder.join("data"))
        .env("LATCHKEY_PASSPHRASE", "correct horse battery staple")
        .env("LATCHKEY_BACKUP_PASSPHRASE", "another horse battery staple")
        .output()
        .unwrap()
}

#[test]
fn every_command_of_the_readme_and_the_guides_runs_as_written() {
    let has_network = has_networks();
    let mut count = 0;
    for document in documents() {
        let mut commands = commands(&document);
        let needs_network_for_all = document.ends_with("/typingmind.md");
        if commands.is_empty() || (needs_network_for_all && !has_network) {
            continue;
        }
        commands.retain(|command| has_network || !needs_network(command));
        count += commands.len();
        // All guides but the first ones assume an instance that the reader already has.
        let adds = "latchkey instance add Acme --url https://chat.acme.example";
        if !commands
            .iter()
            .any(|command| command.starts_with("latchkey instance add Acme"))
        {
            commands.insert(0, adds.to_owned());
        }
        let folder = tempfile::tempdir().unwrap();
        prepare(folder.path());
        let is_typingmind = document.ends_with("/typingmind.md");
        if is_typingmind {
            prepare_typingmind(folder.path());
        }
        let before = if is_typingmind { TYPINGMIND } else { "" };
        let mut script = script(&commands, has_network, before);
        if document == "README.md" && has_network {
            script.push_str("set -e\n");
            script.push_str(FIRST_LINK);
        }
        let ran = run(folder.path(), &script, has_network);
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{document}\n{script}\n{said}");
        if document == "README.md" {
            assert!(folder.path().join("ada.png").is_file());
        }
    }
    assert!(count >= 30, "only {count} commands were found");
}

#[test]
fn every_command_that_no_test_runs_is_in_a_document() {
    for (begin, reason) in NOT_HERE {
        let is_used = documents()
            .iter()
            .flat_map(|document| blocks_in(document, "sh"))
            .any(|block| block.lines().any(|line| line.starts_with(begin)));
        assert!(is_used, "{begin} ({reason}) is in no document");
    }
}

#[test]
fn a_block_that_has_a_test_of_its_own_is_in_the_document_of_that_test() {
    for document in documents() {
        for block in blocks_in(&document, "sh") {
            for (is_left_out, home) in [
                (is_of_the_service(&block), "src-tauri/guides/gateway.md"),
                (is_of_open_webui(&block), "src-tauri/guides/proxies.md"),
                (is_of_the_move(&block), "src-tauri/guides/moving.md"),
            ] {
                assert!(!is_left_out || document == home, "{document}: {block}");
            }
        }
    }
}

/// Returns the commands that the text of a document names in line, such as `latchkey users list`.
fn named_in_line(document: &str) -> Vec<String> {
    let text = fs::read_to_string(path(document)).unwrap();
    let prose = text.split("```").step_by(2);
    let codes = prose.flat_map(|prose| prose.split('`').skip(1).step_by(2));
    let commands = codes.filter(|code| code.starts_with("latchkey "));
    commands
        .map(|code| {
            code.split_whitespace()
                .skip(1)
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect()
}

#[test]
fn a_command_that_a_document_names_in_line_exists_with_its_options() {
    let mut helps: BTreeMap<Vec<String>, Option<String>> = BTreeMap::new();
    let mut count = 0;
    for document in documents() {
        for command in named_in_line(&document) {
            let words = command.split(' ').filter(|word| !word.starts_with('-'));
            let mut words: Vec<String> = words.map(str::to_owned).collect();
            // The words after the subcommands are values.
            let help = loop {
                assert!(!words.is_empty(), "{document}: latchkey {command}");
                let help = helps.entry(words.clone()).or_insert_with(|| {
                    let arguments = ["help"].into_iter().chain(words.iter().map(String::as_str));
                    let ran = latchkey(&arguments.collect::<Vec<_>>(), &[], b"");
                    (ran.code == 0).then_some(ran.out)
                });
                match help {
                    Some(help) => break help.clone(),
                    None => drop(words.pop()),
                }
            };
            for option in command.split(' ').filter(|word| word.starts_with("--")) {
                let is_there = help.split_whitespace().any(|word| word == option);
                assert!(is_there, "{document}: latchkey {command}: no {option}");
            }
            count += 1;
        }
    }
    assert!(count >= 20, "only {count} commands were found");
}
