//! The question before the window closes, from the window's side to the page's.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Tells the page that somebody wants to close the window.
#[derive(Default)]
pub(crate) struct Closing {
    asked: Notify,
    listening: AtomicUsize,
}

impl Closing {
    /// Asks the page. False where no page listens: the window must close without an answer then.
    pub(crate) fn ask(&self) -> bool {
        let listens = self.listening.load(Ordering::SeqCst) > 0;
        self.asked.notify_waiters();
        listens
    }

    /// Waits until the window is asked to close.
    pub(crate) async fn asked(&self) {
        let _listening = Listening::of(self);
        self.asked.notified().await;
    }
}

/// Counts a listener for as long as it waits.
struct Listening<'a>(&'a Closing);

impl<'a> Listening<'a> {
    fn of(closing: &'a Closing) -> Self {
        closing.listening.fetch_add(1, Ordering::SeqCst);
        Self(closing)
    }
}

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        self.0.listening.fetch_sub(1, Ordering::SeqCst);
    }
}
