//! The changes that have an idempotency key, and the responses to them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use latchkey_core::ErrorCode;

use crate::api::problem::Problem;

/// Time for which a response is kept.
const KEPT: Duration = Duration::from_hours(24);
/// Maximum size of a kept response, in bytes. Longer ones are not given again.
pub(super) const MAX_ANSWER: usize = 64 * 1024;
/// Maximum of the responses to one client. Its oldest ones are dropped first, so that no client
/// pushes out the responses to another.
const MAX_OF_CLIENT: Size = Size {
    answers: 1000,
    bytes: 1024 * 1024,
};
/// Maximum of all responses. The oldest ones of the client with the most are dropped first.
const MAX_TOGETHER: Size = Size {
    answers: 10_000,
    bytes: 16 * 1024 * 1024,
};

/// Number of kept responses, and their size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Size {
    answers: usize,
    bytes: usize,
}

impl Size {
    fn exceeds(self, maximum: Self) -> bool {
        self.answers > maximum.answers || self.bytes > maximum.bytes
    }

    fn add(&mut self, bytes: usize) {
        self.answers += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }

    fn remove(&mut self, bytes: usize) {
        self.answers = self.answers.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

/// ID of an API key. `None` for the local socket.
type Client = Option<String>;

/// Client and idempotency key of a change. Each client has its own keys.
#[derive(Clone, Debug)]
pub(super) struct ChangeId {
    pub(super) client: Client,
    pub(super) key: String,
}

/// SHA-256 of the method, the path and the body of a request.
pub(super) type Fingerprint = [u8; 32];

/// Maximum time that an attempt needs on its way. A gateway that started at most this time before the
/// first attempt at a change may have lost that attempt.
const MAX_TRANSIT: Duration = Duration::from_secs(30);

/// The changes of the last 24 hours that have an idempotency key. They are in memory only, so a
/// restart forgets them.
pub(super) struct Changes {
    kept: Mutex<Kept>,
    /// Time from which on every change is known.
    since: Instant,
}

#[derive(Default)]
struct Kept {
    clients: HashMap<Client, ChangesOfClient>,
    size: Size,
}

#[derive(Default)]
struct ChangesOfClient {
    by_key: HashMap<String, Change>,
    /// Finished changes, the oldest first.
    finished: VecDeque<(String, Instant)>,
    size: Size,
}

struct Change {
    fingerprint: Fingerprint,
    progress: Progress,
}

#[derive(Clone)]
pub(super) enum Progress {
    Running,
    Answered(Answer),
    /// The change was made, and its response is not kept.
    NotKept,
}

impl Progress {
    fn bytes(&self) -> usize {
        match self {
            Self::Answered(answer) => answer.body.len(),
            Self::Running | Self::NotKept => 0,
        }
    }
}

/// A kept response.
#[derive(Clone)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) kind: Option<HeaderValue>,
    pub(super) body: Bytes,
}

impl Changes {
    /// Returns no changes. All that begin from now on will be known.
    pub(super) fn since(now: Instant) -> Self {
        Self {
            kept: Mutex::default(),
            since: now,
        }
    }

    /// Begins a change. Returns its response if it was made before. `age` is the time since the first
    /// attempt at a repeated request.
    ///
    /// Fails if another request had the key, if the change still runs, if it was made and its response
    /// is not kept, or if this program may have started after the first attempt.
    pub(super) fn begin(
        self: &Arc<Self>,
        id: &ChangeId,
        fingerprint: Fingerprint,
        age: Option<Duration>,
        now: Instant,
    ) -> Result<Begun, Problem> {
        let mut kept = self.kept();
        kept.forget_old(now);
        let of_client = kept.clients.entry(id.client.clone()).or_default();
        let Some(known) = of_client.by_key.get(&id.key) else {
            let known_for = now.saturating_duration_since(self.since);
            if age.is_some_and(|age| known_for < age.saturating_add(MAX_TRANSIT)) {
                return Err(Problem::of(
                    StatusCode::CONFLICT,
                    "The gateway started at about the time of the first attempt at this change, so it is not known whether the change was made. Look before you repeat it.",
                )
                .code(ErrorCode::OutcomeUnknown));
            }
            let change = Change {
                fingerprint,
                progress: Progress::Running,
            };
            of_client.by_key.insert(id.key.clone(), change);
            return Ok(Begun::First(Running {
                id: id.clone(),
                changes: Arc::clone(self),
                is_finished: false,
            }));
        };
        if known.fingerprint != fingerprint {
            return Err(Problem::of(
                StatusCode::UNPROCESSABLE_ENTITY,
                "Another request had this Idempotency-Key. Choose a new key for each change.",
            ));
        }
        match &known.progress {
            Progress::Running => Err(Problem::of(
                StatusCode::CONFLICT,
                "The first request with this Idempotency-Key is still running. Try again in a second.",
            )
            .with(RETRY_AFTER, HeaderValue::from_static("1"))),
            Progress::NotKept => Err(Problem::of(
                StatusCode::CONFLICT,
                "The change was made, and its response is not given again, because it had a secret or was too long. Look at the current state, and repeat the change with a new Idempotency-Key if you need its response.",
            )),
            Progress::Answered(answer) => Ok(Begun::Before(answer.clone())),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn finish(&mut self, id: &ChangeId, progress: Progress, now: Instant) {
        let Some(of_client) = self.clients.get_mut(&id.client) else {
            return;
        };
        let Some(change) = of_client.by_key.get_mut(&id.key) else {
            return;
        };
        of_client.size.add(progress.bytes());
        self.size.add(progress.bytes());
        change.progress = progress;
        of_client.finished.push_back((id.key.clone(), now));
        self.forget_old(now);
    }

    /// Drops responses that are too old or too many.
    fn forget_old(&mut self, now: Instant) {
        for of_client in self.clients.values_mut() {
            while of_client.has_too_old(now) || of_client.size.exceeds(MAX_OF_CLIENT) {
                self.size.remove(of_client.drop_oldest());
            }
        }
        while self.size.exceeds(MAX_TOGETHER)
            && let Some(largest) = self.largest()
        {
            let dropped = largest.drop_oldest();
            self.size.remove(dropped);
        }
        self.clients
            .retain(|_, of_client| !of_client.by_key.is_empty());
    }

    /// Returns the changes of the client with the most of what is too many: responses or bytes.
    fn largest(&mut self) -> Option<&mut ChangesOfClient> {
        let by_bytes = self.size.bytes > MAX_TOGETHER.bytes;
        let with_answers = self.clients.values_mut();
        let with_answers = with_answers.filter(|of_client| !of_client.finished.is_empty());
        with_answers.max_by_key(
            |ChangesOfClient { size, .. }| {
                if by_bytes { size.bytes } else { size.answers }
            },
        )
    }
}

impl ChangesOfClient {
    fn has_too_old(&self, now: Instant) -> bool {
        let oldest = self.finished.front();
        oldest.is_some_and(|(_, at)| now.saturating_duration_since(*at) >= KEPT)
    }

    /// Drops the oldest finished change. Returns the size of its response.
    fn drop_oldest(&mut self) -> usize {
        let oldest = self.finished.pop_front();
        let dropped = oldest.and_then(|(key, _)| self.by_key.remove(&key));
        let bytes = dropped.map_or(0, |change| change.progress.bytes());
        self.size.remove(bytes);
        bytes
    }
}

/// Outcome of beginning a change.
pub(super) enum Begun {
    /// This request is the first one.
    First(Running),
    /// The change was made before, with this response.
    Before(Answer),
}

/// A change that is running. If it is dropped before it is finished, nothing is known of it any
/// more, and the next request makes the change.
pub(super) struct Running {
    id: ChangeId,
    changes: Arc<Changes>,
    is_finished: bool,
}

impl Running {
    pub(super) fn finish(mut self, progress: Progress, now: Instant) {
        self.is_finished = true;
        self.changes.kept().finish(&self.id, progress, now);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_finished
            && let Some(of_client) = self.changes.kept().clients.get_mut(&self.id.client)
        {
            of_client.by_key.remove(&self.id.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(client: usize, key: usize) -> ChangeId {
        ChangeId {
            client: Some(client.to_string()),
            key: key.to_string(),
        }
    }

    fn answer(bytes: usize) -> Progress {
        Progress::Answered(Answer {
            status: StatusCode::OK,
            kind: None,
            body: Bytes::from(vec![0; bytes]),
        })
    }

    fn new() -> (Arc<Changes>, Instant) {
        let now = Instant::now();
        (Arc::new(Changes::since(now)), now)
    }

    fn finish(changes: &Arc<Changes>, id: &ChangeId, progress: Progress, now: Instant) {
        match changes.begin(id, [0; 32], None, now) {
            Ok(Begun::First(running)) => running.finish(progress, now),
            _ => panic!("{id:?} is new"),
        }
    }

    fn is_known(changes: &Arc<Changes>, id: &ChangeId, now: Instant) -> bool {
        matches!(changes.begin(id, [0; 32], None, now), Ok(Begun::Before(_)))
    }

    #[test]
    fn a_response_is_kept_for_24_hours_and_then_leaves_nothing() {
        let (changes, now) = new();
        finish(&changes, &id(1, 1), answer(10), now);
        let almost = KEPT.saturating_sub(Duration::from_secs(1));
        assert!(is_known(&changes, &id(1, 1), now + almost));
        assert!(!is_known(&changes, &id(1, 1), now + KEPT));
        let mut kept = changes.kept();
        kept.forget_old(now + KEPT);
        assert_eq!(kept.size, Size::default());
        assert!(kept.clients.is_empty());
    }

    #[test]
    fn a_client_pushes_out_only_its_own_oldest_responses() {
        for (bytes, fit) in [
            (1, MAX_OF_CLIENT.answers),
            (MAX_ANSWER, MAX_OF_CLIENT.bytes / MAX_ANSWER),
        ] {
            let (changes, now) = new();
            finish(&changes, &id(2, 0), answer(1), now);
            for key in 0..=fit {
                finish(&changes, &id(1, key), answer(bytes), now);
            }
            assert!(!is_known(&changes, &id(1, 0), now), "{bytes}");
            assert!(is_known(&changes, &id(1, 1), now), "{bytes}");
            assert!(is_known(&changes, &id(2, 0), now), "{bytes}");
            assert!(!changes.kept().size.exceeds(MAX_TOGETHER));
        }
    }

    #[test]
    fn many_clients_have_a_maximum_together_and_those_with_the_most_give_way() {
        for (bytes, fit) in [
            (1, MAX_OF_CLIENT.answers),
            (MAX_ANSWER, MAX_OF_CLIENT.bytes / MAX_ANSWER),
        ] {
            let (changes, now) = new();
            finish(&changes, &id(0, 0), answer(1), now);
            for client in 1..=20 {
                for key in 0..fit {
                    finish(&changes, &id(client, key), answer(bytes), now);
                }
            }
            let kept = changes.kept().size;
            assert!(!kept.exceeds(MAX_TOGETHER), "{kept:?}");
            assert!(
                kept.answers + 1 >= MAX_TOGETHER.answers
                    || kept.bytes + bytes >= MAX_TOGETHER.bytes
            );
            assert!(is_known(&changes, &id(0, 0), now), "the small client");
            assert!(is_known(&changes, &id(20, fit - 1), now), "the latest");
            let together = changes.kept();
            let (mut sum, clients) = (Size::default(), together.clients.values());
            for of_client in clients {
                sum.answers += of_client.size.answers;
                sum.bytes += of_client.size.bytes;
            }
            assert_eq!(sum, together.size);
        }
    }

    #[test]
    fn a_running_change_is_not_begun_again_and_one_that_failed_is() {
        let (changes, now) = new();
        let Ok(Begun::First(running)) = changes.begin(&id(1, 1), [0; 32], None, now) else {
            panic!("it is new");
        };
        assert!(
            changes.begin(&id(1, 1), [0; 32], None, now).is_err(),
            "it runs"
        );
        assert!(
            changes.begin(&id(1, 1), [1; 32], None, now).is_err(),
            "another request"
        );
        drop(running);
        assert!(matches!(
            changes.begin(&id(1, 1), [0; 32], None, now),
            Ok(Begun::First(_))
        ));
    }

    #[test]
    fn a_repeated_change_that_may_have_begun_before_the_program_is_not_made() {
        let (changes, since) = new();
        let attempt = |key: usize, age: u64, uptime: u64| {
            let age = Some(Duration::from_secs(age));
            let now = since + Duration::from_secs(uptime);
            changes.begin(&id(1, key), [0; 32], age, now)
        };
        // The program starts after, at the time of, and long before the first attempt.
        assert!(attempt(1, 10, 1).is_err());
        assert!(attempt(2, 1, 30).is_err());
        assert!(matches!(attempt(3, 1, 31), Ok(Begun::First(_))));
        finish(&changes, &id(1, 4), answer(1), since);
        assert!(matches!(attempt(4, 1, 2), Ok(Begun::Before(_))));
    }
}
