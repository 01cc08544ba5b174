//! The system's clipboard: what is put there is cleared after a minute if it is still ours.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use arboard::ImageData;

use crate::Problem;

/// When the clipboard is emptied.
pub(crate) const CLEARED_AFTER: Duration = Duration::from_mins(1);

/// On Linux the process that copied owns the content, so one handle lives as long as the window.
#[derive(Clone, Default)]
pub(crate) struct Clipboard(Arc<Mutex<Held>>);

#[derive(Default)]
struct Held {
    system: Option<arboard::Clipboard>,
    ours: Option<Content>,
    /// Counts what was copied, so that an old timer does not clear something newer.
    copies: u64,
}

#[derive(Clone)]
pub(crate) enum Content {
    Text(String),
    Picture(ImageData<'static>),
}

impl Clipboard {
    /// Copies, keeps it out of the clipboard's history where there is one, and sets the timer.
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

    /// What is on the clipboard: a text, or else a picture.
    pub(crate) fn read(&self) -> Result<Content, Problem> {
        let mut held = self.held();
        let system = held.system()?;
        if let Ok(text) = system.get_text()
            && !text.trim().is_empty()
        {
            return Ok(Content::Text(text));
        }
        system.get_image().map(Content::Picture).map_err(|_| {
            Problem::new(
                "clipboard_empty",
                "The clipboard holds neither a text nor a picture. Copy the code, the link or the QR code first.",
            )
        })
    }

    /// Empties the clipboard, unless somebody has put something else there.
    pub(crate) fn clear_if_ours(&self) {
        let mut held = self.held();
        let Some(ours) = held.ours.take() else {
            return;
        };
        let Ok(system) = held.system() else {
            return;
        };
        if is_there(system, &ours)
            && let Err(cause) = system.clear()
        {
            tracing::warn!(%cause, "the clipboard was not cleared");
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
        "clipboard_unavailable",
        "The clipboard cannot be used. Select the text and copy it by hand.",
    )
}
