//! The writer: the one thread that changes a directory. It takes a batch of queued commands,
//! decides and stages them one after the other, writes them as one row of the journal, syncs the
//! disk once, and answers all of them.

mod batch;
mod request;
mod work;

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use jiff::Timestamp;
use latchkey_core::activity::AuditContext;
use latchkey_core::directory::{Command, Outcome};
use latchkey_core::instance::Retention;
use latchkey_core::{Error, Result};
use tokio::sync::{mpsc, oneshot};

use self::request::{Answer, Request};
use self::work::Work;
use super::row_snapshot::Begun;
use super::seals::SealedPart;
use super::shared::Shared;
use crate::files;
use crate::wait::Wait as _;

/// Maximum number of queued commands. Further callers wait for space in the queue.
const QUEUE: usize = 1024;

/// The writer of a directory. Dropping it ends the thread after the queued requests.
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(shared: Arc<Shared>) -> Result<Self> {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let folder = shared.opened.folder().to_owned();
        let work = Work::new(shared);
        let thread = thread::Builder::new()
            .name("directory".to_owned())
            .spawn(move || work.run(waiting))
            .map_err(|cause| files::storage("opened", &folder, cause))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    /// Makes a change, which is on the disk when this returns.
    pub(super) async fn execute(&self, command: Command, by: AuditContext) -> Result<Outcome> {
        let asked = Box::new((command, by));
        self.ask(|answer| Request::Execute(asked, answer)).await
    }

    pub(super) async fn record_counted(&self, now: Option<i64>) -> Result<()> {
        self.ask(|answer| Request::RecordCounted(now, answer)).await
    }

    pub(super) async fn prune(&self, retention: Retention, now: Timestamp) -> Result<bool> {
        self.ask(|answer| Request::Prune(retention, now, answer))
            .await
    }

    pub(super) async fn checkpoint(&self) -> Result<()> {
        self.ask(Request::Checkpoint).await
    }

    pub(super) async fn begin_snapshot(&self) -> Result<Begun> {
        self.ask(Request::Snapshot).await
    }

    pub(super) async fn sealed_part(&self) -> Result<SealedPart> {
        self.ask(Request::Sealed).await
    }

    async fn ask<T>(&self, request: impl FnOnce(Answer<T>) -> Request) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or_else(went_wrong)?;
        queue
            .send(request(answer))
            .await
            .map_err(|_| went_wrong())?;
        answered.await.unwrap_or_else(|_| Err(went_wrong()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Err(cause) = self.record_counted(None).wait() {
            tracing::warn!(error = ?cause, "refusals that were counted are not recorded");
        }
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the writer of the directory panicked");
        }
    }
}

/// Returns the error for a request that panicked.
fn went_wrong() -> Error {
    Error::internal("the writer of the directory did not answer")
}

#[cfg(test)]
mod tests {
    use futures_lite::future::poll_once;
    use latchkey_core::ErrorCode;
    use latchkey_core::activity::{Actor, EventData};
    use latchkey_core::directory::Directory as _;

    use super::super::EmbeddedDirectory;
    use super::*;

    #[test]
    fn a_panic_is_an_error_for_its_callers_and_later_changes_work() {
        let folder = tempfile::tempdir().unwrap();
        let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
        let by = AuditContext::new(Actor::Studio, Timestamp::UNIX_EPOCH);
        let record = || directory.record(EventData::GatewayRecovered.into(), &by);
        record().wait().unwrap();
        let refused = directory.writer.ask(Request::Panic).wait().unwrap_err();
        assert_eq!(refused.code, ErrorCode::Internal);
        // The tree must be opened again first.
        while let Err(refused) = record().wait() {
            assert_eq!(refused.code, ErrorCode::Storage, "{}", refused.message);
        }
    }

    #[test]
    fn a_directory_closes_inside_a_task_that_has_used_up_its_budget() {
        let (closed, is_closed) = std::sync::mpsc::channel();
        // On a thread of its own, because closing would otherwise hang the test.
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            runtime.unwrap().block_on(async {
                let folder = tempfile::tempdir().unwrap();
                let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
                while poll_once(tokio::task::consume_budget()).await.is_some() {}
                drop(directory);
            });
            closed.send(()).unwrap();
        });
        let limit = std::time::Duration::from_secs(30);
        assert!(is_closed.recv_timeout(limit).is_ok(), "closing hangs");
    }
}
