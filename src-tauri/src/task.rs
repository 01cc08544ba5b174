//! Work that the window can cancel.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use latchkey_core::{Error, Result};

/// A backup or an export that runs. Clones are the same work.
#[derive(Clone, Debug, Default)]
pub(crate) struct Task(Arc<AtomicBool>);

impl Task {
    /// Cancels the work.
    pub(crate) fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Fails if the work was cancelled. [`unless_cancelled`](Self::unless_cancelled) takes the error.
    pub(crate) fn go_on(&self) -> Result<()> {
        if self.is_cancelled() {
            return Err(Error::internal("the work was cancelled"));
        }
        Ok(())
    }

    /// Returns the result of the work. `None` if it was cancelled.
    pub(crate) fn unless_cancelled<T>(&self, result: Result<T>) -> Result<Option<T>> {
        match result {
            Err(_) if self.is_cancelled() => Ok(None),
            result => result.map(Some),
        }
    }

    fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cancelled_work_ends_without_an_error_and_other_errors_stay() {
        let task = Task::default();
        assert_eq!(task.unless_cancelled(task.go_on()).unwrap(), Some(()));
        let failed: Result<()> = Err(Error::internal("the disk is full"));
        task.unless_cancelled(failed.clone()).unwrap_err();
        task.clone().cancel();
        assert_eq!(task.unless_cancelled(task.go_on()).unwrap(), None);
        // Work that was done before it was cancelled is done.
        assert_eq!(task.unless_cancelled(Ok(7)).unwrap(), Some(7));
    }
}
