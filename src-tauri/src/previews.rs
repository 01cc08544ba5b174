//! Previews of links that were shown, so that a copy equals what the person saw.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use latchkey_core::inspect::outline::Outline;
use latchkey_core::instance::{InstanceId, Settings};
use latchkey_core::ledger::GivenAs;
use latchkey_core::link::compose::{Composed, LinkSpec, Target, claims};
use latchkey_core::link::qr::Qr;
use latchkey_core::secret::Secret;
use latchkey_core::{Error, Result};

use crate::commands::link_notes::{Lack, LinkNotes};
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
    pub(crate) link: Link,
}

/// A link that was shown.
#[derive(Clone)]
pub(crate) enum Link {
    /// A link that was signed here.
    Here(Box<Signed>),
    /// A link of an instance whose gateway is on a server.
    Gateway(Box<GatewayLink>),
}

/// A signed link with its QR code.
#[derive(Clone)]
pub(crate) struct Signed {
    pub(crate) composed: Composed,
    pub(crate) qr: Result<Qr>,
    /// All previews of the link share it.
    pub(crate) taking: Arc<Taking>,
}

/// State of a shown link: whether it was given out, and how.
#[derive(Default)]
pub(crate) struct Taking {
    is_taken: AtomicBool,
    /// Way in which the link was entered in the ledger ahead, until it is copied in this way.
    entered: Mutex<Option<GivenAs>>,
    /// Note and supersession with which the ledger has the link.
    notes: Mutex<LinkNotes>,
    /// URL of its short link, once that is in the ledger.
    short: Mutex<Option<Secret>>,
}

impl Taking {
    /// Returns that of a link that the gateway has entered in the ledger when it signed it.
    pub(crate) fn entered(given: GivenAs, notes: &LinkNotes) -> Self {
        let taking = Self::default();
        *locked(&taking.entered) = Some(given);
        taking.take(notes);
        taking
    }

    /// Notes that the link was entered in the ledger with a short link, as given out in a way.
    pub(crate) fn enter_short(&self, url: String, given: GivenAs, notes: &LinkNotes) {
        *locked(&self.short) = Some(Secret::new(url));
        *locked(&self.entered) = Some(given);
        self.take(notes);
    }

    /// Returns the URL of the short link, if it is in the ledger.
    pub(crate) fn short_url(&self) -> Option<Secret> {
        locked(&self.short).clone()
    }

    /// Returns whether the link was given out.
    pub(crate) fn is_taken(&self) -> bool {
        self.is_taken.load(Ordering::Relaxed)
    }

    /// Notes that the link was given out, and entered in the ledger with `notes`.
    pub(crate) fn take(&self, notes: &LinkNotes) {
        locked(&self.notes).add(notes);
        self.is_taken.store(true, Ordering::Relaxed);
    }

    /// Returns once whether the link was entered ahead as given out in this way.
    pub(crate) fn was_entered(&self, given: GivenAs) -> bool {
        let mut entered = locked(&self.entered);
        entered.take_if(|way| *way == given).is_some()
    }

    /// Returns the part of `notes` that the entry of the link in the ledger lacks.
    pub(crate) fn lacks(&self, notes: &LinkNotes) -> Option<Lack> {
        locked(&self.notes).lack(notes)
    }
}

/// A link that a gateway on a server signs when it is taken.
#[derive(Clone)]
pub(crate) struct GatewayLink {
    pub(crate) outline: Outline,
    pub(crate) state: GatewayLinkState,
}

/// Whether the gateway has signed a link.
#[derive(Clone)]
pub(crate) enum GatewayLinkState {
    /// The link can still be signed.
    Unsigned(Box<LinkSpec>),
    /// The link was taken.
    Signed(Box<Signed>),
}

impl GatewayLink {
    /// Returns a link that is not signed yet.
    pub(crate) fn new(settings: &Settings, spec: LinkSpec, now: Timestamp) -> Result<Self> {
        Ok(Self {
            outline: Outline::new(settings, claims(spec.clone(), now)?, now)?,
            state: GatewayLinkState::Unsigned(Box::new(spec)),
        })
    }

    /// Returns a link that the gateway has signed.
    pub(crate) fn signed(
        settings: &Settings,
        composed: Composed,
        taking: Taking,
        now: Timestamp,
    ) -> Result<Self> {
        Ok(Self {
            outline: Outline::new(settings, composed.claims.clone(), now)?,
            state: GatewayLinkState::Signed(Box::new(Signed {
                qr: Qr::for_url(&composed.link.url()),
                composed,
                taking: Arc::new(taking),
            })),
        })
    }

    /// Judges the same link at another time.
    pub(crate) fn at(self, settings: &Settings, now: Timestamp) -> Result<Self> {
        Ok(Self {
            outline: Outline::new(settings, self.outline.claims, now)?,
            state: self.state,
        })
    }
}

impl Shown {
    /// Returns the signed link. Fails if it is not signed: the page has it signed before it copies.
    pub(crate) fn signed(&self) -> std::result::Result<&Signed, Problem> {
        match &self.link {
            Link::Here(signed) => Ok(signed),
            Link::Gateway(link) => match &link.state {
                GatewayLinkState::Signed(signed) => Ok(signed),
                GatewayLinkState::Unsigned(_) => Err(stale()),
            },
        }
    }

    /// Returns the link of a gateway on a server. Fails if it was signed here.
    pub(crate) fn of_gateway(&self) -> Result<&GatewayLink> {
        match &self.link {
            Link::Gateway(link) => Ok(link),
            Link::Here(_) => Err(Error::internal("the link was signed here")),
        }
    }
}

/// Returns the error for a preview that cannot be copied any more.
fn stale() -> Problem {
    Problem::new(
        StudioErrorCode::StalePreview,
        "The link has changed in the meantime. Copy it again.",
    )
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
    pub(crate) uses: Option<u64>,
    pub(crate) account_ends: Option<String>,
}

/// The last revision, and the previews that can still be copied, oldest first.
#[derive(Default)]
pub(crate) struct Previews(Mutex<(u32, VecDeque<Arc<Shown>>)>);

impl Previews {
    /// Stores a preview, so that a copy equals what is shown. Returns its revision.
    pub(crate) fn add(&self, source: Source, link: Link) -> u32 {
        let mut shown = locked(&self.0);
        let (last, previews) = &mut *shown;
        *last = last.wrapping_add(1);
        let revision = *last;
        previews.push_back(Arc::new(Shown {
            revision,
            source,
            link,
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

    /// Returns the link that was shown last for the instance, if it was made from `source` and must not
    /// be replaced silently: a link with a limited number of uses, or one that was given out.
    pub(crate) fn last_kept(&self, source: &Source) -> Option<Link> {
        let shown = locked(&self.0);
        let mut previews = shown.1.iter();
        let last = previews.rfind(|shown| shown.source.instance == source.instance)?;
        let was_given_out = match &last.link {
            Link::Here(signed) => source.uses.is_some() || signed.taking.is_taken(),
            Link::Gateway(link) => matches!(link.state, GatewayLinkState::Signed(_)),
        };
        (was_given_out && last.source == *source).then(|| last.link.clone())
    }

    /// Returns a preview that was shown recently.
    pub(crate) fn get(&self, revision: u32) -> std::result::Result<Arc<Shown>, Problem> {
        locked(&self.0)
            .1
            .iter()
            .find(|shown| shown.revision == revision)
            .map(Arc::clone)
            .ok_or_else(stale)
    }
}
