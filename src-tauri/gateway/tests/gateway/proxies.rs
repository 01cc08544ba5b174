//! nginx, Caddy and Traefik with the README's own configurations, before an application that says what
//! it is told.

use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use latchkey_core::directory::Directory as _;
use latchkey_core::link::BaseUrl;
use latchkey_core::user_id::UserId;

use crate::serving::Running;
use crate::site::{Site, by};

/// The blocks of the README in a language.
fn readme<const N: usize>(language: &str) -> [String; N] {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let text = fs::read_to_string(path).unwrap();
    let begin = format!("```{language}\n");
    let blocks = text.split(&begin).skip(1);
    let blocks = blocks.map(|block| block.split_once("```").unwrap().0.to_owned());
    blocks.collect::<Vec<_>>().try_into().unwrap()
}

/// An application that answers with the headers of the request.
fn application() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let mut head = String::new();
            while let Some(Ok(line)) = lines.next()
                && !line.is_empty()
            {
                head.push_str(&line.to_lowercase());
                head.push('\n');
            }
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{head}",
                head.len()
            );
        }
    });
    address
}

struct Proxy {
    child: Child,
    address: SocketAddr,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address to listen on, of the part of the loopback network where no test has sockets: none of
/// them takes it before the proxy does.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.2:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

impl Proxy {
    fn start(address: SocketAddr, command: &mut Command) -> Self {
        let quiet = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut proxy = Self {
            child: quiet.spawn().unwrap(),
            address,
        };
        for _ in 0..1500 {
            if TcpStream::connect(address).is_ok() {
                return proxy;
            }
            let ended = proxy.child.try_wait().unwrap();
            assert_eq!(ended, None, "the proxy does not start");
            thread::sleep(Duration::from_millis(20));
        }
        panic!("the proxy does not listen");
    }

    /// The same for one that listens before it knows where to.
    fn start_with_routes(address: SocketAddr, command: &mut Command) -> Self {
        let proxy = Self::start(address, command);
        for _ in 0..1500 {
            if !proxy.get("/", "").starts_with("HTTP/1.1 404") {
                return proxy;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("the proxy has no routes");
    }

    fn nginx(folder: &Path, address: SocketAddr, gateway: SocketAddr, app: SocketAddr) -> Self {
        let [block] = readme("nginx");
        let lines = block
            .lines()
            .filter(|line| !line.contains("ssl_certificate"));
        let server = lines.collect::<Vec<_>>().join("\n");
        let server = server
            .replace("443 ssl", &address.to_string())
            .replace("/var/log/nginx/app.access.log", "access.log")
            .replace("127.0.0.1:8787", &gateway.to_string())
            .replace("127.0.0.1:3000", &app.to_string());
        let all = format!(
            "daemon off; master_process off; pid nginx.pid; error_log error.log info;
            events {{}}
            http {{
                client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
                uwsgi_temp_path uwsgi; scgi_temp_path scgi;
                {server}
            }}"
        );
        fs::write(folder.join("nginx.conf"), all).unwrap();
        let mut nginx = Command::new("nginx");
        Self::start(
            address,
            nginx.arg("-p").arg(folder).args(["-c", "nginx.conf"]),
        )
    }

    fn caddy(folder: &Path, address: SocketAddr, gateway: SocketAddr, app: SocketAddr) -> Self {
        let [site] = readme("caddyfile");
        let site = site
            .replace("app.example.com {", &format!("http://{address} {{"))
            .replace("127.0.0.1:8787", &gateway.to_string())
            .replace("127.0.0.1:3000", &app.to_string());
        let all = format!("{{\n\tadmin off\n\tauto_https off\n}}\n{site}");
        fs::write(folder.join("Caddyfile"), all).unwrap();
        let mut caddy = Command::new("caddy");
        caddy
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(folder.join("Caddyfile"))
            .env("HOME", folder)
            .env("XDG_DATA_HOME", folder)
            .env("XDG_CONFIG_HOME", folder);
        Self::start(address, &mut caddy)
    }

    fn traefik(folder: &Path, address: SocketAddr, gateway: SocketAddr, app: SocketAddr) -> Self {
        let [fixed, routes] = readme("yaml");
        let host = address.ip().to_string();
        let routes = routes
            .replace("127.0.0.1:8787", &gateway.to_string())
            .replace("127.0.0.1:3000", &app.to_string())
            .replace("app.example.com", &host);
        fs::write(folder.join("latchkey.yml"), routes).unwrap();
        let routes = folder.join("latchkey.yml").display().to_string();
        let fixed = fixed
            .replace(":443", &address.to_string())
            .replace("/etc/traefik/latchkey.yml", &routes)
            .replace("/var/log/traefik/access.log", "access.log");
        let quiet = "global: { checkNewVersion: false }\nlog: { filePath: traefik.log }\n";
        fs::write(folder.join("traefik.yml"), format!("{fixed}{quiet}")).unwrap();
        let installed = env::var_os("LATCHKEY_INTEROP").expect("`cargo xtask test` says where");
        let program = Path::new(&installed).join("python/bin/traefik");
        let mut traefik = Command::new(program);
        traefik.arg("--configFile=traefik.yml").current_dir(folder);
        Self::start_with_routes(address, &mut traefik)
    }

    fn get(&self, path: &str, headers: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let host = self.address;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Connection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

fn header(answer: &str, wanted: &str) -> Option<String> {
    let head = answer.split("\r\n\r\n").next().unwrap();
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    let found = fields.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
    found.map(|(_, value)| value.to_owned())
}

const FORGED: &str = "Remote-User: root\r\nRemote-Email: root@evil.com\r\nRemote-Name: Root\r\n\
    Remote-Groups: admins\r\nX-Auth-Request-User: root\r\nX-Auth-Request-Email: root@evil.com\r\n\
    remote-user: root\r\nREMOTE-EMAIL: root@evil.com\r\n\
    Remote_User: root\r\nRemote.User: root\r\nREMOTE_GROUPS: admins\r\nRemote!User: root\r\n\
    X_Auth_Request_User: root\r\nX.Auth.Request.User: root\r\nX-Auth_Request-User: root\r\n\
    X-Auth-Request.Email: root@evil.com\r\nX-Auth-Request~User: root\r\n";

fn lets_the_right_people_through(
    begin: impl Fn(&Path, SocketAddr, SocketAddr, SocketAddr) -> Proxy,
) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let address = free();
    let site = Site::with("acme", |settings| {
        settings.url = BaseUrl::parse(&format!("http://{address}/")).unwrap();
    });
    let running = Running::new(&site);
    let proxy = begin(folder.path(), address, running.address, application());

    // Nobody yet, whatever they say.
    for headers in ["", FORGED] {
        let refused = proxy.get("/report?year=2026&all", headers);
        assert!(refused.starts_with("HTTP/1.1 302"), "{refused}");
        assert!(!refused.contains("root"), "{refused}");
        let to = header(&refused, "location").unwrap();
        assert!(
            to.starts_with(&format!("http://{address}/auth/sign-in")),
            "{to}"
        );
    }
    let asked = proxy.get("/report?year=2026&all", "");
    let sign_in = header(&asked, "location").unwrap();
    let sign_in = sign_in.strip_prefix(&format!("http://{address}")).unwrap();
    let page = proxy.get(sign_in, "");
    assert!(page.contains("You are not signed in"), "{page}");
    let remembered = header(&page, "set-cookie").unwrap();
    let remembered = format!("Cookie: {}\r\n", remembered.split(';').next().unwrap());

    // In by a link, at whatever path it leads to.
    let code = site.code(r#"{"user":{"id":"ada","name":"Ada Lovelace","groups":["staff"]}}"#);
    let opened = proxy.get(
        &format!("/report?year=2026&externalAuthCode={code}"),
        FORGED,
    );
    assert!(opened.starts_with("HTTP/1.1 303"), "{opened}");
    assert_eq!(header(&opened, "location").unwrap(), "/report?year=2026");
    // Whoever was on the way to a page comes to it.
    let back = proxy.get(&format!("/?externalAuthCode={code}"), &remembered);
    let page = format!("http://{address}/report?year=2026&all");
    assert_eq!(header(&back, "location").unwrap(), page);
    let cookie = header(&opened, "set-cookie").unwrap();
    let cookie = format!("Cookie: {}\r\n", cookie.split(';').next().unwrap());
    for forged in ["", FORGED] {
        let page = proxy.get("/report?year=2026", &format!("{forged}{cookie}"));
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
        for told in [
            "remote-user: ada\n",
            "remote-name: ada lovelace\n",
            "remote-groups: staff\n",
            "x-auth-request-user: ada\n",
        ] {
            assert_eq!(page.matches(told).count(), 1, "{told}: {page}");
        }
        // Ada has no address, and nobody else's is passed on for her.
        assert!(!page.contains("root") && !page.contains("admins"), "{page}");
        assert!(page.contains("get /report?year=2026 "), "{page}");
    }

    // Out with the next request.
    let ada = UserId::parse("ada", "id").unwrap();
    site.directory.suspend(&ada, &by()).unwrap();
    let refused = proxy.get("/report", &format!("{FORGED}{cookie}"));
    assert!(refused.starts_with("HTTP/1.1 302"), "{refused}");
    drop(proxy);
    running.end();

    // The code is in no file of the proxy's.
    for file in fs::read_dir(folder.path()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() && path.file_name().unwrap() != "error.log" {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            assert!(!text.contains(&code), "{}", path.display());
        }
    }
    folder
}

#[test]
fn nginx_lets_the_right_people_through() {
    let folder = lets_the_right_people_through(Proxy::nginx);
    let log = fs::read_to_string(folder.path().join("access.log")).unwrap();
    assert!(log.contains("GET /report\" 303"), "{log}");
}

#[test]
fn caddy_lets_the_right_people_through() {
    lets_the_right_people_through(Proxy::caddy);
}

#[test]
fn traefik_lets_the_right_people_through() {
    let folder = lets_the_right_people_through(Proxy::traefik);
    let log = fs::read_to_string(folder.path().join("access.log")).unwrap();
    assert!(log.contains("GET /report HTTP/1.1\" 303"), "{log}");
}
