//! The configurations of the guide to proxies, unchanged: with TLS at port 443, the gateway at port 8787, an
//! application at port 3000, and all files where the guide says. The gateway's tests of proxies test more with
//! the same configurations, at other addresses and without TLS.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::blocks::blocks_in;
use super::service::may_unshare;

const GUIDE: &str = "src-tauri/guides/proxies.md";

/// An application that answers with the request that it gets.
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

/// Starts gateway, application and proxy, and keeps the answers that a visitor gets.
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
python3 application.py &
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
ask --include --request OPTIONS --header 'Origin: https://www.acme.example' --header 'Remote-User: root' \
    --header 'Access-Control-Request-Method: PUT' "$report" >preflight
link=$(latchkey link --instance Acme --user-id ada --user-email ada@example.com)
ask --include --header "$navigates" --cookie-jar cookies "$report?a=b&${link#*\?}" >opened
ask --include --header "$navigates" --cookie cookies --header 'Remote-User: root' "$report" >told
# The code is in no log.
! grep -r "${link#*=}" /var/log proxy.log
"#;

/// Where the blocks of the guide in a language belong, in their order.
type Files<'a> = &'a [(&'a str, &'a [&'a str])];

fn header(answer: &str, name: &str) -> String {
    let begin = format!("\n{name}: ");
    let rest = answer.split(&begin).nth(1);
    let value = rest.and_then(|rest| rest.lines().next());
    value
        .unwrap_or_else(|| panic!("{name}: {answer}"))
        .to_owned()
}

/// Runs a proxy by shell commands that first put the files where they belong. `authority` is the file with
/// the certificate that the visitor trusts.
fn protects_an_application(files: Files<'_>, authority: &str, commands: &str) {
    let folder = tempfile::tempdir().unwrap();
    if !may_unshare(folder.path()) {
        return;
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
        .env("LATCHKEY_KEYCHAIN", "off")
        .env("LATCHKEY_DATA_DIR", folder.path().join("data"))
        .env("LATCHKEY_PASSPHRASE", "correct horse battery staple")
        .output()
        .unwrap();
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap_or_default();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}\n{}", read("proxy.log"));
    // Proxies write names of headers, and ends of lines, in ways of their own.
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
    assert!(!preflight.contains("root"), "{preflight}");
    let opened = answer("opened");
    assert!(has_status(&opened, "303"), "{opened}");
    assert_eq!(header(&opened, "location"), "/report?a=b");
    let told = answer("told");
    assert!(has_status(&told, "200"), "{told}");
    assert_eq!(header(&told, "remote-user"), "ada");
    assert_eq!(header(&told, "remote-email"), "ada@example.com");
    assert!(!told.contains("root"), "{told}");
}

#[test]
fn nginx_protects_an_application_with_the_configuration_as_written() {
    protects_an_application(
        &[("nginx", &["/etc/nginx/conf.d/app.conf"])],
        "app.crt",
        "cp app.crt /etc/ssl/app.example.com.pem
         cp app.key /etc/ssl/app.example.com.key
         exec nginx -g 'daemon off;'",
    );
}

#[test]
fn caddy_protects_an_application_with_the_configuration_as_written() {
    // Caddy gets its certificate from an authority on the Internet. Here it is its own authority.
    protects_an_application(
        &[("caddyfile", &["site"])],
        ".local/share/caddy/pki/authorities/local/root.crt",
        "{ echo '{\n local_certs\n skip_install_trust\n admin off\n}'; cat site; } >Caddyfile
         exec caddy run --adapter caddyfile --config Caddyfile",
    );
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
