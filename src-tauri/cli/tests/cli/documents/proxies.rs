//! Tests of the configurations in the guide to proxies, unchanged: with TLS on port 443, the
//! gateway on port 8787, an application on port 3000, and all files at the paths of the guide. The
//! tests of the gateway test more with the same configurations, at other addresses and without TLS.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::blocks::blocks_in;
use super::commands::is_of_open_webui;
use super::service::may_unshare;

const GUIDE: &str = "src-tauri/guides/proxies.md";

/// An application that responds with the request it has received.
const APPLICATION: &str = r#"
import http.server

class Application(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"{self.command} {self.path}\n{self.headers}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_OPTIONS = do_GET

http.server.ThreadingHTTPServer(("127.0.0.1", 3000), Application).serve_forever()
"#;

/// Stand-in for `Open WebUI`. It signs in the user whom the trusted header names, and creates an
/// account for a new address. It responds to other requests with the request.
const OPEN_WEBUI: &str = r#"#!/usr/bin/env python3
import argparse
import http.server
import json
import os

commands = argparse.ArgumentParser().add_subparsers(dest="command", required=True)
serve = commands.add_parser("serve")
serve.add_argument("--host", default="0.0.0.0")
serve.add_argument("--port", type=int, default=8080)
options = serve.parse_args(__import__("sys").argv[2:])
EMAIL = os.environ["WEBUI_AUTH_TRUSTED_EMAIL_HEADER"]
NAME = os.environ["WEBUI_AUTH_TRUSTED_NAME_HEADER"]
accounts = {}

class OpenWebUI(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200, f"{self.command} {self.path}\n{self.headers}".encode())

    do_OPTIONS = do_GET

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != "/api/v1/auths/signin":
            return self.answer(404, b"")
        email = (self.headers.get(EMAIL) or "").lower()
        if "@" not in email:
            return self.answer(400, b"no trusted header")
        name = self.headers.get(NAME) or email
        role = "user" if accounts else "admin"
        account = accounts.setdefault(email, {"email": email, "name": name, "role": role})
        self.answer(200, json.dumps(account).encode())

http.server.ThreadingHTTPServer((options.host, options.port), OpenWebUI).serve_forever()
"#;

/// Sends the sign-in request of `Open WebUI` for four visitors: a stranger, a user with an address, a
/// user with only a name, and a user without both. Each request forges the address of another user.
const SIGN_IN_TO_OPEN_WEBUI: &str = r#"
sign_in() {
    # curl takes an answer to a body that is not read for an error of HTTP/2.
    ask --http1.1 --include --header 'Sec-Fetch-Mode: cors' --header 'Remote-Email: forger@example.com' \
        --header 'Remote-Name: Root' --data '{"email":"","password":""}' "$@" \
        https://app.example.com/api/v1/auths/signin
}
sign_in >stranger
sign_in --cookie cookies >ada
link=$(latchkey link --instance Acme --user-id bob --user-email Bob@example.com --metadata 'name=Bob Kahn')
ask --output /dev/null --cookie-jar bobs_cookies "$link"
sign_in --cookie bobs_cookies >bob
link=$(latchkey link --instance Acme --user-id eve)
ask --output /dev/null --cookie-jar eves_cookies "$link"
sign_in --cookie eves_cookies >eve
"#;

/// Starts gateway, application and proxy, and stores the responses that a visitor gets.
const SCRIPT: &str = r#"
wait_until() {
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ "$tries" -lt 1000 ]
        sleep 0.02
    done
}
ask() {
    curl --silent --show-error --max-time 20 --cacert "$AUTHORITY" --user-agent Mozilla/5.0 "$@"
}
ip link set lo up
mkdir etc
cp -a /etc/. etc
mount --bind etc /etc
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/log
mkdir -p /var/log/nginx /var/log/traefik /etc/haproxy /etc/traefik /etc/nginx/conf.d
echo "127.0.0.1 localhost app.example.com" >/etc/hosts
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=app.example.com \
    -addext subjectAltName=DNS:app.example.com -keyout app.key -out app.crt
PATH="$PWD/bin:$PATH" sh -eu application &
wait_until curl --silent --output /dev/null http://127.0.0.1:3000
latchkey instance add Acme --url https://app.example.com
latchkey serve --instance Acme --trusted-proxy 127.0.0.1 >serve.out &
wait_until grep -q . serve.out
sh -eu start &
wait_until ask --fail --output /dev/null https://app.example.com/auth/sign-in
navigates='Sec-Fetch-Mode: navigate'
report=https://app.example.com/report
ask --include --header "$navigates" "$report?a=b" >page
ask --include --header 'Sec-Fetch-Mode: cors' "$report" >fetched
ask --include --request OPTIONS --header 'Origin: https://www.acme.example' --header 'Remote-User: forger' \
    --header 'Access-Control-Request-Method: PUT' "$report" >preflight
link=$(latchkey link --instance Acme --user-id ada --user-email ada@example.com)
ask --include --header "$navigates" --cookie-jar cookies "$report?a=b&${link#*\?}" >opened
ask --include --header "$navigates" --cookie cookies --header 'Remote-User: forger' "$report" >told
eval "$CHECKS"
# The code is in no log.
! grep -r "${link#*=}" /var/log proxy.log
"#;

/// Files for the code blocks of the guide in a language, in the order of the blocks.
type Files<'a> = &'a [(&'a str, &'a [&'a str])];

fn header(answer: &str, name: &str) -> String {
    let begin = format!("\n{name}: ");
    let rest = answer.split(&begin).nth(1);
    let value = rest.and_then(|rest| rest.lines().next());
    value
        .unwrap_or_else(|| panic!("{name}: {answer}"))
        .to_owned()
}

/// Tests a proxy that is started by shell commands. They first put the files in their places.
/// `authority` is the file with the certificate that the visitor trusts.
fn protects_an_application(files: Files<'_>, authority: &str, commands: &str) {
    protects(
        files,
        authority,
        commands,
        "exec python3 application.py",
        "",
    );
}

/// Tests a proxy with a given command for the application, and with more checks. Returns the folder
/// with the responses.
fn protects(
    files: Files<'_>,
    authority: &str,
    commands: &str,
    application: &str,
    checks: &str,
) -> Option<TempDir> {
    let folder = tempfile::tempdir().unwrap();
    if !may_unshare(folder.path()) {
        return None;
    }
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let mut start = "exec >proxy.log 2>&1\n".to_owned();
    for (language, places) in files {
        let blocks = blocks_in(GUIDE, language);
        assert_eq!(blocks.len(), places.len(), "{language}");
        for (number, (block, place)) in blocks.iter().zip(*places).enumerate() {
            let name = format!("{language}-{number}");
            write(&name, block);
            start.push_str("cat ");
            start.push_str(&name);
            start.push_str(" >");
            start.push_str(place);
            start.push('\n');
        }
    }
    start.push_str(commands);
    write("start", &start);
    write("application.py", APPLICATION);
    write("application", application);
    fs::create_dir(folder.path().join("bin")).unwrap();
    write("bin/open-webui", OPEN_WEBUI);
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(folder.path().join("bin/open-webui"), executable).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_latchkey")).parent().unwrap();
    let path = env::var("PATH").unwrap();
    let path = format!("{}:{path}:/usr/sbin:/sbin", program.display());
    let ran = Command::new("unshare")
        .args([
            "--net",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
        ])
        .args(["sh", "-euc", SCRIPT])
        .current_dir(folder.path())
        .env("PATH", path)
        .env("HOME", folder.path())
        .env("AUTHORITY", authority)
        .env("CHECKS", checks)
        .env("LATCHKEY_KEYCHAIN", "off")
        .env("LATCHKEY_DATA_DIR", folder.path().join("data"))
        .env("LATCHKEY_PASSPHRASE", "correct horse battery staple")
        .output()
        .unwrap();
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap_or_default();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}\n{}", read("proxy.log"));
    // Proxies write header names and line ends in their own ways.
    let answer = |name: &str| read(name).to_lowercase().replace('\r', "");
    let has_status = |answer: &str, status: &str| {
        let line = answer.lines().next().unwrap_or_default();
        line.split(' ').nth(1) == Some(status)
    };

    let page = answer("page");
    assert!(has_status(&page, "302"), "{page}");
    assert_eq!(
        header(&page, "location"),
        "https://app.example.com/auth/sign-in?rd=https%3a%2f%2fapp.example.com%2freport%3fa%3db"
    );
    let fetched = answer("fetched");
    assert!(has_status(&fetched, "401"), "{fetched}");
    let preflight = answer("preflight");
    assert!(preflight.contains("options /report\n"), "{preflight}");
    assert!(!preflight.contains("forger"), "{preflight}");
    let opened = answer("opened");
    assert!(has_status(&opened, "303"), "{opened}");
    assert_eq!(header(&opened, "location"), "/report?a=b");
    let told = answer("told");
    assert!(has_status(&told, "200"), "{told}");
    assert_eq!(header(&told, "remote-user"), "ada");
    assert_eq!(header(&told, "remote-email"), "ada@example.com");
    assert!(!told.contains("forger"), "{told}");
    Some(folder)
}

const NGINX: (Files<'_>, &str, &str) = (
    &[("nginx", &["/etc/nginx/conf.d/app.conf"])],
    "app.crt",
    "cp app.crt /etc/ssl/app.example.com.pem
     cp app.key /etc/ssl/app.example.com.key
     exec nginx -g 'daemon off;'",
);

/// Caddy gets its certificate from an authority on the Internet. In this test it is its own
/// authority.
const CADDY: (Files<'_>, &str, &str) = (
    &[("caddyfile", &["site"])],
    ".local/share/caddy/pki/authorities/local/root.crt",
    "{ echo '{\n local_certs\n skip_install_trust\n admin off\n}'; cat site; } >Caddyfile
     exec caddy run --adapter caddyfile --config Caddyfile",
);

/// Tests that `Open WebUI` signs people in behind a proxy, started by the commands of the guide.
fn signs_in_to_open_webui((files, authority, commands): (Files<'_>, &str, &str)) {
    let blocks = blocks_in(GUIDE, "sh").into_iter();
    let blocks: Vec<String> = blocks.filter(|block| is_of_open_webui(block)).collect();
    let [block] = blocks.as_slice() else {
        panic!("{blocks:?}");
    };
    let Some(folder) = protects(files, authority, commands, block, SIGN_IN_TO_OPEN_WEBUI) else {
        return;
    };
    let answer = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let stranger = answer("stranger");
    assert!(
        stranger.lines().next().unwrap().contains(" 401"),
        "{stranger}"
    );
    for (name, account) in [
        (
            "ada",
            r#"{"email": "ada@example.com", "name": "ada@example.com", "role": "admin"}"#,
        ),
        (
            "bob",
            r#"{"email": "bob@example.com", "name": "Bob Kahn", "role": "user"}"#,
        ),
    ] {
        let answer = answer(name);
        assert!(answer.ends_with(account), "{answer}");
    }
    let eve = answer("eve");
    assert!(eve.lines().next().unwrap().contains(" 400"), "{eve}");
}

#[test]
fn nginx_tells_open_webui_the_trusted_address_as_written() {
    signs_in_to_open_webui(NGINX);
}

#[test]
fn caddy_tells_open_webui_the_trusted_address_as_written() {
    signs_in_to_open_webui(CADDY);
}

#[test]
fn nginx_protects_an_application_with_the_configuration_as_written() {
    let (files, authority, commands) = NGINX;
    protects_an_application(files, authority, commands);
}

#[test]
fn caddy_protects_an_application_with_the_configuration_as_written() {
    let (files, authority, commands) = CADDY;
    protects_an_application(files, authority, commands);
}

#[test]
fn traefik_protects_an_application_with_the_configuration_as_written() {
    protects_an_application(
        &[(
            "yaml",
            &["/etc/traefik/traefik.yml", "/etc/traefik/latchkey.yml"],
        )],
        "app.crt",
        "cp app.crt /etc/ssl/app.example.com.pem
         cp app.key /etc/ssl/app.example.com.key
         exec \"$LATCHKEY_INTEROP/python/bin/traefik\"",
    );
}

#[test]
fn haproxy_protects_an_application_with_the_configuration_as_written() {
    protects_an_application(
        &[
            ("haproxy", &["/etc/haproxy/haproxy.cfg"]),
            ("lua", &["/etc/haproxy/latchkey.lua"]),
        ],
        "app.crt",
        "cat app.crt app.key >/etc/haproxy/app.example.com.pem
         exec haproxy -f /etc/haproxy/haproxy.cfg",
    );
}
