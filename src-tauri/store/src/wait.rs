use futures_lite::future::block_on;
use tokio::task::unconstrained;

/// Waiting for a directory in a program, or on a thread, that has no async runtime.
pub trait Wait: Future + Sized {
    /// Blocks the thread until the future is done. A thread of an async runtime does nothing else while it
    /// waits, so a server must await the future instead.
    fn wait(self) -> Self::Output {
        // Inside a task, tokio would suspend the future after some operations until the task yields.
        block_on(unconstrained(self))
    }
}

impl<F: Future> Wait for F {}

#[cfg(test)]
mod tests {
    use latchkey_core::activity::{Actor, AuditContext, Event};
    use latchkey_core::directory::Directory as _;

    use super::*;
    use crate::SledDirectory;

    #[tokio::test]
    async fn a_task_may_wait_for_any_number_of_changes() {
        let folder = tempfile::tempdir().unwrap();
        let directory = SledDirectory::open(folder.path(), "a test").unwrap();
        let by = AuditContext::new(Actor::Studio, jiff::Timestamp::UNIX_EPOCH);
        for _ in 0..300 {
            let event = Event::act("recorded", "Recorded");
            directory.record(event, &by).wait().unwrap();
        }
    }
}
