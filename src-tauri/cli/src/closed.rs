//! Detection of a standard output that was closed before the program began.
//!
//! Before `main`, the standard library opens `/dev/null` in its place, where all output is lost and
//! no write fails. Therefore the check runs before that.

use std::sync::atomic::{AtomicBool, Ordering};

static IS_CLOSED: AtomicBool = AtomicBool::new(false);

ctor::declarative::ctor! {
    /// Checks standard output before the standard library replaces it.
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
