/// How many connections a gateway holds at most, with what else a process has open.
#[cfg(unix)]
const MANY: u64 = 65_536;

/// Lets this process have as many connections open as the operating system allows it. Many a system
/// begins with 1,024, which a crowd that says nothing would fill, and visitors would find no room.
#[cfg(unix)]
pub(crate) fn allow_many() {
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
pub(crate) fn allow_many() {}
