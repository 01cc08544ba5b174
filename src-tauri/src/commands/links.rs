//! The ledger of an instance: its issued links, and what became of each.

mod given_again;
mod issued;
mod terms;

use std::sync::Arc;

use jiff::tz::TimeZone;
use latchkey_core::admin::RevocationRequest;
use latchkey_core::inspect::{self, ClaimTime};
use latchkey_core::instance::{Instance, InstanceId};
use latchkey_core::ledger::{self, GivenAs, LinkCounts, LinkSort, LinkSortBy, LinkStatus};
use latchkey_core::link::again;
use latchkey_core::link::qr::Qr;
use latchkey_core::paging::Search;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::{Error, Result as CoreResult};
use latchkey_store::Wait as _;
use latchkey_store::files;
use latchkey_store::home::Home;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tauri::{AppHandle, Runtime, State};
use ts_rs::TS;

pub(in crate::commands) use given_again::warning_there;
use given_again::{find, given_again};
pub use issued::{GivenOut, IssuedLink, LinkUse};
pub use terms::LinkTerms;

use crate::commands::copied::{CopiedLink, CopyWhat, content};
use crate::commands::instance::InstanceRef;
use crate::commands::qr_files::{QrFormat, QrSaved, choose_qr_file};
use crate::commands::users::PageStart;
use crate::studio::{at_home, blocking, now};
use crate::{Problem, Studio, dialogs};

/// Maximum number of links on a page.
const MOST_ON_A_PAGE: usize = 200;

/// Filter and order of links.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct LinkQuery {
    /// Words that must all occur in the ID, the user, the subject, the name or the note.
    pub search: String,
    /// Only links with this state.
    pub status: Option<LinkStatus>,
    /// Only links that work, or only those that do not.
    pub works: Option<bool>,
    /// Only links of the person with this ID or address.
    pub user: Option<String>,
    /// Only links that the signing key with this ID has signed.
    pub key: Option<String>,
    /// Field to sort by.
    pub sort_by: LinkSortBy,
    /// Whether the order is reversed.
    pub descending: bool,
}

/// Request for a page of links.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct LinksRequest {
    /// ID of the instance.
    pub instance: String,
    /// Filter and order.
    pub query: LinkQuery,
    /// Position of the page.
    pub place: PageStart,
    /// Maximum number of links, at most 200.
    pub limit: usize,
}

/// A page of links.
#[derive(Clone, Debug, Serialize, TS)]
pub struct LinkPage {
    /// Links in the requested order.
    pub links: Vec<IssuedLink>,
    /// Row of the first link, counted from 0.
    #[ts(type = "number")]
    pub first_row: u64,
    /// Number of links that match the query.
    #[ts(type = "number")]
    pub total: u64,
    /// Position of the next page, if there is one.
    pub next: Option<String>,
}

/// A link by ID.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct LinkRef {
    /// ID of the instance.
    pub instance: String,
    /// ID of the link.
    pub id: String,
}

/// A link with all that the ledger has of it.
#[derive(Clone, Debug, Serialize, TS)]
pub struct LinkDetails {
    /// The link.
    pub link: IssuedLink,
    /// Why it cannot be copied again. Null if it can.
    pub not_copyable: Option<Problem>,
    /// Time at which its signing key retires, in Unix seconds. Null if it expires before.
    #[ts(type = "number | null")]
    pub key_retires_at: Option<i64>,
    /// Fields of Compose for another link of this kind. Null if the person is not known any more.
    pub terms: Option<LinkTerms>,
    /// Claims of the code, as indented JSON. Null after the user was removed, and for codes of other
    /// systems.
    pub claims_json: Option<String>,
    /// Times among the claims.
    pub times: Vec<ClaimTime>,
    /// ID of the signing key, if it is known.
    pub key: Option<String>,
}

/// Request to revoke links.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct LinkRevocation {
    /// ID of the instance.
    pub instance: String,
    /// The links.
    pub links: RevocationRequest,
}

/// Request to copy a link of the ledger again.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct LinkCopy {
    /// ID of the instance.
    pub instance: String,
    /// ID of the link.
    pub id: String,
    /// Part to copy.
    pub what: CopyWhat,
}

/// Request to save the QR code of a link of the ledger.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct LinkQrSave {
    /// ID of the instance.
    pub instance: String,
    /// ID of the link.
    pub id: String,
    /// Format of the file.
    pub format: QrFormat,
}

/// Returns a page of links.
#[tauri::command]
pub async fn links(
    studio: State<'_, Arc<Studio>>,
    request: LinksRequest,
) -> Result<LinkPage, Problem> {
    at_home(studio, move |studio, home| {
        let instance = instance(home, &request.instance)?;
        let ledger = studio.ledger(home, &instance)?;
        let (query, sort) = request.query.parse()?;
        let place = request.place.try_into()?;
        let limit = request.limit.clamp(1, MOST_ON_A_PAGE);
        let page = ledger.links(&query, sort, &place, limit).wait()?;
        Ok(LinkPage {
            links: page.links.into_iter().map(Into::into).collect(),
            first_row: page.first_row,
            total: page.total,
            next: page.next.map(|cursor| cursor.to_string()),
        })
    })
    .await
}

/// Returns the numbers of links by their state.
#[tauri::command]
pub async fn link_counts(
    studio: State<'_, Arc<Studio>>,
    request: InstanceRef,
) -> Result<LinkCounts, Problem> {
    at_home(studio, move |studio, home| {
        let instance = instance(home, &request.instance)?;
        let ledger = studio.ledger(home, &instance)?;
        ledger.link_counts(now().at).wait()
    })
    .await
}

/// Returns a link with all that the ledger has of it.
#[tauri::command]
pub async fn link(
    studio: State<'_, Arc<Studio>>,
    request: LinkRef,
) -> Result<LinkDetails, Problem> {
    at_home(studio, move |studio, home| {
        let instance = instance(home, &request.instance)?;
        let (listed, claims) = find(&*studio.ledger(home, &instance)?, &request.id)?;
        let key = listed.link.key.as_deref();
        let expires_at = listed.link.expires_at;
        let key_retires_at = key.and_then(|key| instance.retires_before(key, expires_at, now().at));
        let copyable = again::claims(&listed, claims.clone(), |key| instance.has_key(key));
        Ok(LinkDetails {
            key_retires_at,
            not_copyable: copyable.err().map(Into::into),
            terms: LinkTerms::of(&listed, claims.as_ref()),
            times: claims.as_ref().map_or_else(Vec::new, |claims| {
                inspect::times(&claims.members(), now().at)
            }),
            claims_json: claims.map(|claims| format!("{:#}", Value::Object(claims.members()))),
            key: listed.link.key.clone(),
            link: listed.into(),
        })
    })
    .await
}

/// Revokes links, from the next request on. Where an application elsewhere decides, this only marks
/// them as revoked in the ledger. Returns the state of the link afterwards, if it revoked one.
#[tauri::command]
pub async fn links_revoke(
    studio: State<'_, Arc<Studio>>,
    request: LinkRevocation,
) -> Result<Option<LinkStatus>, Problem> {
    at_home(studio, move |studio, home| {
        let instance = instance(home, &request.instance)?;
        let one = request.links.link.clone();
        let revocation = request.links.parse(&TimeZone::system())?;
        let ledger = studio.ledger(home, &instance)?;
        revocation.revoke(&instance, &*ledger, &now()).wait()?;
        let revoked = one.map(|id| find(&*ledger, &id)).transpose()?;
        Ok(revoked.map(|(listed, _)| listed.standing.status))
    })
    .await
}

/// Copies a part of a link of the ledger again: the same code as before. Warns of a link that works
/// longer than its signing key.
#[tauri::command]
pub async fn link_copy(
    studio: State<'_, Arc<Studio>>,
    request: LinkCopy,
) -> Result<CopiedLink, Problem> {
    blocking(studio, move |studio| {
        let (what, given) = (request.what, request.what.given());
        let (content, warning) = given_again(
            studio,
            &request.instance,
            &request.id,
            given,
            |composed, instance, link| {
                let (name, used) = (link.name.as_deref(), Some(link.used));
                let name = || name.unwrap_or_else(|| composed.claims.payload.display_name());
                let url = composed.link.url();
                let zone = TimeZone::system();
                let message = || Ok(instance.message_to(name(), &url, composed, used, &zone));
                content(what, composed, &url, &Qr::for_url(&url), message)
            },
        )?;
        studio.clipboard().put(content)?;
        Ok::<_, Problem>(CopiedLink::new(warning))
    })
    .await
}

/// Asks for a file and writes the QR code of a link of the ledger to it.
#[tauri::command]
pub async fn link_qr_save<R: Runtime>(
    app: AppHandle<R>,
    studio: State<'_, Arc<Studio>>,
    request: LinkQrSave,
) -> Result<QrSaved, Problem> {
    let Some(path) = choose_qr_file(&app, request.format).await else {
        return Ok(QrSaved { file: None });
    };
    blocking(studio, move |studio| -> Result<QrSaved, Error> {
        let (bytes, _) = given_again(
            studio,
            &request.instance,
            &request.id,
            GivenAs::File,
            |composed, _, _| request.format.bytes(&Qr::for_url(&composed.link.url())?),
        )?;
        files::replace(&path, &bytes)?;
        Ok(QrSaved {
            file: Some(dialogs::file_name(&path)),
        })
    })
    .await
}

/// Returns an instance by its ID.
pub(crate) fn instance(home: &Home, id: &str) -> CoreResult<Instance> {
    home.instances().get(&InstanceId::parse(id)?)
}

impl LinkQuery {
    pub(super) fn parse(self) -> CoreResult<(ledger::LinkQuery, LinkSort)> {
        let user = self.user.as_deref();
        let query = ledger::LinkQuery {
            search: Search::new(&self.search),
            status: self.status,
            works: self.works,
            user: user.map(|user| UserId::parse(user, "user")).transpose()?,
            key: self.key,
            now: now().at.as_second(),
        };
        let sort = LinkSort {
            by: self.sort_by,
            descending: self.descending,
        };
        Ok((query, sort))
    }
}
