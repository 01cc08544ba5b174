//! The remote engine over the local socket of a process that holds an embedded directory.

use std::ops::Deref;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use latchkey_core::ErrorCode;
use latchkey_core::activity::ActivityQuery;
use latchkey_core::directory::{Directory, PageStart, Sort, UserQuery};
use latchkey_core::instance::{Hosted, InstanceId, Name, Settings};
use latchkey_core::link::BaseUrl;
use latchkey_gateway::{Administration, ControlSocket, ServedSocket};
use latchkey_store::home::Home;
use latchkey_store::keys::KeychainUse;
use latchkey_store::{EmbeddedDirectory, RemoteDirectory, Wait as _};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use super::conformance::administration_tests;
use super::tls_server::{ABOUT, is_greeting, json};
use super::{id, person};
use crate::by;
use crate::signed::now;

/// A directory without users in another process, as this one sees it. The other process is played
/// by a runtime.
pub(super) struct Served {
    remote: RemoteDirectory,
    socket: Option<ServedSocket>,
    runtime: Runtime,
    held: Arc<EmbeddedDirectory>,
    folder: TempDir,
}

impl Deref for Served {
    type Target = dyn Directory;

    fn deref(&self) -> &Self::Target {
        &self.remote
    }
}

impl Served {
    pub(super) fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let held = EmbeddedDirectory::open(&folder.path().join("directory"), "a test");
        let held = Arc::new(held.unwrap());
        let runtime = other_process();
        let socket = serve(&runtime, &folder, &held);
        Self {
            remote: RemoteDirectory::local(folder.path()).wait().unwrap(),
            socket: Some(socket),
            runtime,
            held,
            folder,
        }
    }
}

#[cfg(unix)]
impl Served {
    /// Returns another client of the process.
    pub(super) fn client(&self) -> RemoteDirectory {
        RemoteDirectory::local(self.folder.path()).wait().unwrap()
    }

    pub(super) fn socket_path(&self) -> std::path::PathBuf {
        self.folder.path().join("control.sock")
    }
}

/// Returns the runtime that plays the other process.
fn other_process() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

/// Returns the data folder of the other process, with an instance that has no waiting changes.
fn hosted_in(folder: &TempDir) -> (Home, InstanceId) {
    let home = Home::open(folder.path().join("data"), KeychainUse::Never).unwrap();
    if let Ok(known) = home.instances().find("acme") {
        return (home, known.id);
    }
    let url = BaseUrl::parse("https://acme.example").unwrap();
    let settings = Settings::new(Name::parse("Acme").unwrap(), url, Hosted::Here);
    let instance = home.instances().add(settings, None, &by(now())).unwrap();
    let other = EmbeddedDirectory::open(&folder.path().join("other"), "a test").unwrap();
    home.record_outbox(&instance, &other).wait().unwrap();
    (home, instance.id)
}

fn serve(runtime: &Runtime, folder: &TempDir, held: &Arc<EmbeddedDirectory>) -> ServedSocket {
    let (home, instance) = hosted_in(folder);
    let held: Arc<EmbeddedDirectory> = Arc::clone(held);
    let administration = Administration::new(Arc::new(home), &instance, "a test", held, None);
    let socket = ControlSocket::bind(folder.path()).unwrap();
    let served = runtime.block_on(async { socket.serve(administration) });
    served.unwrap()
}

fn empty() -> Served {
    Served::begin()
}

/// The suite, but for sessions, which only a gateway begins.
mod suite {
    super::administration_tests!(super::empty);
}

#[test]
fn a_change_in_the_other_process_is_reported() {
    let served = empty();
    let (sender, changes) = mpsc::channel();
    served.on_change(Box::new(move |change| sender.send(change).unwrap()));
    let soon = Duration::from_mins(1);
    // The stream may not have begun yet, so users are added until one of them is reported.
    let reported = (0..1000).find_map(|number| {
        let user = person(&format!("user-{number}"), None);
        served.held.add(&user, &by(now())).wait().unwrap();
        changes.recv_timeout(Duration::from_millis(50)).ok()
    });
    let change = reported.unwrap();
    assert!(change.users && change.activity);
    while changes.try_recv().is_ok() {}
    served.suspend(&id("user-0"), &by(now())).wait().unwrap();
    assert!(changes.recv_timeout(soon).unwrap().users);
}

#[test]
fn a_list_of_more_rows_than_one_answer_has_is_whole() {
    let served = empty();
    for begin in (0..1200).step_by(200) {
        let users: Vec<_> = (begin..begin + 200)
            .map(|number| person(&format!("user-{number}"), None))
            .collect();
        served.held.import(&users, &by(now())).wait().unwrap();
    }
    for number in 0..1100 {
        let limit = Some(number);
        served
            .held
            .set_seat_limit(limit, &by(now()))
            .wait()
            .unwrap();
    }
    let (users, entries) = (UserQuery::default(), ActivityQuery::default());
    let (sort, first) = (Sort::default(), PageStart::First);
    for limit in [1100, 5000] {
        let here = served.held.users(&users, sort, &first, limit).wait();
        let there = served.users(&users, sort, &first, limit).wait();
        assert_eq!(there.unwrap(), here.unwrap());
        let here = served.held.activity(&entries, None, limit).wait();
        let there = served.activity(&entries, None, limit).wait();
        assert_eq!(there.unwrap(), here.unwrap());
    }
}

#[test]
fn a_process_that_has_ended_is_named_unreachable_and_leaves_no_socket() {
    let mut served = empty();
    let socket = served.folder.path().join("control.sock");
    assert!(socket.exists());
    served.runtime.block_on(served.socket.take().unwrap().end());
    assert!(!socket.exists());
    let refused = served.counts(now()).wait().unwrap_err();
    assert_eq!(refused.code, ErrorCode::Unreachable);
    let refused = RemoteDirectory::local(served.folder.path()).wait();
    assert_eq!(refused.unwrap_err().code, ErrorCode::Unreachable);
}

#[cfg(unix)]
#[test]
fn a_change_at_a_process_that_ends_before_it_answers_is_doubtful_and_a_question_is_not() {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixListener;

    let folder = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(folder.path().join("control.sock")).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = vec![0; 4096];
            while let Ok(length @ 1..) = stream.read(&mut request) {
                if !is_greeting(&String::from_utf8_lossy(&request[..length])) {
                    break;
                }
                let _ = stream.write_all(json("200 OK", ABOUT).as_bytes());
            }
        }
    });
    let remote = RemoteDirectory::local(folder.path()).wait().unwrap();
    let refused = remote.remove(&id("ada"), &by(now())).wait().unwrap_err();
    assert_eq!(refused.code, ErrorCode::Unreachable);
    assert!(refused.is_in_doubt(), "{refused}");
    assert!(refused.message.contains("not known whether"), "{refused}");
    let refused = remote.counts(now()).wait().unwrap_err();
    assert!(!refused.is_in_doubt(), "{refused}");
    let not_entered = latchkey_core::ledger::not_entered(refused).message;
    assert!(
        not_entered.contains("could not be entered"),
        "{not_entered}"
    );
}

#[test]
fn the_same_client_reaches_a_socket_that_was_closed_and_opened_again() {
    let mut served = empty();
    served.add(&person("ada", None), &by(now())).wait().unwrap();
    served.runtime.block_on(served.socket.take().unwrap().end());
    served.socket = Some(serve(&served.runtime, &served.folder, &served.held));
    assert_eq!(served.count().wait().unwrap(), 1);
}

#[cfg(unix)]
#[test]
fn only_the_user_of_the_process_can_open_the_socket() {
    use std::os::unix::fs::PermissionsExt as _;

    let served = empty();
    let socket = served.folder.path().join("control.sock");
    let mode = socket.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
}

#[test]
fn a_socket_of_a_folder_with_a_long_path_is_in_the_runtime_folder() {
    let parent = tempfile::tempdir().unwrap();
    let folder = tempfile::Builder::new()
        .prefix(&"long".repeat(30))
        .tempdir_in(&parent)
        .unwrap();
    let held = EmbeddedDirectory::open(&folder.path().join("directory"), "a test");
    let held = Arc::new(held.unwrap());
    let runtime = other_process();
    let socket = serve(&runtime, &folder, &held);
    let remote = RemoteDirectory::local(folder.path()).wait().unwrap();
    assert_eq!(remote.count().wait().unwrap(), 0);
    assert!(!folder.path().join("control.sock").exists());
    runtime.block_on(socket.end());
}
