//! What is asked. A server prints its address, and what is needed to ask it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use jiff::Timestamp;
use latchkey_core::activity::{Actor, Occasion};
use latchkey_core::claims::{Claims, Registered};
use latchkey_core::code::{Algorithm, sign};
use latchkey_core::directory::{Directory as _, MAX_IMPORT, SledDirectory};
use latchkey_core::instance::{InstanceId, Settings};
use latchkey_core::metadata::Metadata;
use latchkey_core::payload::{ExistingId, NewUser, Payload};
use latchkey_core::secret::{Secret, SigningKey};
use latchkey_core::user_id::UserId;
use latchkey_gateway::{Gateway, Handle, Hosting, Listening, Visitors, router, serve};

/// How many users there are.
pub(crate) const USERS: usize = 10_000;
/// How many links for others there are.
const NEW: usize = 60_000;

fn run(router: Router, said: &[String]) {
    let listening = Listening::on("127.0.0.1:0".parse().unwrap()).unwrap();
    println!("{}", listening.address().unwrap());
    for line in said {
        println!("{line}");
    }
    std::io::stdout().flush().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime
        .block_on(serve(router, listening, None, Handle::default()))
        .unwrap();
}

pub(crate) fn bare() {
    run(Router::new().route("/", get(|| async { "ok" })), &[]);
}

fn person(number: usize) -> NewUser {
    let metadata = r#"{"name":"Ada Lovelace","team":"Research"}"#;
    NewUser {
        id: UserId::parse(&format!("user-{number:06}"), "id").unwrap(),
        email: None,
        metadata: Metadata::from_json(metadata, "metadata").unwrap(),
    }
}

pub(crate) fn gateway(folder: &Path) {
    let secret = Secret::new("0123456789abcdef0123456789abcdef".into());
    let key = SigningKey::from_text(&secret).unwrap();
    let directory =
        Arc::new(SledDirectory::open(&folder.join("directory"), "the benchmark").unwrap());
    let now = Timestamp::now();
    let people: Vec<NewUser> = (0..USERS).map(person).collect();
    for some in people.chunks(MAX_IMPORT) {
        directory
            .import(some, &Occasion::new(Actor::Studio, now))
            .unwrap();
    }
    let link = |payload: Payload| {
        let registered = Registered {
            issued_at: Some(now.as_second()),
            ..Registered::default()
        };
        let claims = Claims {
            payload,
            registered,
        };
        let code = sign(&claims, &key, Algorithm::HS256).unwrap();
        format!("/?externalAuthCode={}", code.expose())
    };
    let mut paths = String::new();
    for number in 0..NEW {
        let _ = writeln!(paths, "{}", link(Payload::User(person(USERS + number))));
    }
    std::fs::write(folder.join("paths"), paths).unwrap();
    let script = format!(
        "local paths = {{}}\nfor line in io.lines('{}') do paths[#paths + 1] = line end\nlocal next = 0\n\
         request = function() next = next % #paths + 1; return wrk.format('GET', paths[next]) end\n",
        folder.join("paths").display()
    );
    std::fs::write(folder.join("new.lua"), script).unwrap();

    let settings = Settings::sample().unwrap();
    let instance = InstanceId::parse("sample").unwrap();
    let ask = {
        let (settings, key) = (settings.clone(), key.clone());
        move || {
            Ok(Hosting {
                settings: settings.clone(),
                key: key.clone(),
                api_keys: Vec::new(),
            })
        }
    };
    let gateway = Arc::new(Gateway::new(instance, directory, Visitors::default(), ask));
    let visit = link(Payload::Id(ExistingId::parse("user-000042", true).unwrap()));
    let cookie = cookie(router(Arc::clone(&gateway)), &visit);
    run(router(gateway), &[cookie, visit]);
}

/// What a visitor is given.
fn cookie(router: Router, path: &str) -> String {
    use tower::ServiceExt as _;
    let request = axum::http::Request::get(path)
        .body(axum::body::Body::empty())
        .unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let answer = runtime.block_on(router.oneshot(request)).unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}
