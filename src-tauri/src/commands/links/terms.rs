//! Person and terms of a link, to make another one like it.

use latchkey_core::ledger::ListedLink;
use latchkey_core::protocol::claims::Claims;
use serde::Serialize;
use ts_rs::TS;

use crate::commands::who::Who;

/// Person and terms of a link, to make another one like it.
#[derive(Clone, Debug, Serialize, TS)]
pub struct LinkTerms {
    /// Person.
    pub who: Who,
    /// Lifetime in words. Null if it is not known.
    pub expires_in: Option<String>,
    /// Number of sign-ins. Null for no limit.
    #[ts(type = "number | null")]
    pub uses: Option<u64>,
    /// End of the account that the link creates: a time in RFC 3339, or days after the first sign-in
    /// such as `14 days`. Null for no end.
    pub account_ends: Option<String>,
    /// Note. Empty for none.
    pub note: String,
}

impl LinkTerms {
    pub(super) fn of(listed: &ListedLink, claims: Option<&Claims>) -> Option<Self> {
        let link = &listed.link;
        let lifetime = claims.and_then(|claims| claims.registered.lifetime());
        let who = match claims {
            Some(claims) => Who::from(claims),
            None => Who::Id {
                id: link.user.as_ref()?.as_str().to_owned(),
                as_text: false,
            },
        };
        Some(Self {
            who,
            expires_in: lifetime.map(|lifetime| lifetime.to_string()),
            uses: link.uses.limit(),
            account_ends: claims
                .and_then(|claims| claims.registered.account_end)
                .map(|end| end.to_string()),
            note: link.note.clone().unwrap_or_default(),
        })
    }
}
