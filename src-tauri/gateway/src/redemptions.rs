//! Codes that are being redeemed. Each is on the disk before its visitor is answered; those of visitors who
//! come while the disk is busy wait, and go there together. A thread for each of them would take longer to
//! wake than to do its work.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use latchkey_core::Result;
use latchkey_core::directory::{Directory, Redemption};
use latchkey_core::redeem::Attempt;
use latchkey_core::verdict::Verdict;
use tokio::sync::oneshot;
use tokio::task;

use crate::gateway::went_wrong;

/// So many are redeemed together at most: what comes after them is not kept waiting for long.
const TOGETHER: usize = 64;

/// Who waits, and whether somebody is at work for them.
pub(crate) struct Redemptions {
    directory: Arc<dyn Directory>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    /// Whether there is an [`AtWork`].
    at_work: bool,
}

struct Waiting {
    attempt: Attempt,
    answer: oneshot::Sender<Result<(Attempt, Verdict)>>,
}

impl Redemptions {
    pub(crate) fn new(directory: Arc<dyn Directory>) -> Self {
        Self {
            directory,
            queue: Mutex::default(),
        }
    }

    /// Redeems a code, and gives it back with what has become of it.
    pub(crate) async fn redeem(self: &Arc<Self>, attempt: Attempt) -> Result<(Attempt, Verdict)> {
        let (answer, answered) = oneshot::channel();
        if let Some(work) = self.wait(Waiting { attempt, answer }) {
            task::spawn_blocking(move || work.until_nobody_waits());
        }
        answered.await.unwrap_or_else(|_| Err(went_wrong()))
    }

    /// Adds somebody who waits; the work, where nobody is at it.
    fn wait(self: &Arc<Self>, waiting: Waiting) -> Option<AtWork> {
        let mut queue = self.queue();
        queue.waiting.push(waiting);
        let begins = !std::mem::replace(&mut queue.at_work, true);
        begins.then(|| AtWork {
            redemptions: Arc::clone(self),
            is_done: false,
        })
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody at work: one at a time.
struct AtWork {
    redemptions: Arc<Redemptions>,
    is_done: bool,
}

impl AtWork {
    fn until_nobody_waits(mut self) {
        while let Some(next) = self.next() {
            let codes: Vec<Redemption<'_>> = next
                .iter()
                .map(|waiting| waiting.attempt.redemption())
                .collect();
            let verdicts = self.redemptions.directory.redeem_all(&codes);
            match verdicts {
                Ok(verdicts) => {
                    for (Waiting { attempt, answer }, verdict) in next.into_iter().zip(verdicts) {
                        // Whoever has gone meanwhile is not told.
                        let _ = answer.send(verdict.map(|verdict| (attempt, verdict)));
                    }
                }
                Err(cause) => {
                    for waiting in next {
                        let _ = waiting.answer.send(Err(cause.clone()));
                    }
                }
            }
        }
    }

    fn next(&mut self) -> Option<Vec<Waiting>> {
        let mut queue = self.redemptions.queue();
        if queue.waiting.is_empty() {
            queue.at_work = false;
            self.is_done = true;
            return None;
        }
        let count = queue.waiting.len().min(TOGETHER);
        Some(queue.waiting.drain(..count).collect())
    }
}

impl Drop for AtWork {
    /// Where the work panicked, or never began because the program ends, those who wait are told, and
    /// the next one begins anew.
    fn drop(&mut self) {
        if !self.is_done {
            let mut queue = self.redemptions.queue();
            queue.at_work = false;
            queue.waiting.clear();
        }
    }
}
