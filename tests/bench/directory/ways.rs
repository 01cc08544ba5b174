//! Bench of the ways to a directory: in the same process, through the local socket of the process
//! that holds it, and through TLS with an API key, as Studio uses a gateway on another computer.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::admin::GatewayUrl;
use latchkey_core::directory::{Directory, MAX_IMPORT, PageStart, Search, Sort, SortBy, UserQuery};
use latchkey_core::instance::api_key::NewApiKey;
use latchkey_core::instance::scope::Scope;
use latchkey_core::instance::{Hosted, Instance, InstanceId, Name, Settings};
use latchkey_core::link::BaseUrl;
use latchkey_core::protocol::code::Algorithm;
use latchkey_core::secret::{Secret, SigningKey};
use latchkey_gateway::{
    Administration, Certificate, ClientLimits, ControlSocket, Gateway, Handle, InstanceSnapshot,
    Listener, serve_admin,
};
use latchkey_store::home::Home;
use latchkey_store::keys::KeychainUse;
use latchkey_store::{EmbeddedDirectory, RemoteDirectory, RemoteGateway, Wait as _};

use crate::crowd::{now, person};
use crate::engine::PAGE;
use crate::writers::median;

const USERS: usize = 10_000;
const TURNS: usize = 15;
/// Number of repetitions in each turn.
const REPEATS: usize = 20;

fn by() -> AuditContext {
    AuditContext::new(Actor::CommandLine, now())
}

pub(crate) fn measure() {
    println!("\nA directory of {USERS} users; baseline: in the same process");
    let folder = tempfile::tempdir().unwrap();
    let (home, instance) = hosted(folder.path());
    let holds = home.instances().folder(&instance.id);
    let held = EmbeddedDirectory::open(&holds.join("directory"), "the benchmark").unwrap();
    let held: Arc<dyn Directory> = Arc::new(held);
    home.record_outbox(&instance, &*held).wait().unwrap();
    let people: Vec<_> = (0..USERS).map(person).collect();
    for people in people.chunks(MAX_IMPORT) {
        held.import(people, &by()).wait().unwrap();
    }
    let new = NewApiKey {
        scopes: vec![Scope::Admin],
        ..NewApiKey::new("the benchmark")
    };
    let (_, key) = home.make_api_key(&instance.id, &new, &by()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let home = Arc::new(home);
    let (id, at_home) = (&instance.id, Arc::clone(&home));
    let administration = Administration::new(at_home, id, "the benchmark", Arc::clone(&held), None);
    let socket = ControlSocket::bind(&holds).unwrap();
    let served = runtime.block_on(async { socket.serve(Arc::clone(&administration)) });
    let served = served.unwrap();
    let certificate = Certificate::self_signed(
        &holds,
        &instance.settings.url,
        "127.0.0.1:0".parse().unwrap(),
    );
    let certificate = certificate.unwrap();
    let pin = certificate.fingerprint().parse().unwrap();
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("https://{}", listener.address().unwrap());
    let handle = Handle::default();
    let gateway = Arc::new(gateway(&home, id, &held));
    let serving = serve_admin(
        gateway,
        administration,
        listener,
        certificate,
        handle.clone(),
    );
    let serving = runtime.spawn(serving);
    let url = GatewayUrl::parse(&url).unwrap();
    let remote = RemoteGateway::new(&url, Some(pin), &key, Some(id)).unwrap();
    let (local, remote) = (
        RemoteDirectory::local(&holds).wait().unwrap(),
        remote.directory(),
    );
    let ways: [(&str, &dyn Directory); 3] = [
        ("same process", &*held),
        ("local socket", &local),
        ("TLS", &remote),
    ];
    row("a page of 100 users", ways, page);
    row("a search", ways, search);
    row("suspend and reactivate", ways, suspend);
    handle.shut_down();
    runtime.block_on(served.end());
    runtime.block_on(serving).unwrap().unwrap();
}

fn hosted(folder: &Path) -> (Home, Instance) {
    let home = Home::open(folder.to_owned(), KeychainUse::Never).unwrap();
    let url = BaseUrl::parse("https://acme.example").unwrap();
    let settings = Settings::new(Name::parse("Acme").unwrap(), url, Hosted::Here);
    let instance = home.instances().add(settings, None, &by()).unwrap();
    (home, instance)
}

fn gateway(home: &Arc<Home>, id: &InstanceId, held: &Arc<dyn Directory>) -> Gateway {
    let limits = ClientLimits {
        trusted_proxies: Vec::new(),
        links_per_second: None,
        api_requests_per_second: None,
    };
    let key = SigningKey::generate(Algorithm::HS256).unwrap();
    let key = SigningKey::from_text(&Secret::new(key.secret().expose().to_owned())).unwrap();
    let (home, of, recorded) = (Arc::clone(home), id.clone(), Arc::clone(held));
    let load = move || InstanceSnapshot::of(&home, &of, Some(&key), &*recorded);
    Gateway::new(id.clone(), Arc::clone(held), limits, load)
}

fn users(directory: &dyn Directory, query: &UserQuery, row: u64) -> usize {
    let sort = Sort {
        by: SortBy::Email,
        descending: false,
    };
    let first = PageStart::Row(row);
    let page = directory.users(query, sort, &first, PAGE);
    page.wait().unwrap().users.len()
}

fn page(directory: &dyn Directory) {
    assert_eq!(users(directory, &UserQuery::default(), 5_000), PAGE);
}

fn search(directory: &dyn Directory) {
    let query = UserQuery {
        search: Search::new("hopper"),
        ..UserQuery::default()
    };
    assert_eq!(users(directory, &query, 0), PAGE);
}

fn suspend(directory: &dyn Directory) {
    let id = person(1).id;
    directory.suspend(&id, &by()).wait().unwrap();
    directory.reactivate(&id, &by()).wait().unwrap();
}

/// Prints the median time of a piece of work by each way, and its ratio to the first.
fn row(name: &str, ways: [(&str, &dyn Directory); 3], work: fn(&dyn Directory)) {
    let mut times = ways.map(|_| Vec::new());
    // In turns, so that a disturbance of the machine affects all ways alike.
    for _ in 0..TURNS {
        for ((_, directory), times) in ways.iter().zip(&mut times) {
            let begun = Instant::now();
            for _ in 0..REPEATS {
                work(*directory);
            }
            times.push(begun.elapsed().as_secs_f64() * 1000.0 / REPEATS as f64);
        }
    }
    let times = times.map(|mut times| median(&mut times));
    for ((way, _), time) in ways.iter().zip(times) {
        println!(
            "  {name:<24} {way:<14} {time:>8.3} ms   {:>7.2} times the baseline",
            time / times[0]
        );
    }
}
