//! Limits of sockets: open files, the queue of new connections, and unread data.

use std::net::TcpListener;

/// Maximum number of open files, connections included.
#[cfg(unix)]
const MAX_OPEN_FILES: u64 = 65_536;

/// Raises the limit of open files to [`MAX_OPEN_FILES`], or to the maximum that the operating
/// system allows. Many systems start a process with 1,024, which idle connections alone could use
/// up.
#[cfg(unix)]
pub(crate) fn raise_open_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let wanted = limit
        .maximum
        .map_or(MAX_OPEN_FILES, |maximum| maximum.min(MAX_OPEN_FILES));
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

/// Does nothing, because Windows has no such limit.
#[cfg(not(unix))]
pub(crate) fn raise_open_file_limit() {}

/// Maximum number of connections that wait to be accepted. The operating system may have a lower
/// limit.
#[cfg(unix)]
const BACKLOG: i32 = 4096;

/// Raises the number of connections that may wait to be accepted. The standard library sets 128. A
/// client that finds the queue full tries again only after a second.
#[cfg(unix)]
pub(crate) fn raise_backlog(listener: &TcpListener) {
    if let Err(cause) = rustix::net::listen(listener, BACKLOG) {
        tracing::warn!(%cause, "the queue of new connections could not be enlarged");
    }
}

/// Maximum time for which a client may leave sent data unread.
#[cfg(target_os = "linux")]
const UNREAD_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

/// Closes connections whose client does not read. Accepted connections inherit the option from the
/// listener.
#[cfg(target_os = "linux")]
pub(crate) fn limit_unread_time(listener: &TcpListener) {
    let milliseconds = u32::try_from(UNREAD_TIMEOUT.as_millis()).unwrap_or(u32::MAX);
    if let Err(cause) = rustix::net::sockopt::set_tcp_user_timeout(listener, milliseconds) {
        tracing::warn!(%cause, "the timeout for unread data could not be set");
    }
}

/// Does nothing, because other systems keep their own timeout.
#[cfg(not(target_os = "linux"))]
pub(crate) fn limit_unread_time(_: &TcpListener) {}

/// Does nothing, because Windows chooses the size of the queue itself.
#[cfg(not(unix))]
pub(crate) fn raise_backlog(_: &TcpListener) {}
