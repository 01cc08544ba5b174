//! The measured servers. Each prints its address, and what its requests need.

use latchkey_store::Wait as _;
use std::convert::Infallible;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::directory::{Directory as _, MAX_IMPORT};
use latchkey_core::instance::{InstanceId, Settings};
use latchkey_core::protocol::payload::NewUser;
use latchkey_gateway::{ClientLimits, Gateway, Handle, InstanceSnapshot, Listener, router, serve};
use latchkey_store::EmbeddedDirectory;
use tower::{Service, ServiceExt as _};

use crate::links::{self, USERS};
use crate::server::Server;

fn run(
    router: impl Service<Request, Response = Response, Error = Infallible, Future: Send>
    + Clone
    + Send
    + 'static,
    said: &[String],
) {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    println!("{}", listener.address().unwrap());
    for line in said {
        println!("{line}");
    }
    std::io::stdout().flush().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime
        .block_on(serve(router, listener, None, Handle::default()))
        .unwrap();
}

pub(crate) fn bare() {
    run(Router::new().route("/", get(|| async { "ok" })), &[]);
}

/// Runs the gateway like the desktop and `latchkey serve`. Also prints the cookie of a user who is
/// signed in.
pub(crate) fn gateway(folder: &Path) {
    let directory =
        Arc::new(EmbeddedDirectory::open(&folder.join("directory"), "the benchmark").unwrap());
    let by = AuditContext::new(Actor::Studio, Timestamp::now());
    let people: Vec<NewUser> = (0..USERS).map(links::person).collect();
    for some in people.chunks(MAX_IMPORT) {
        directory.import(some, &by).wait().unwrap();
    }
    drop(people);
    let settings = Settings::sample().unwrap();
    let instance = InstanceId::parse("sample").unwrap();
    let ask = move || {
        Ok(InstanceSnapshot {
            has_stored_key: true,
            settings: settings.clone(),
            keys: links::key().into(),
            unrecorded: None,
            api_keys: Vec::new(),
        })
    };
    let gateway = Arc::new(Gateway::new(
        instance,
        directory,
        ClientLimits::default(),
        ask,
    ));
    let cookie = cookie(router(Arc::clone(&gateway)), &links::existing(42));
    run(router(gateway), &[cookie]);
}

/// Returns the cookie that a visitor gets.
fn cookie(
    router: impl Service<Request, Response = Response, Error = Infallible>,
    path: &str,
) -> String {
    let request = axum::http::Request::get(path)
        .header("host", "localhost:8787")
        .header("user-agent", "Mozilla/5.0")
        .body(axum::body::Body::empty())
        .unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let answer = runtime.block_on(router.oneshot(request)).unwrap();
    let mut cookies = answer.headers().get_all("set-cookie").iter();
    let session = cookies
        .find_map(|cookie| cookie.to_str().ok().filter(|text| text.contains("session")))
        .unwrap();
    session.split(';').next().unwrap().to_owned()
}

/// Returns the folder of the servers of others, if they are installed.
pub(crate) fn baselines() -> Option<PathBuf> {
    std::env::var_os("LATCHKEY_BASELINES").map(PathBuf::from)
}

/// Starts the server in Node with a number of processes.
pub(crate) fn node(baselines: &Path, folder: &Path, processes: usize) -> Server {
    let folder = folder.join(format!("node-{processes}"));
    std::fs::create_dir(&folder).unwrap();
    let mut node = Command::new("node");
    node.arg("server.js").arg(folder);
    node.args([USERS.to_string(), processes.to_string()]);
    node.current_dir(baselines.join("node"));
    Server::start(node.env("NODE_ENV", "production"), 1)
}

/// Starts the server in Django. Returns it and the script with which `wrk` opens its links.
pub(crate) fn django(baselines: &Path, folder: &Path) -> (Server, PathBuf) {
    let python = |arguments: &[&str]| {
        let mut python = Command::new("python3");
        python.args(arguments).env("BENCH_FOLDER", folder);
        python.current_dir(baselines.join("django"));
        python
    };
    let mut create = python(&["server.py", &USERS.to_string()]);
    let created = create.stderr(Stdio::inherit()).output().unwrap();
    let paths = String::from_utf8(created.stdout).unwrap();
    let script = links::script(folder, "django", paths.lines().map(str::to_owned));
    let mut gunicorn = python(&["-m", "gunicorn", "server:application"]);
    (Server::start(&mut gunicorn, 1), script)
}
