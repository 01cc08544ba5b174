//! Note, supersession and short link of a link that is given out.

use latchkey_core::ledger;
use latchkey_core::{Error, ErrorCode};
use serde::Deserialize;
use ts_rs::TS;

/// Note, supersession and short link of a link that is given out.
#[derive(Clone, Debug, Default, Deserialize, TS)]
pub struct LinkNotes {
    /// Note of the administrator. Empty for none.
    pub note: String,
    /// Whether older links of the person stop working.
    pub supersedes: bool,
    /// Whether a short link is given out in place of the long one.
    pub short: bool,
}

/// Part of a link's notes that its entry in the ledger lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lack {
    /// The link has superseded no older links.
    Supersession,
    /// The link has another note, or none.
    Note,
}

impl LinkNotes {
    /// Parses the note.
    pub(crate) fn note(&self) -> latchkey_core::Result<Option<String>> {
        ledger::note(&self.note, "note")
    }

    /// Adds the notes with which the same link is entered later. Without a note, the earlier note stays,
    /// and superseded links stay superseded.
    pub(crate) fn add(&mut self, later: &Self) {
        if !later.note.trim().is_empty() {
            self.note.clone_from(&later.note);
        }
        self.supersedes |= later.supersedes;
    }

    /// Returns what an entry with these notes lacks of the `wanted` ones.
    pub(crate) fn lack(&self, wanted: &Self) -> Option<Lack> {
        if wanted.supersedes && !self.supersedes {
            return Some(Lack::Supersession);
        }
        let note = wanted.note.trim();
        (!note.is_empty() && note != self.note.trim()).then_some(Lack::Note)
    }
}

impl Lack {
    /// Returns the error for a link that a gateway on a server has entered in its ledger. Giving it out
    /// again changes nothing in its entry there.
    pub(crate) fn refused(self) -> Error {
        let (entered, field) = match self {
            Self::Supersession => ("lets older links work", "supersedes"),
            Self::Note => ("has another note or none", "note"),
        };
        let message = format!("This link was signed before, and {entered}. Make another link.");
        Error::new(ErrorCode::NotCopyable, message).about(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(note: &str, supersedes: bool) -> LinkNotes {
        LinkNotes {
            note: note.into(),
            supersedes,
            short: false,
        }
    }

    #[test]
    fn an_entry_lacks_what_was_wanted_after_it() {
        for (entered, wanted, lack) in [
            (notes("", false), notes("", false), None),
            (notes("a", true), notes(" a ", true), None),
            (notes("a", true), notes("", false), None),
            (notes("a", false), notes("b", false), Some(Lack::Note)),
            (notes("", false), notes("b", false), Some(Lack::Note)),
            (
                notes("a", false),
                notes("a", true),
                Some(Lack::Supersession),
            ),
        ] {
            assert_eq!(entered.lack(&wanted), lack, "{entered:?} {wanted:?}");
            let mut later = entered;
            later.add(&wanted);
            assert_eq!(later.lack(&wanted), None);
        }
    }
}
