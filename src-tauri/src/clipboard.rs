//! The clipboard of the system. Content that Studio puts there is cleared after a minute, unless
//! another program has replaced it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use arboard::ImageData;

use crate::problem::{Problem, StudioErrorCode};

/// Time after which copied content is cleared.
pub(crate) const CLEARED_AFTER: Duration = Duration::from_mins(1);

/// Timeout for another program that must hand over its content.
const READ_TIMEOUT: Duration = Duration::from_secs(4);

/// Timeout for a check of Studio's own content, which this process hands over itself.
const CHECK_TIMEOUT: Duration = Duration::from_secs(1);

/// Maximum number of threads that wait for a hanging program.
const MAX_READERS: usize = 4;

/// Handle of the clipboard. It lives as long as the window, because on Linux the process that
/// copied owns the content.
#[derive(Clone, Default)]
pub(crate) struct Clipboard {
    held: Arc<Mutex<Held>>,
    readers: Readers,
}

#[derive(Default)]
struct Held {
    system: Option<arboard::Clipboard>,
    ours: Option<Content>,
    /// Number of copies made, so that the timer of an older copy does not clear a newer one.
    copies: u64,
}

#[derive(Clone)]
pub(crate) enum Content {
    Text(String),
    Picture(ImageData<'static>),
}

impl Clipboard {
    /// Copies content, keeps it out of the clipboard's history if there is one, and starts the
    /// timer that clears it.
    pub(crate) fn put(&self, content: Content) -> Result<(), Problem> {
        let copies = {
            let mut held = self.held();
            set(held.system()?, &content).map_err(|cause| unavailable(&cause))?;
            held.ours = Some(content);
            held.copies += 1;
            held.copies
        };
        let clipboard = self.clone();
        let timer = thread::Builder::new()
            .name("clipboard".into())
            .spawn(move || {
                thread::sleep(CLEARED_AFTER);
                if clipboard.held().copies == copies {
                    clipboard.clear_if_ours();
                }
            });
        if let Err(cause) = timer {
            tracing::warn!(%cause, "the clipboard will not be cleared");
        }
        Ok(())
    }

    /// Returns the text, or else the picture, on the clipboard. The program that copied it must
    /// hand it over and may hang. Fails after [`READ_TIMEOUT`]. Nothing else waits during that
    /// time.
    pub(crate) fn read(&self) -> Result<Content, Problem> {
        self.readers.within(READ_TIMEOUT, || {
            let mut system = arboard::Clipboard::new().map_err(|cause| unavailable(&cause))?;
            read_from(&mut system)
        })?
    }

    /// Clears the clipboard, unless another program has put something else there.
    pub(crate) fn clear_if_ours(&self) {
        let ours = self.held().ours.take();
        let Some(ours) = ours else {
            return;
        };
        let is_there = self.readers.within(CHECK_TIMEOUT, move || {
            arboard::Clipboard::new().is_ok_and(|mut system| is_there(&mut system, &ours))
        });
        // A program that does not hand over its content has put something else there.
        if !is_there.unwrap_or(false) {
            return;
        }
        let mut held = self.held();
        if held.ours.is_some() {
            // Something newer was copied during the check.
            return;
        }
        if let Ok(system) = held.system()
            && let Err(cause) = system.clear()
        {
            tracing::warn!(%cause, "the clipboard was not cleared");
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Threads that read the clipboard. A thread that waits for a hanging program is abandoned, and
/// ends when that program does.
#[derive(Clone, Default)]
struct Readers(Arc<AtomicUsize>);

impl Readers {
    /// Runs `work` on its own thread. Returns its result, or an error after `timeout`.
    fn within<T: Send + 'static>(
        &self,
        timeout: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let running = Running::begin(&self.0).ok_or_else(hangs)?;
        let (answer, answered) = mpsc::sync_channel(1);
        let thread = thread::Builder::new()
            .name("clipboard-reader".into())
            .spawn(move || {
                // Fails after the timeout, when no receiver is left.
                let _ = answer.send(work());
                drop(running);
            });
        thread.map_err(|cause| unavailable(&cause))?;
        answered.recv_timeout(timeout).map_err(|_| hangs())
    }
}

/// A running thread, which is counted until it ends.
struct Running(Arc<AtomicUsize>);

impl Running {
    fn begin(count: &Arc<AtomicUsize>) -> Option<Self> {
        let running = Self(Arc::clone(count));
        (count.fetch_add(1, Ordering::Relaxed) < MAX_READERS).then_some(running)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn hangs() -> Problem {
    Problem::new(
        StudioErrorCode::ClipboardUnavailable,
        "The program that holds the clipboard does not answer. Copy it there again, or paste it into the field.",
    )
}

fn read_from(system: &mut arboard::Clipboard) -> Result<Content, Problem> {
    if let Ok(text) = system.get_text()
        && !text.trim().is_empty()
    {
        return Ok(Content::Text(text));
    }
    system.get_image().map(Content::Picture).map_err(|_| {
        Problem::new(
            StudioErrorCode::ClipboardEmpty,
            "The clipboard holds neither a text nor a picture. Copy the code, the link or the QR code first.",
        )
    })
}

impl Held {
    fn system(&mut self) -> Result<&mut arboard::Clipboard, Problem> {
        if self.system.is_none() {
            self.system = Some(arboard::Clipboard::new().map_err(|cause| unavailable(&cause))?);
        }
        self.system.as_mut().ok_or_else(|| unavailable(&"none"))
    }
}

fn set(system: &mut arboard::Clipboard, content: &Content) -> Result<(), arboard::Error> {
    let set = system.set();
    #[cfg(target_os = "linux")]
    let set = arboard::SetExtLinux::exclude_from_history(set);
    #[cfg(target_os = "macos")]
    let set = arboard::SetExtApple::exclude_from_history(set);
    #[cfg(windows)]
    let set = {
        use arboard::SetExtWindows as _;
        set.exclude_from_monitoring()
            .exclude_from_cloud()
            .exclude_from_history()
    };
    match content {
        Content::Text(text) => set.text(text.as_str()),
        Content::Picture(picture) => set.image(picture.clone()),
    }
}

fn is_there(system: &mut arboard::Clipboard, ours: &Content) -> bool {
    match ours {
        Content::Text(text) => system.get_text().is_ok_and(|there| there == *text),
        Content::Picture(picture) => system
            .get_image()
            .is_ok_and(|there| (there.width, there.height) == (picture.width, picture.height)),
    }
}

fn unavailable(cause: &dyn std::fmt::Display) -> Problem {
    tracing::warn!(%cause, "the clipboard cannot be used");
    Problem::new(
        StudioErrorCode::ClipboardUnavailable,
        "The clipboard cannot be used. Select the text and copy it by hand.",
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test panics when it fails")]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::problem::ProblemCode;

    #[test]
    fn a_hanging_clipboard_owner_times_out_and_blocks_nothing_else() {
        let readers = Readers::default();
        let (release, held) = mpsc::channel::<()>();
        let began = Instant::now();
        let hung = readers.within(Duration::from_millis(50), move || held.recv());
        assert_eq!(
            hung.unwrap_err().code,
            ProblemCode::Studio(StudioErrorCode::ClipboardUnavailable)
        );
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "{:?}",
            began.elapsed()
        );
        assert_eq!(readers.0.load(Ordering::Relaxed), 1, "it still waits");
        assert_eq!(readers.within(Duration::from_mins(1), || 7).unwrap(), 7);
        drop(release);
        while readers.0.load(Ordering::Relaxed) > 0 {
            thread::yield_now();
        }
    }

    #[test]
    fn the_number_of_threads_that_wait_for_a_hanging_owner_is_limited() {
        let readers = Readers::default();
        let (release, held) = mpsc::channel::<()>();
        let held = Arc::new(Mutex::new(held));
        for _ in 0..MAX_READERS {
            let held = Arc::clone(&held);
            let hung = readers.within(Duration::from_millis(1), move || {
                held.lock().is_ok_and(|held| held.recv().is_ok())
            });
            assert!(hung.is_err());
        }
        let refused = readers.within(Duration::from_mins(1), || 7);
        assert_eq!(
            refused.unwrap_err().code,
            ProblemCode::Studio(StudioErrorCode::ClipboardUnavailable)
        );
        drop(release);
        while readers.0.load(Ordering::Relaxed) > 0 {
            thread::yield_now();
        }
        assert_eq!(readers.within(Duration::from_mins(1), || 7).unwrap(), 7);
    }
}
