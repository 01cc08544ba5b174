//! Source of a visit: the part of a request that names the link.

use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use latchkey_core::activity::AuditContext;
use latchkey_core::protocol::code::{AskableCode, VerifiedCode};
use url::form_urlencoded;

use crate::config::GatewayConfig;
use crate::gateway::Gateway;
use crate::short_link;
use crate::sign_in::NotVerified;

/// Part of a request that names the link. Each source leads to a [verified](Self::verified) code, and
/// the visit goes on with that.
pub(crate) enum VisitSource {
    /// The code in the query of a page.
    Query {
        /// The code. It is not verified.
        code: String,
        /// URI without the code. The rest of the URI is unchanged, byte for byte.
        page: String,
    },
    /// The code of a short link in the path.
    Short {
        /// Any text. Only the ledger knows whether it is a code.
        code: String,
    },
}

impl VisitSource {
    /// Returns the code in the query of a URI. `None` if the query has none.
    pub(crate) fn in_query(uri: &Uri, parameter: &str) -> Option<Self> {
        let (mut code, mut kept) = (None, Vec::new());
        for pair in uri.query()?.split('&') {
            let decoded = form_urlencoded::parse(pair.as_bytes()).next();
            match decoded {
                Some((name, value)) if name == parameter => {
                    code.get_or_insert(value.into_owned());
                }
                _ => kept.push(pair),
            }
        }
        let query = kept.join("&");
        let separator = if query.is_empty() { "" } else { "?" };
        Some(Self::Query {
            code: code?,
            page: format!("{}{separator}{query}", uri.path()),
        })
    }

    /// Returns the code of the link if it verifies. A refusal is recorded.
    pub(crate) async fn verified(
        &self,
        gateway: &Gateway,
        config: &GatewayConfig,
        by: &AuditContext,
        headers: &HeaderMap,
    ) -> Result<VerifiedCode, NotVerified> {
        match self {
            Self::Query { code, .. } => {
                let verified = gateway.verify(config, code, by).await;
                verified.map_err(NotVerified::Refused)
            }
            Self::Short { code } => short_link::verified(gateway, config, code, by, headers).await,
        }
    }

    /// Returns the code of the link, which may have expired, to ask for a new link. `None` if it is
    /// wrong for another reason.
    pub(crate) async fn askable(
        &self,
        gateway: &Gateway,
        config: &GatewayConfig,
        by: &AuditContext,
        headers: &HeaderMap,
    ) -> Result<Option<AskableCode>, Response> {
        match self {
            Self::Query { code, .. } => Ok(config.read_askable(code, by.at)),
            Self::Short { code } => short_link::askable(gateway, config, code, by, headers).await,
        }
    }

    /// Returns the page to which the link leads, as path and query. `None` if the link names no page,
    /// and leads to the instance's URL.
    pub(crate) fn page(&self) -> Option<&str> {
        match self {
            Self::Query { page, .. } => Some(page),
            Self::Short { .. } => None,
        }
    }
}
