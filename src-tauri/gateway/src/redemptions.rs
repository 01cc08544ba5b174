//! Codes that are being redeemed. Each is on the disk before its visitor is answered; those of visitors who
//! come while the disk is busy wait, and go there together. A thread for each of them would take longer to
//! wake than to do its work.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use latchkey_core::Result;
use latchkey_core::directory::{Directory, Redemption};
use latchkey_core::sign_in::SignInAttempt;
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
    attempt: SignInAttempt,
    answer: oneshot::Sender<Result<(SignInAttempt, Verdict)>>,
}

impl Redemptions {
    pub(crate) fn new(directory: Arc<dyn Directory>) -> Self {
        Self {
            directory,
            queue: Mutex::default(),
        }
    }

    /// Redeems a code, and gives it back with what has become of it.
    pub(crate) async fn redeem(
        self: &Arc<Self>,
        attempt: SignInAttempt,
    ) -> Result<(SignInAttempt, Verdict)> {
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use latchkey_core::activity::{ActivityQuery, Actor, AuditContext};
    use latchkey_core::instance::Settings;
    use latchkey_core::secret::{Secret, SigningKey};
    use latchkey_core::session::SessionScope;
    use latchkey_core::sign_in::Browser;
    use latchkey_store::SledDirectory;
    use tokio::task::JoinSet;

    use super::*;

    /// What is no code at all, which is refused and recorded as any other.
    fn attempt() -> SignInAttempt {
        let settings = Settings::sample().unwrap();
        let key = SigningKey::from_text(&Secret::new("k".repeat(32))).unwrap();
        let by = AuditContext::new(Actor::Visitor, Timestamp::UNIX_EPOCH);
        let browser = Browser::unknown(SessionScope::Page);
        SignInAttempt::new("x", &settings, &[&key], browser, by).unwrap()
    }

    fn redemptions() -> (Arc<Redemptions>, Arc<SledDirectory>, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let directory = Arc::new(SledDirectory::open(folder.path(), "a test").unwrap());
        let redemptions = Arc::new(Redemptions::new(
            Arc::clone(&directory) as Arc<dyn Directory>
        ));
        (redemptions, directory, folder)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn everybody_who_comes_at_once_is_answered_once() {
        const VISITORS: usize = 3 * TOGETHER + 7;
        let (redemptions, directory, _folder) = redemptions();
        for round in 1..=5 {
            let mut visitors = JoinSet::new();
            for _ in 0..VISITORS {
                let redemptions = Arc::clone(&redemptions);
                visitors.spawn(async move { redemptions.redeem(attempt()).await.unwrap().1 });
            }
            let verdicts = visitors.join_all().await;
            assert!(
                verdicts
                    .iter()
                    .all(|verdict| verdict.code() == "malformed_code")
            );
            // The first one is recorded, and the others are counted.
            directory.record_counted(Timestamp::MAX).unwrap();
            let activity = directory.activity(&ActivityQuery::default(), None, usize::MAX);
            let entries = activity.unwrap().entries;
            assert_eq!(entries.len(), 2 * round);
            let counted = entries[0].repeats.as_ref().unwrap().count;
            assert_eq!(counted, VISITORS as u64 - 1);
        }
        let queue = redemptions.queue();
        assert!(queue.waiting.is_empty() && !queue.at_work);
    }

    #[tokio::test]
    async fn work_that_ends_before_its_time_is_said_and_begun_anew() {
        let (redemptions, _, _folder) = redemptions();
        let (answer, answered) = oneshot::channel();
        let work = redemptions.wait(Waiting {
            attempt: attempt(),
            answer,
        });
        assert!(work.is_some());
        let (second, second_answered) = oneshot::channel();
        let waiting = Waiting {
            attempt: attempt(),
            answer: second,
        };
        assert!(redemptions.wait(waiting).is_none(), "one is at work");
        // As where it panics.
        drop(work);
        assert!(answered.await.is_err() && second_answered.await.is_err());
        let (_, verdict) = redemptions.redeem(attempt()).await.unwrap();
        assert_eq!(verdict.code(), "malformed_code");
    }
}
