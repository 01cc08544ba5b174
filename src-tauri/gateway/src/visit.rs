//! Handlers for opening a link, and for the pages around it. Core decides what opening a link does.

use std::iter;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::ALLOW;
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use latchkey_core::activity::AuditContext;
use latchkey_core::protocol::code::VerifiedCode;
use latchkey_core::session::SessionScope;
use latchkey_core::session::return_address::ReturnAddress;
use latchkey_core::sign_in::{Browser, SignIn, SignedIn, Visitor};
use latchkey_core::{Error, ErrorCode};
use serde::Deserialize;
use url::form_urlencoded;

use crate::config::GatewayConfig;
use crate::csrf::lacks_cookies;
use crate::error_page::ErrorPage;
use crate::extract::{CurrentConfig, FormInput};
use crate::fetch_metadata::{is_embedded, is_of_a_tab};
use crate::gateway::{Gateway, LinkOutcome};
use crate::link_preview::is_link_preview;
use crate::middleware::OriginalUri;
use crate::own_sessions;
use crate::pages;
use crate::sign_in::{
    Answer, NotVerified, begun, may_open, refused, require_same_origin, see_other, with_cookies,
};
use crate::visit_source::VisitSource;
use crate::widget;

/// Maximum size of a form that is sent to a link, in bytes.
const MAX_FORM: usize = 1024;

/// Opens a link if the query has a code, else shows who is signed in. Handles every path that has
/// no other handler.
pub(crate) async fn page(
    State(gateway): State<Arc<Gateway>>,
    CurrentConfig(config): CurrentConfig,
    method: Method,
    uri: Uri,
    extensions: Extensions,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    // Below a folder, the return address is the URI before the folder was removed.
    let sent = extensions.get::<OriginalUri>().map_or(&uri, |sent| &sent.0);
    let source = VisitSource::in_query(sent, config.settings.parameter.as_str());
    let is_button = method == Method::POST && source.is_some();
    if method != Method::GET && method != Method::HEAD && !is_button {
        let sentence = "This page does not accept anything that is sent to it.";
        let mut refused = ErrorPage::new(StatusCode::METHOD_NOT_ALLOWED, sentence)
            .answer(Some(&config), &headers);
        // A link is also the target of the forms of its own pages.
        let allowed = match source {
            Some(_) => "GET,HEAD,POST",
            None => "GET,HEAD",
        };
        let allowed = HeaderValue::from_static(allowed);
        refused.headers_mut().insert(ALLOW, allowed);
        return Err(refused);
    }
    match source {
        Some(source) => {
            let step = Step::of(&method, body).await;
            visit(&gateway, &config, source, step, &extensions, &headers).await
        }
        None if widget::is_script(&uri, &config) => Ok(widget::script().await),
        None if is_home(&uri, &config) => own_sessions::home(&gateway, &config, &headers).await,
        None => {
            let refused = ErrorPage::new(StatusCode::NOT_FOUND, "There is no such page here.");
            Err(refused.answer(Some(&config), &headers))
        }
    }
}

/// Opens a short link. A path that is no text is an unknown link like any other.
pub(crate) async fn short_link(
    State(gateway): State<Arc<Gateway>>,
    CurrentConfig(config): CurrentConfig,
    method: Method,
    extensions: Extensions,
    headers: HeaderMap,
    path: Result<Path<String>, PathRejection>,
    body: Body,
) -> Answer {
    let code = path.map(|Path(code)| code).unwrap_or_default();
    let source = VisitSource::Short { code };
    let step = Step::of(&method, body).await;
    visit(&gateway, &config, source, step, &extensions, &headers).await
}

/// Purpose of a request with a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Asks for headers only, which changes nothing.
    Look,
    /// Opens the link.
    Open,
    /// Confirms that the link is for this visitor.
    Confirm,
    /// Asks for a new link.
    Ask,
}

impl Step {
    /// Returns the step of a request. The forms of the confirm page and of a refusal are sent to the
    /// link itself.
    async fn of(method: &Method, body: Body) -> Self {
        if method == Method::HEAD {
            return Self::Look;
        }
        if method != Method::POST {
            return Self::Open;
        }
        // The form of the confirm page has no fields.
        let form = to_bytes(body, MAX_FORM).await.unwrap_or_default();
        let mut fields = form_urlencoded::parse(&form);
        if fields.any(|(name, _)| name == pages::ASK_BUTTON) {
            Self::Ask
        } else {
            Self::Confirm
        }
    }
}

/// Makes a step of a visit.
async fn visit(
    gateway: &Gateway,
    config: &Arc<GatewayConfig>,
    source: VisitSource,
    step: Step,
    extensions: &Extensions,
    headers: &HeaderMap,
) -> Answer {
    if step == Step::Look {
        return Ok(StatusCode::OK.into_response());
    }
    // A page of any site can load a link as a picture without its visitor's knowledge.
    if is_embedded(headers) {
        let sentence = "A link does not sign in inside another page. Open it in a tab of its own.";
        return Err(ErrorPage::new(StatusCode::FORBIDDEN, sentence).answer(Some(config), headers));
    }
    let has_cookie = !lacks_cookies(config, headers);
    if step != Step::Open && has_cookie {
        require_same_origin(config, headers, "Open your link again.")?;
    }
    may_open(gateway, config, extensions, headers)?;
    let visit = Visit {
        gateway,
        config,
        source,
        headers,
        by: gateway.audit_context(extensions, headers),
    };
    if step == Step::Ask {
        return visit.ask(has_cookie).await;
    }
    let verified = visit.source.verified(gateway, config, &visit.by, headers);
    match verified.await {
        Err(NotVerified::Answer(answer)) => Err(answer),
        Err(NotVerified::Refused(done)) => Err(visit.refused(refused(&done.verdict), &done).await),
        Ok(code) if step == Step::Confirm => visit.confirm(code, has_cookie).await,
        Ok(code) => visit.open(code).await,
    }
}

/// Refuses a request whose path does not support its method. The router adds `Allow`.
pub(crate) async fn wrong_method(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
) -> Response {
    let sentence = "This address is for a button of another page. Open your link, or that page.";
    let refused = ErrorPage::new(StatusCode::METHOD_NOT_ALLOWED, sentence);
    refused.answer(gateway.last_config().as_deref(), &headers)
}

fn is_home(uri: &Uri, config: &GatewayConfig) -> bool {
    uri.path() == "/" || uri.path() == config.settings.url.at("").path()
}

/// A visit that is within the limits.
struct Visit<'a> {
    gateway: &'a Gateway,
    config: &'a Arc<GatewayConfig>,
    source: VisitSource,
    headers: &'a HeaderMap,
    by: AuditContext,
}

impl Visit<'_> {
    /// Opens a link by its code.
    async fn open(self, code: VerifiedCode) -> Answer {
        let Self {
            config, headers, ..
        } = self;
        let signed_in = self.session().await?;
        let visitor = Visitor {
            signed_in: signed_in.as_ref(),
            is_link_preview: is_link_preview(headers),
        };
        let browser = self.browser(signed_in.as_ref());
        let by = self.by.clone();
        let opening = self.gateway.open(config, code, visitor, browser, by);
        match opening.await.map_err(|cause| self.failed(&cause))? {
            LinkOutcome::NeedsConfirmation { whom, replaces } => {
                let other = signed_in.as_ref().filter(|_| replaces);
                let other = other.map(|other| other.user.display_name());
                let page = pages::confirm(config, &whom, other).into_response();
                Ok(with_cookies(page, &[config.cookie_key.shown(headers)]))
            }
            LinkOutcome::Done(done) => self.let_in(&done).await,
            LinkOutcome::Continues | LinkOutcome::NoCookies => Ok(self.lead_on(None)),
        }
    }

    /// Redeems a code after a click on the button of the confirm page, whose form is sent to the
    /// link itself.
    async fn confirm(self, code: VerifiedCode, has_cookie: bool) -> Answer {
        let signed_in = self.session().await?;
        let browser = self.browser(signed_in.as_ref());
        let visitor = Visitor {
            signed_in: signed_in.as_ref(),
            is_link_preview: false,
        };
        let by = self.by.clone();
        let opened = self
            .gateway
            .sign_in(self.config, code, visitor, browser, has_cookie, by);
        match opened.await.map_err(|cause| self.failed(&cause))? {
            LinkOutcome::Done(done) => self.let_in(&done).await,
            LinkOutcome::NoCookies => {
                let page = pages::no_cookies(self.config);
                Err((StatusCode::FORBIDDEN, page).into_response())
            }
            _ => Ok(self.lead_on(None)),
        }
    }

    /// Returns the session in which the visitor is signed in.
    async fn session(&self) -> Result<Option<SignedIn>, Response> {
        let found = self
            .gateway
            .session(self.config, SessionScope::Page, self.headers);
        found.await.map_err(|cause| self.failed(&cause))
    }

    fn browser(&self, signed_in: Option<&SignedIn>) -> Browser {
        let keys = &self.config.cookie_key;
        keys.browser(SessionScope::Page, self.headers, signed_in)
    }

    fn failed(&self, cause: &Error) -> Response {
        ErrorPage::failure(cause).answer(Some(self.config), self.headers)
    }

    /// Asks for a new link, after a click on the button of a refusal. Link previews and programs do not
    /// have the cookie of that page.
    async fn ask(self, has_cookie: bool) -> Answer {
        let Self {
            gateway, config, ..
        } = self;
        if !has_cookie {
            let page = pages::no_cookies_to_ask(config);
            return Err((StatusCode::FORBIDDEN, page).into_response());
        }
        let askable = self.source.askable(gateway, config, &self.by, self.headers);
        let Some(code) = askable.await? else {
            return Err(self.not_askable());
        };
        let browser = self.browser(None).name;
        let asked = gateway.ask_for_link(config, code, browser, &self.by).await;
        match asked {
            Ok(()) => {
                tracing::info!("a new link was asked for");
                Ok(pages::asked(config).into_response())
            }
            Err(cause) if cause.code == ErrorCode::NotAskable => Err(self.not_askable()),
            Err(cause) if cause.code == ErrorCode::TooMany => {
                let sentence =
                    "Too many people have asked for new links here. Ask whoever gave you this one.";
                let page = ErrorPage::new(StatusCode::SERVICE_UNAVAILABLE, sentence);
                Err(page.answer(Some(config), self.headers))
            }
            Err(cause) => Err(self.failed(&cause)),
        }
    }

    fn not_askable(&self) -> Response {
        let sentence = "You cannot ask for a new link with this one. Open it again, or ask whoever gave it to you.";
        ErrorPage::new(StatusCode::FORBIDDEN, sentence).answer(Some(self.config), self.headers)
    }

    /// Returns the page of a refusal. It offers to ask for a new link if that is possible.
    async fn refused(&self, page: ErrorPage, done: &SignIn) -> Response {
        let (config, headers) = (self.config, self.headers);
        let offers = match done.askable.as_deref().cloned() {
            Some(code) => self.gateway.can_ask(config, code, self.by.at).await,
            None => false,
        };
        if !offers {
            return page.answer(Some(config), headers);
        }
        let answer = page.offering_new_link().answer(Some(config), headers);
        with_cookies(answer, &[config.cookie_key.shown(headers)])
    }

    /// Sets the cookie of the new session, and redirects to the page of the link.
    async fn let_in(&self, done: &SignIn) -> Answer {
        match begun(self.config, done) {
            Ok((_, cookie)) => Ok(self.lead_on(Some(cookie))),
            Err(page) => Err(self.refused(page, done).await),
        }
    }

    /// Redirects to the page of the link. If the link names no page, redirects to the page from
    /// which a proxy has sent the visitor.
    fn lead_on(&self, cookie: Option<String>) -> Response {
        let (config, keys) = (self.config, &self.config.cookie_key);
        let home = home_of(config);
        let page = self.source.page().unwrap_or(&home);
        let own = ReturnAddress::parse(page, &[]);
        let to = if page == "/" || page == home {
            keys.remembered(self.headers, &config.settings).or(own)
        } else {
            own
        };
        let forgotten = keys.forget(self.headers);
        let cookies: Vec<String> = cookie.into_iter().chain(forgotten).collect();
        see_other(config, to.as_ref(), &cookies)
    }
}

/// Returns path and query of the instance's URL. A link whose page this is names no page.
fn home_of(config: &GatewayConfig) -> String {
    let url = config.settings.url.without_fragment();
    url.query().map_or_else(
        || url.path().to_owned(),
        |query| format!("{}?{query}", url.path()),
    )
}

/// Return address in the query of the sign-in page.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    rd: Option<String>,
}

/// Shows the page to which a proxy sends visitors who are not signed in. Stores the page that they
/// asked for.
pub(crate) async fn sign_in_page(
    State(gateway): State<Arc<Gateway>>,
    CurrentConfig(config): CurrentConfig,
    headers: HeaderMap,
    FormInput(wanted): FormInput<Wanted>,
) -> Answer {
    let allowed = config.settings.return_origins();
    let to = wanted.rd.and_then(|rd| ReturnAddress::parse(&rd, &allowed));
    let signed_in = gateway
        .signed_in(&config, SessionScope::Page, &headers)
        .await;
    let signed_in =
        signed_in.map_err(|cause| ErrorPage::failure(&cause).answer(Some(&config), &headers))?;
    if let Some(user) = signed_in {
        // A host without the session would send the visitor back here, and this page would send
        // them there, in an endless loop.
        let elsewhere = to.as_ref().and_then(|to| {
            let host = to.other_host(&config.settings.url)?;
            tracing::warn!(%host, "the return address has another host than the instance's URL, so the visitor is not signed in there");
            Some(pages::signed_in_here(&config, user.display_name(), &host, to.as_str()))
        });
        return Ok(match elsewhere {
            Some(page) => page.into_response(),
            None => see_other(&config, to.as_ref(), &[]),
        });
    }
    // The address of something that a script loaded or a frame showed is not a page to return to.
    let remembered = to
        .filter(|_| is_of_a_tab(&headers))
        .map(|address| config.cookie_key.remember(&address));
    let page = pages::sign_in(&config).into_response();
    Ok(with_cookies(page, &remembered.unwrap_or_default()))
}

/// Signs out.
pub(crate) async fn sign_out(
    State(gateway): State<Arc<Gateway>>,
    CurrentConfig(config): CurrentConfig,
    extensions: Extensions,
    headers: HeaderMap,
) -> Answer {
    require_same_origin(&config, &headers, "Open your link again.")?;
    let by = gateway.audit_context(&extensions, &headers);
    let ended = gateway
        .sign_out(&config, SessionScope::Page, &headers, by)
        .await;
    ended.map_err(|cause| ErrorPage::failure(&cause).answer(Some(&config), &headers))?;
    let ended = config.cookie_key.end(SessionScope::Page);
    let cookies: Vec<String> = iter::once(ended)
        .chain(config.cookie_key.forget(&headers))
        .collect();
    Ok(with_cookies(
        pages::signed_out(&config).into_response(),
        &cookies,
    ))
}
