//! A standard output that was closed before the program began.
//!
//! The standard library opens `/dev/null` in its place before `main`, where everything that is written is
//! lost and no write fails. So it is looked at earlier.

use std::sync::atomic::{AtomicBool, Ordering};

static IS_CLOSED: AtomicBool = AtomicBool::new(false);

ctor::declarative::ctor! {
    /// Looks at standard output before the standard library does.
    #[ctor(unsafe)]
    fn look() {
        let flags = nix::fcntl::fcntl(std::io::stdout(), nix::fcntl::FcntlArg::F_GETFD);
        IS_CLOSED.store(flags == Err(nix::errno::Errno::EBADF), Ordering::Relaxed);
    }
}

/// Returns whether standard output was closed when the program began.
pub(crate) fn is_closed() -> bool {
    IS_CLOSED.load(Ordering::Relaxed)
}
