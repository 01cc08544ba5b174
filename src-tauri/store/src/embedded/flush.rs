use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::disk::Disk;
use super::{elapsed, storage};
use latchkey_core::Result;

/// How long a flush waits at most for changes that are under way. It is a part of what a flush takes.
const GATHERING: Duration = Duration::from_micros(200);
/// Time after which a flush is taken to be stuck.
const STUCK: Duration = Duration::from_secs(5);

/// Puts changes on the disk, those of many threads at once: while one of them flushes, the others
/// that have changed something wait, and the next flush is for all of them together. sled would flush
/// for each by itself.
#[derive(Default)]
pub(super) struct Flusher {
    turns: Mutex<Turns>,
    /// A flush has ended.
    flushed: Condvar,
    /// No change is under way any more.
    quiet: Condvar,
}

#[derive(Default)]
struct Turns {
    /// How many changes are under way, and may ask soon.
    under_way: u32,
    /// How many have asked.
    asked: u64,
    /// How many of them are served.
    served: u64,
    /// When the flush began that is under way.
    flushing: Option<Instant>,
    /// How many wait for whoever is at it.
    waiting: u32,
    /// Whether whoever is at it waits for changes that are under way.
    gathering: bool,
}

/// The flush that is under way. It ends when this is dropped, also by a panic: the others must not wait
/// for it then.
struct Flushing<'a>(&'a Flusher);

impl Drop for Flushing<'_> {
    fn drop(&mut self) {
        let mut turns = self.0.turns();
        turns.flushing = None;
        turns.gathering = false;
        if turns.waiting > 0 {
            self.0.flushed.notify_all();
        }
    }
}

/// A change that is under way.
pub(super) struct UnderWay<'a>(&'a Flusher);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut turns = self.0.turns();
        turns.under_way -= 1;
        // Waking nobody costs as much as waking somebody.
        if turns.under_way == 0 && turns.gathering {
            self.0.quiet.notify_all();
        }
    }
}

impl Flusher {
    /// Says that a change begins; it ends when the answer is dropped.
    pub(super) fn begin(&self) -> UnderWay<'_> {
        self.turns().under_way += 1;
        UnderWay(self)
    }

    /// Returns when everything that this thread has changed in `tree` is on `disk`. Not to be called in
    /// a transaction.
    pub(super) fn flush(&self, tree: &sled::Tree, disk: &Disk) -> Result<()> {
        self.flush_by(|| {
            tree.flush().map_err(storage)?;
            disk.sync()
        })
    }

    fn flush_by(&self, flush: impl Fn() -> Result<()>) -> Result<()> {
        let mut turns = self.turns();
        turns.asked += 1;
        let mine = turns.asked;
        while turns.served < mine {
            if turns.flushing.is_some() {
                turns.waiting += 1;
                turns = self
                    .flushed
                    .wait(turns)
                    .unwrap_or_else(PoisonError::into_inner);
                turns.waiting -= 1;
                continue;
            }
            turns.flushing = Some(elapsed::start());
            turns.gathering = true;
            // Whoever is about to ask is served, too. A single thread never waits here.
            turns = self
                .quiet
                .wait_timeout_while(turns, GATHERING, |turns| turns.under_way > 0)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            turns.gathering = false;
            let all = turns.asked;
            drop(turns);
            let flushing = Flushing(self);
            flush()?;
            // If it fails or panics, each of the other threads flushes by itself and gets its own error.
            let mut done = self.turns();
            done.served = done.served.max(all);
            drop(done);
            drop(flushing);
            turns = self.turns();
        }
        Ok(())
    }

    /// Whether a flush takes much longer than a disk does.
    pub(super) fn is_stuck(&self) -> bool {
        let since = self.turns().flushing;
        since.is_some_and(|since| since.elapsed() > STUCK)
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::*;
    use latchkey_core::{Error, ErrorCode};

    #[test]
    fn a_flush_serves_all_who_asked_before_it_began_and_nobody_else() {
        const THREADS: usize = 8;
        let (flusher, together) = (Flusher::default(), Barrier::new(THREADS));
        let (changes, on_disk, count) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    together.wait();
                    for _ in 0..50 {
                        let mine = changes.fetch_add(1, Ordering::SeqCst) + 1;
                        flusher
                            .flush_by(|| {
                                let all = changes.load(Ordering::SeqCst);
                                thread::sleep(Duration::from_micros(200));
                                on_disk.fetch_max(all, Ordering::SeqCst);
                                count.fetch_add(1, Ordering::SeqCst);
                                Ok(())
                            })
                            .unwrap();
                        assert!(on_disk.load(Ordering::SeqCst) >= mine);
                    }
                });
            }
        });
        let count = count.into_inner();
        assert!(count < 300, "{count} flushes for 400 changes");
    }

    #[test]
    fn a_change_is_under_way_until_it_ends() {
        let flusher = Flusher::default();
        let (one, other) = (flusher.begin(), flusher.begin());
        assert_eq!(flusher.turns().under_way, 2);
        drop(one);
        assert_eq!(flusher.turns().under_way, 1);
        drop(other);
        assert_eq!(flusher.turns().under_way, 0);
    }

    #[test]
    fn a_flush_that_panics_leaves_nobody_waiting() {
        const OTHERS: usize = 4;
        let (flusher, begun) = (Flusher::default(), Barrier::new(OTHERS + 1));
        let served = AtomicU64::new(0);
        thread::scope(|scope| {
            let panicking = scope.spawn(|| {
                flusher.flush_by(|| {
                    begun.wait();
                    // Until the others wait for this one.
                    while flusher.turns().waiting < u32::try_from(OTHERS).unwrap() {
                        thread::yield_now();
                    }
                    panic!("as sled does");
                })
            });
            for _ in 0..OTHERS {
                scope.spawn(|| {
                    begun.wait();
                    flusher.flush_by(|| Ok(())).unwrap();
                    served.fetch_add(1, Ordering::SeqCst);
                });
            }
            assert!(panicking.join().is_err());
        });
        assert_eq!(served.into_inner(), OTHERS as u64);
        assert!(flusher.turns().flushing.is_none());
        flusher.flush_by(|| Ok(())).unwrap();
    }

    #[test]
    fn a_flush_that_fails_serves_nobody() {
        let flusher = Flusher::default();
        let fail = || Err(Error::new(ErrorCode::Storage, "full"));
        assert!(flusher.flush_by(fail).is_err());
        assert!(flusher.flush_by(fail).is_err());
        flusher.flush_by(|| Ok(())).unwrap();
    }
}
