//! Room for a crowd.

use std::net::TcpListener;

/// How many connections a gateway holds at most, with what else a process has open.
#[cfg(unix)]
const MANY: u64 = 65_536;

/// Lets this process have as many connections open as the operating system allows it. Many a system
/// begins with 1,024, which a crowd that says nothing would fill, and visitors would find no room.
#[cfg(unix)]
pub(crate) fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(MANY, |maximum| maximum.min(MANY));
    if limit.current.is_none_or(|current| current >= wanted) {
        return;
    }
    let raised = Rlimit {
        current: Some(wanted),
        ..limit
    };
    if let Err(cause) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%cause, "the number of open files could not be raised");
    }
}

/// Windows sets no such limit.
#[cfg(not(unix))]
pub(crate) fn raise_open_files() {}

/// How many may have connected and wait to be taken; the operating system's own limit may be lower.
#[cfg(unix)]
const WAITING: i32 = 4096;

/// Lets many wait to be taken. The standard library has 128 of them wait, and whoever comes when these
/// places are full tries again after a second.
#[cfg(unix)]
pub(crate) fn let_many_wait(listener: &TcpListener) {
    if let Err(cause) = rustix::net::listen(listener, WAITING) {
        tracing::warn!(%cause, "the number of those who wait could not be raised");
    }
}

/// How long somebody may leave what is sent to them unread.
#[cfg(target_os = "linux")]
const UNREAD_TIME: std::time::Duration = std::time::Duration::from_secs(30);

/// Lets go who does not read: a connection has this of the listener that it came by.
#[cfg(target_os = "linux")]
pub(crate) fn let_go_who_reads_nothing(listener: &TcpListener) {
    let milliseconds = u32::try_from(UNREAD_TIME.as_millis()).unwrap_or(u32::MAX);
    if let Err(cause) = rustix::net::sockopt::set_tcp_user_timeout(listener, milliseconds) {
        tracing::warn!(%cause, "how long a connection may stay unread could not be set");
    }
}

/// Elsewhere the operating system's own patience counts.
#[cfg(not(target_os = "linux"))]
pub(crate) fn let_go_who_reads_nothing(_: &TcpListener) {}

/// Windows is left to choose.
#[cfg(not(unix))]
pub(crate) fn let_many_wait(_: &TcpListener) {}
