//! Requests for new links, by people whose link does not work any more.

use std::sync::Arc;

use latchkey_core::error::Warning;
use latchkey_core::inspect::preview::outcome_warning;
use latchkey_core::ledger::{GivenAs, NewLinkRequest, RequestReason};
use latchkey_core::link::anew::{Granting, grant};
use latchkey_core::session::browser_name;
use latchkey_core::{Error, Result as CoreResult};
use latchkey_store::Wait as _;
use latchkey_store::home::Home;
use serde::{Deserialize, Serialize};
use tauri::State;
use ts_rs::TS;

use crate::clipboard::Content;
use crate::commands::copied::CopiedLink;
use crate::commands::instance::InstanceRef;
use crate::commands::links::instance;
use crate::studio::{at_home, blocking, now};
use crate::{Problem, Studio};

/// An open request for a new link. It differs from core's `NewLinkRequest`: the window needs few of
/// the claims.
#[derive(Clone, Debug, Serialize, TS)]
pub struct OpenRequest {
    /// Number of the request.
    #[ts(type = "number")]
    pub number: u64,
    /// ID of the user. Null for an address that nobody has.
    pub user: Option<String>,
    /// ID of the user, or the address.
    pub subject: String,
    /// Display name.
    pub name: Option<String>,
    /// ID of the link that does not work any more.
    pub link: String,
    /// Reason why it does not work any more.
    pub reason: RequestReason,
    /// Time when that link was issued, in Unix seconds.
    #[ts(type = "number | null")]
    pub issued_at: Option<i64>,
    /// Time until which it worked, in Unix seconds.
    #[ts(type = "number | null")]
    pub expires_at: Option<i64>,
    /// Time of the request, in Unix seconds.
    #[ts(type = "number")]
    pub asked_at: i64,
    /// Address of the visitor.
    pub address: Option<String>,
    /// Short name of the browser, such as `iPhone, Safari`.
    pub browser: Option<String>,
}

/// An open request by its number.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct OpenRequestRef {
    /// ID of the instance.
    pub instance: String,
    /// Number of the request.
    #[ts(type = "number")]
    pub number: u64,
}

impl TryFrom<NewLinkRequest> for OpenRequest {
    type Error = Error;

    fn try_from(request: NewLinkRequest) -> CoreResult<Self> {
        let registered = request.old_claims()?.registered;
        Ok(Self {
            number: request.number,
            user: request.user().map(|user| user.as_str().to_owned()),
            subject: request.subject().to_owned(),
            name: request.name,
            link: request.link,
            reason: request.reason,
            issued_at: registered.issued_at,
            expires_at: registered.expires_at,
            asked_at: request.asked_at,
            address: request.address.map(|address| address.to_string()),
            browser: request.browser.as_deref().and_then(browser_name),
        })
    }
}

/// Returns the open requests for new links, the newest first.
#[tauri::command]
pub async fn link_requests(
    studio: State<'_, Arc<Studio>>,
    request: InstanceRef,
) -> Result<Vec<OpenRequest>, Problem> {
    at_home(studio, move |studio, home| {
        let instance = instance(home, &request.instance)?;
        let directory = studio.directory(home, &instance)?;
        let open = directory.link_requests(now().at).wait()?.into_iter();
        open.map(TryInto::try_into).collect()
    })
    .await
}

/// Makes the link that a person has asked for, closes the request, and copies the link. Warns if the
/// instance refuses it now.
#[tauri::command]
pub async fn link_request_grant(
    studio: State<'_, Arc<Studio>>,
    request: OpenRequestRef,
) -> Result<CopiedLink, Problem> {
    blocking(studio, move |studio| {
        let home = studio.home()?;
        let (url, warning) = granted(studio, &home, &request)?;
        let copied = studio.clipboard().put(Content::Text(url));
        copied.map_err(|mut cause| {
            cause.message = format!(
                "The new link is made and is in the list of links, but it is not copied. {}",
                cause.message
            );
            cause
        })?;
        Ok::<_, Problem>(CopiedLink::new(warning))
    })
    .await
}

/// Closes a request without a new link.
#[tauri::command]
pub async fn link_request_dismiss(
    studio: State<'_, Arc<Studio>>,
    request: OpenRequestRef,
) -> Result<(), Problem> {
    at_home(studio, move |studio, home| {
        let instance = instance(home, &request.instance)?;
        let directory = studio.directory(home, &instance)?;
        let by = now();
        let open = directory.link_request(request.number, by.at).wait()?;
        directory.dismiss_request(open.reference(), &by).wait()
    })
    .await
}

/// Grants a request. Returns the URL of the new link, and the warning that the instance refuses it now.
fn granted(
    studio: &Studio,
    home: &Home,
    request: &OpenRequestRef,
) -> CoreResult<(String, Option<Warning>)> {
    let (number, given, by) = (request.number, GivenAs::Link, now());
    let instance = instance(home, &request.instance)?;
    if instance.connection.is_some() {
        let made = home.grant_request_there(&instance, number, given, &by)?;
        let warning = home.refusal_there(&instance, &made.code);
        return Ok((made.short_url.unwrap_or(made.url), warning));
    }
    let directory = studio.directory(home, &instance)?;
    let keys = home.key_set(&instance, by.at)?;
    let settings = &instance.settings;
    let granting = Granting {
        number,
        given,
        settings,
        key: keys.active(),
    };
    let granted = grant(&*directory, granting, &by, |granted| {
        CoreResult::Ok((granted.url(), granted.composed.clone()))
    });
    let (url, composed) = granted.wait()?;
    let usable = keys.usable(by.at);
    let warning = outcome_warning(&composed, settings, &usable, &*directory, by.at).wait();
    Ok((url, warning))
}
