//! Proxies that run with the configurations of their guide.

use std::env;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::blocks::blocks_in;

/// Returns the code blocks of the guide in a language.
fn guide<const N: usize>(language: &str) -> [String; N] {
    let blocks = blocks_in("src-tauri/guides/proxies.md", language);
    blocks.try_into().unwrap()
}

/// A running proxy. Dropping it ends the process.
pub(super) struct Proxy {
    child: Child,
    pub(super) address: SocketAddr,
}

/// Starts a proxy with its files in a folder. The addresses are those of the proxy, the gateway and
/// the application.
pub(super) type Begin = fn(&Path, SocketAddr, SocketAddr, SocketAddr) -> Proxy;

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns a free address in a part of the loopback network that no other test uses, so that no
/// other test takes it before the proxy does.
pub(super) fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.2:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

impl Proxy {
    fn start(address: SocketAddr, command: &mut Command) -> Self {
        let quiet = command.stdin(Stdio::null()).stderr(Stdio::null());
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

    /// Starts a proxy that listens before it has loaded its routes.
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

    pub(super) fn nginx(
        folder: &Path,
        address: SocketAddr,
        gateway: SocketAddr,
        app: SocketAddr,
    ) -> Self {
        let [block] = guide("nginx");
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
        nginx.arg("-p").arg(folder).args(["-c", "nginx.conf"]);
        Self::start(address, nginx.stdout(Stdio::null()))
    }

    /// Starts an nginx that forwards only a folder of its host to the gateway.
    pub(super) fn nginx_for_a_folder(
        folder: &Path,
        address: SocketAddr,
        gateway: SocketAddr,
    ) -> Self {
        let all = format!(
            "daemon off; master_process off; pid nginx.pid; error_log error.log info;
            events {{}}
            http {{
                access_log off; client_body_temp_path body; proxy_temp_path proxy;
                fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
                server {{
                    listen {address};
                    location /chat/ {{ proxy_pass http://{gateway}; proxy_set_header Host $http_host; }}
                    location / {{ return 418; }}
                }}
            }}"
        );
        fs::write(folder.join("nginx.conf"), all).unwrap();
        let mut nginx = Command::new("nginx");
        nginx.arg("-p").arg(folder).args(["-c", "nginx.conf"]);
        Self::start(address, nginx.stdout(Stdio::null()))
    }

    pub(super) fn caddy(
        folder: &Path,
        address: SocketAddr,
        gateway: SocketAddr,
        app: SocketAddr,
    ) -> Self {
        let [site] = guide("caddyfile");
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
        Self::start(address, caddy.stdout(Stdio::null()))
    }

    pub(super) fn traefik(
        folder: &Path,
        address: SocketAddr,
        gateway: SocketAddr,
        app: SocketAddr,
    ) -> Self {
        let [fixed, routes] = guide("yaml");
        let host = address.ip().to_string();
        let (routes, _certificates) = routes.split_once("tls:\n").unwrap();
        let routes = routes
            .replace("127.0.0.1:8787", &gateway.to_string())
            .replace("127.0.0.1:3000", &app.to_string())
            .replace("app.example.com", &host);
        fs::write(folder.join("latchkey.yml"), routes).unwrap();
        let routes = folder.join("latchkey.yml").display().to_string();
        let fixed = fixed
            .replace(":443", &address.to_string())
            .replace("      tls: {}\n", "")
            .replace("/etc/traefik/latchkey.yml", &routes)
            .replace("/var/log/traefik/access.log", "access.log");
        let quiet = "global: { checkNewVersion: false }\nlog: { filePath: traefik.log }\n";
        fs::write(folder.join("traefik.yml"), format!("{fixed}{quiet}")).unwrap();
        let installed = env::var_os("LATCHKEY_INTEROP").expect("`cargo xtask test` says where");
        let program = Path::new(&installed).join("python/bin/traefik");
        let mut traefik = Command::new(program);
        traefik.arg("--configFile=traefik.yml").current_dir(folder);
        Self::start_with_routes(address, traefik.stdout(Stdio::null()))
    }

    pub(super) fn haproxy(
        folder: &Path,
        address: SocketAddr,
        gateway: SocketAddr,
        app: SocketAddr,
    ) -> Self {
        let script = folder.join("latchkey.lua");
        let [configuration] = guide("haproxy");
        let configuration = configuration
            .replace(
                ":443 ssl crt /etc/haproxy/app.example.com.pem",
                &address.to_string(),
            )
            .replace("/etc/haproxy/latchkey.lua", &script.display().to_string())
            .replace("log /dev/log local0", "log stdout format raw local0")
            .replace("127.0.0.1:8787", &gateway.to_string())
            .replace("127.0.0.1:3000", &app.to_string());
        let [lua] = guide("lua");
        fs::write(script, lua.replace("127.0.0.1:8787", &gateway.to_string())).unwrap();
        fs::write(folder.join("haproxy.cfg"), configuration).unwrap();
        let log = File::create(folder.join("access.log")).unwrap();
        let mut haproxy = Command::new("haproxy");
        haproxy.arg("-f").arg(folder.join("haproxy.cfg"));
        Self::start(address, haproxy.stdout(log))
    }

    /// Asks for a page with these header lines. Returns the response.
    pub(super) fn get(&self, path: &str, headers: &str) -> String {
        self.ask("GET", path, headers)
    }

    /// Asks with a method. Returns the response.
    pub(super) fn ask(&self, method: &str, path: &str, headers: &str) -> String {
        let keeps = headers.to_lowercase().contains("connection:");
        let close = if keeps { "" } else { "Connection: close\r\n" };
        let mut stream = self.send(method, path, &format!("{headers}{close}"));
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    }

    /// Sends the head of a request.
    pub(super) fn send(&self, method: &str, path: &str, headers: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_mins(1)))
            .unwrap();
        let host = self.address;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Mozilla/5.0\r\n{headers}\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream
    }
}
