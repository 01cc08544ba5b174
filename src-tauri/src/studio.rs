//! What the window keeps while it is open.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use latchkey_core::compose::Composed;
use latchkey_core::home::Home;
use latchkey_core::instance::InstanceId;
use latchkey_core::keys::KeychainUse;
use latchkey_core::qr::Qr;
use latchkey_core::secret::Secret;
use latchkey_core::{Error, Result, files};
use tauri::State;

use crate::Problem;
use crate::clipboard::Clipboard;

/// How many previews can still be copied: the one on the screen, and those that a slow click meets.
const KEPT_PREVIEWS: usize = 8;

/// A preview that was shown.
pub(crate) struct Shown {
    pub(crate) revision: u32,
    pub(crate) composed: Composed,
    pub(crate) qr: Result<Qr>,
}

/// The state behind the commands.
pub struct Studio {
    data_dir: Option<PathBuf>,
    keychain: KeychainUse,
    home: Mutex<Option<Arc<Home>>>,
    shown: Mutex<(u32, VecDeque<Arc<Shown>>)>,
    revealed: Mutex<Option<(InstanceId, Secret)>>,
    clipboard: Clipboard,
}

impl Studio {
    /// Nothing is opened yet: that may take as long as a keychain does, and the window comes first.
    #[must_use]
    pub fn new(data_dir: Option<PathBuf>, keychain: KeychainUse) -> Self {
        Self {
            data_dir,
            keychain,
            home: Mutex::default(),
            shown: Mutex::default(),
            revealed: Mutex::default(),
            clipboard: Clipboard::default(),
        }
    }

    /// The data folder, opened the first time.
    pub(crate) fn home(&self) -> Result<Arc<Home>> {
        let mut home = locked(&self.home);
        if let Some(home) = &*home {
            return Ok(Arc::clone(home));
        }
        let opened = Arc::new(Home::open(
            files::data_dir(self.data_dir.clone())?,
            self.keychain,
        )?);
        *home = Some(Arc::clone(&opened));
        Ok(opened)
    }

    pub(crate) fn clipboard(&self) -> &Clipboard {
        &self.clipboard
    }

    /// Keeps a preview, so that what is copied is what is shown, and answers with its revision.
    pub(crate) fn show(&self, composed: Composed, qr: Result<Qr>) -> u32 {
        let mut shown = locked(&self.shown);
        let (last, previews) = &mut *shown;
        *last = last.wrapping_add(1);
        let revision = *last;
        previews.push_back(Arc::new(Shown {
            revision,
            composed,
            qr,
        }));
        if previews.len() > KEPT_PREVIEWS {
            previews.pop_front();
        }
        revision
    }

    /// A preview that was shown lately.
    pub(crate) fn shown(&self, revision: u32) -> std::result::Result<Arc<Shown>, Problem> {
        locked(&self.shown)
            .1
            .iter()
            .find(|shown| shown.revision == revision)
            .map(Arc::clone)
            .ok_or_else(|| {
                Problem::new(
                    "stale_preview",
                    "The link has changed in the meantime. Copy it again.",
                )
            })
    }

    pub(crate) fn revealed(&self) -> MutexGuard<'_, Option<(InstanceId, Secret)>> {
        locked(&self.revealed)
    }
}

/// Does work that may wait, on a thread on which waiting hurts nobody.
pub(crate) async fn blocking<T, E>(
    studio: State<'_, Arc<Studio>>,
    work: impl FnOnce(&Studio) -> std::result::Result<T, E> + Send + 'static,
) -> std::result::Result<T, Problem>
where
    T: Send + 'static,
    E: Into<Problem> + Send + 'static,
{
    let studio = Arc::clone(&studio);
    match tauri::async_runtime::spawn_blocking(move || work(&studio)).await {
        Ok(done) => done.map_err(Into::into),
        Err(cause) => {
            tracing::error!(%cause, "a command ended early");
            Err(Problem::new(
                "internal",
                "Something went wrong inside Latchkey, and nothing was done. Start it again.",
            ))
        }
    }
}

/// As [`blocking`], with the data folder.
pub(crate) async fn at_home<T: Send + 'static>(
    studio: State<'_, Arc<Studio>>,
    work: impl FnOnce(&Studio, &Home) -> Result<T> + Send + 'static,
) -> std::result::Result<T, Problem> {
    blocking(studio, move |studio| -> Result<T, Error> {
        let home = studio.home()?;
        work(studio, &home)
    })
    .await
}

/// A panic elsewhere leaves what is behind the lock usable.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
