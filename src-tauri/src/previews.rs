//! Previews of links that were shown, so that a copy equals what the person saw.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use latchkey_core::Result;
use latchkey_core::instance::InstanceId;
use latchkey_core::link::compose::{Composed, Target};
use latchkey_core::link::qr::Qr;

use crate::commands::who::Who;
use crate::lock::locked;
use crate::problem::{Problem, StudioErrorCode};

/// Maximum number of previews that can still be copied: the shown one, and older ones for a slow
/// click.
const KEPT_PREVIEWS: usize = 8;

/// A preview that was shown.
pub(crate) struct Shown {
    pub(crate) revision: u32,
    pub(crate) source: Source,
    pub(crate) composed: Composed,
    pub(crate) qr: Result<Qr>,
}

/// Everything that decides the content and the target of a link, except the time and the ID.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) instance: InstanceId,
    pub(crate) target: Target,
    /// ID of the signing key.
    pub(crate) key: String,
    pub(crate) who: Who,
    pub(crate) expires_in: String,
    pub(crate) not_before: Option<String>,
    pub(crate) single_use: bool,
}

/// The last revision, and the previews that can still be copied, oldest first.
#[derive(Default)]
pub(crate) struct Previews(Mutex<(u32, VecDeque<Arc<Shown>>)>);

impl Previews {
    /// Stores a preview, so that a copy equals what is shown. Returns its revision.
    pub(crate) fn add(&self, source: Source, composed: Composed, qr: Result<Qr>) -> u32 {
        let mut shown = locked(&self.0);
        let (last, previews) = &mut *shown;
        *last = last.wrapping_add(1);
        let revision = *last;
        previews.push_back(Arc::new(Shown {
            revision,
            source,
            composed,
            qr,
        }));
        if previews.len() > KEPT_PREVIEWS {
            // The last preview of each instance is kept, because its screen may be opened again.
            let is_last = |old: &Shown| {
                let of_instance = |new: &&Arc<Shown>| new.source.instance == old.source.instance;
                let last = previews.iter().rfind(of_instance);
                last.is_some_and(|last| last.revision == old.revision)
            };
            let replaced = previews.iter().position(|old| !is_last(old));
            if let Some(replaced) = replaced {
                previews.remove(replaced);
            }
        }
        revision
    }

    /// Returns the single-use link that was shown last for the instance, if it was made from
    /// `source`.
    pub(crate) fn last_single_use(&self, source: &Source) -> Option<Composed> {
        let shown = locked(&self.0);
        let mut previews = shown.1.iter();
        let last = previews.rfind(|shown| shown.source.instance == source.instance)?;
        (source.single_use && last.source == *source).then(|| last.composed.clone())
    }

    /// Returns a preview that was shown recently.
    pub(crate) fn get(&self, revision: u32) -> std::result::Result<Arc<Shown>, Problem> {
        locked(&self.0)
            .1
            .iter()
            .find(|shown| shown.revision == revision)
            .map(Arc::clone)
            .ok_or_else(|| {
                Problem::new(
                    StudioErrorCode::StalePreview,
                    "The link has changed in the meantime. Copy it again.",
                )
            })
    }
}
