//! The ledger: the issued links of an instance, and what became of each.
//!
//! A link enters the ledger when it is given out, or when its code is first redeemed. The ledger
//! keeps the [claims](TakenLink) and never the code.
//!
//! Revoking many links writes nothing for each of them. It records a [`Cutoff`] for a person, for a
//! signing key or for the instance, and the [`Standing`] of a link follows from its record and the
//! cutoffs.
//!
//! A person whose link does not work any more can ask for another one. The [`NewLinkRequest`] stays
//! open until the administrator answers it.

mod cutoff;
mod elsewhere;
mod issued_link;
mod link_person;
mod new_link_request;
mod query;
mod reported;
mod revocation;
mod revoked_key;
mod short_link;
mod standing;
mod taken_link;
mod terms;

pub use cutoff::{Cutoff, InstanceCutoffs, PersonCutoffs};
pub use elsewhere::StopsElsewhere;
pub use issued_link::{GivenAs, GivenOut, IssuedLink, LinkOrigin, LinkRecord, Use};
pub use link_person::LinkPerson;
pub use new_link_request::{
    Asking, MAX_REQUESTS, NewLinkRequest, REQUEST_SECS, RequestEnd, RequestReason, RequestRef,
    unknown_request,
};
pub use query::{LinkCounts, LinkPage, LinkPageStart, LinkQuery, LinkSort, LinkSortBy, ListedLink};
pub use revocation::{Revocation, RevocationScope};
pub use short_link::ShortLink;
pub use standing::{LinkStatus, Standing};
pub use taken_link::{MAX_NOTE_CHARS, TakenLink, not_entered, not_revoked, note, unknown_link};
pub use terms::LinkTerms;
