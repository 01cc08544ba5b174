use futures_lite::future::block_on;
use tokio::task::unconstrained;

/// Waiting for a directory in a program, or on a thread, without an async runtime.
pub trait Wait: Future + Sized {
    /// Blocks the thread until the future is done. A thread of an async runtime can do nothing else
    /// during that time, so a server must await the future.
    fn wait(self) -> Self::Output {
        // Without this, tokio would suspend the future inside a task after a number of operations.
        block_on(unconstrained(self))
    }
}

impl<F: Future> Wait for F {}

#[cfg(test)]
mod tests {
    use latchkey_core::activity::{Actor, AuditContext, EventData};
    use latchkey_core::directory::Directory as _;

    use super::*;
    use crate::EmbeddedDirectory;

    #[tokio::test]
    async fn a_task_may_wait_for_any_number_of_changes() {
        let folder = tempfile::tempdir().unwrap();
        let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
        let by = AuditContext::new(Actor::Studio, jiff::Timestamp::UNIX_EPOCH);
        for _ in 0..300 {
            let event = EventData::GatewayRecovered.into();
            directory.record(event, &by).wait().unwrap();
        }
    }
}
