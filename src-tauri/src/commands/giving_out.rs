//! Giving out a link that was shown: signing it at its gateway, copying it, saving its QR code. It enters
//! the ledger first.

use std::sync::Arc;

use jiff::tz::TimeZone;
use latchkey_core::admin::LinkRequest;
use latchkey_core::error::Warning;
use latchkey_core::inspect::preview::outlives_key;
use latchkey_core::instance::{Instance, InstanceId};
use latchkey_core::ledger::{GivenAs, TakenLink};
use latchkey_core::link::compose::Composed;
use latchkey_core::link::message::person_name;
use latchkey_core::link::qr::Qr;
use latchkey_core::link::short_code::ShortCode;
use latchkey_core::secret::Secret;
use latchkey_core::{Error, ErrorCode};
use latchkey_store::Wait as _;
use latchkey_store::files;
use latchkey_store::home::Home;
use serde::Deserialize;
use tauri::{AppHandle, Runtime, State};
use ts_rs::TS;

use crate::commands::compose::{show, show_here};
use crate::commands::copied::{CopiedLink, CopyWhat, content};
use crate::commands::link_notes::LinkNotes;
use crate::commands::links::warning_there;
use crate::commands::preview::Preview;
use crate::commands::qr_files::{QrFormat, QrSaved, choose_qr_file};
use crate::previews::{GatewayLink, GatewayLinkState, Link, Shown, Signed, Taking};
use crate::studio::{at_home, blocking, now};
use crate::{Problem, Studio, dialogs};

/// Request to have a shown link signed.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct SignRequest {
    /// ID of its instance.
    pub instance: String,
    /// Revision of the preview.
    pub revision: u32,
    /// Way in which the link is given out.
    pub given: GivenAs,
    /// Note, supersession and short link of the link.
    pub notes: LinkNotes,
}

/// Request to copy a part of a preview.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct CopyRequest {
    /// ID of its instance.
    pub instance: String,
    /// Revision of the preview.
    pub revision: u32,
    /// Part to copy.
    pub what: CopyWhat,
    /// Note, supersession and short link of the link.
    pub notes: LinkNotes,
}

/// Request to save the QR code of a preview.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct QrSaveRequest {
    /// ID of its instance.
    pub instance: String,
    /// Revision of the preview.
    pub revision: u32,
    /// Format of the file.
    pub format: QrFormat,
    /// Note, supersession and short link of the link.
    pub notes: LinkNotes,
}

/// Makes what a shown link lacks before it can be given out, and returns its preview: the gateway of
/// an instance on a server signs it and enters it in the ledger. If a short link is wanted, it is
/// entered, too.
#[tauri::command]
pub async fn link_sign(
    studio: State<'_, Arc<Studio>>,
    request: SignRequest,
) -> Result<Preview, Problem> {
    let shown = studio.previews().get(request.revision)?;
    at_home(studio, move |studio, home| {
        let instance = home.instances().get(&shown.source.instance)?;
        let (source, by) = (shown.source.clone(), now());
        let link = match &shown.link {
            Link::Gateway(link) => link,
            Link::Here(signed) => {
                if request.notes.short {
                    enter_short(studio, home, &instance, &shown, signed, &request)?;
                }
                let (composed, taking) = (signed.composed.clone(), Arc::clone(&signed.taking));
                return show_here(studio, home, &instance, source, composed, taking);
            }
        };
        let spec = match &link.state {
            GatewayLinkState::Unsigned(spec) => spec,
            GatewayLinkState::Signed(signed) if request.notes.short => {
                require_short(signed)?;
                return Ok(show(studio, source, GatewayLink::clone(link)));
            }
            GatewayLinkState::Signed(_) => {
                return Ok(show(studio, source, GatewayLink::clone(link)));
            }
        };
        let wanted = LinkRequest {
            note: request.notes.note()?,
            supersede: request.notes.supersedes,
            short: request.notes.short,
            given: Some(request.given),
            ..LinkRequest::from(&**spec)
        };
        let mut made = home.sign_link(&instance, &wanted, &by)?;
        let taking = Taking::entered(request.given, &request.notes);
        if let Some(url) = made.short_url.take() {
            taking.enter_short(url, request.given, &request.notes);
        }
        let link = GatewayLink::signed(&instance.settings, made.try_into()?, taking, by.at)?;
        Ok(show(studio, source, link))
    })
    .await
}

/// Enters a shown link in the ledger, and copies a part of it to the clipboard, unchanged. Warns of a
/// link that works longer than its signing key. Its short link goes on.
#[tauri::command]
pub async fn copy(
    studio: State<'_, Arc<Studio>>,
    request: CopyRequest,
) -> Result<CopiedLink, Problem> {
    let shown = studio.previews().get(request.revision)?;
    blocking(studio, move |studio| {
        let signed = shown.signed()?;
        let composed = &signed.composed;
        let (url, qr) = shown_form(signed, &request.notes)?;
        let content = content(request.what, composed, &url, &qr, || {
            message_of(studio, &shown.source.instance, &url, composed)
        })?;
        let warning = take(studio, &shown, request.what.given(), &request.notes)?;
        studio.clipboard().put(content)?;
        let is_short = request.notes.short && request.what.is_url();
        Ok::<_, Problem>(CopiedLink::new(warning.filter(|_| !is_short)))
    })
    .await
}

/// Asks for a file, enters a shown link in the ledger, and writes the QR code to the file.
#[tauri::command]
pub async fn qr_save<R: Runtime>(
    app: AppHandle<R>,
    studio: State<'_, Arc<Studio>>,
    request: QrSaveRequest,
) -> Result<QrSaved, Problem> {
    let shown = studio.previews().get(request.revision)?;
    let signed = shown.signed()?;
    let (_, qr) = shown_form(signed, &request.notes)?;
    let qr = qr?;
    let Some(path) = choose_qr_file(&app, request.format).await else {
        return Ok(QrSaved { file: None });
    };
    blocking(studio, move |studio| {
        let bytes = request.format.bytes(&qr)?;
        take(studio, &shown, GivenAs::File, &request.notes)?;
        files::replace(&path, &bytes)?;
        Ok::<_, Problem>(QrSaved {
            file: Some(dialogs::file_name(&path)),
        })
    })
    .await
}

/// Returns the message about a new link of an instance.
fn message_of(
    studio: &Studio,
    id: &InstanceId,
    url: &str,
    composed: &Composed,
) -> latchkey_core::Result<String> {
    let home = studio.home()?;
    let instance = home.instances().get(id)?;
    let ledger = studio.ledger(&home, &instance)?;
    let name = person_name(&composed.claims.payload, &*ledger).wait();
    let link = composed.claims.registered.id.as_deref();
    let link = link.map(|link| ledger.link(link, now().at).wait());
    let link = link.transpose()?.flatten();
    let used = Some(link.map_or(0, |(listed, _)| listed.link.used));
    Ok(instance.message_to(&name, url, composed, used, &TimeZone::system()))
}

/// Returns the URL and the QR code of the short link if there is one, else of the long link.
fn shown_form(
    signed: &Signed,
    notes: &LinkNotes,
) -> latchkey_core::Result<(String, latchkey_core::Result<Qr>)> {
    if !notes.short {
        return Ok((signed.composed.link.url(), signed.qr.clone()));
    }
    let url = require_short(signed)?;
    Ok((url.expose().to_owned(), Qr::for_url(url.expose())))
}

/// Returns the URL of the short link of a link.
///
/// Fails if the link was given out without one.
fn require_short(signed: &Signed) -> latchkey_core::Result<Secret> {
    signed.taking.short_url().ok_or_else(|| {
        let message = "This link was given out without a short link. Make another link.";
        Error::new(ErrorCode::NotCopyable, message).about("short")
    })
}

/// Makes the short link of a shown link, and enters both in the ledger. A link has one short link.
fn enter_short(
    studio: &Studio,
    home: &Home,
    instance: &Instance,
    shown: &Shown,
    signed: &Signed,
    request: &SignRequest,
) -> latchkey_core::Result<()> {
    if signed.taking.short_url().is_some() {
        return Ok(());
    }
    let code = ShortCode::new()?;
    let taken = TakenLink {
        short: Some(code.hash()),
        ..taken(shown, signed, request.given, &request.notes)?
    };
    let taken = instance.settings.giving_out(taken)?;
    let ledger = studio.ledger(home, instance)?;
    ledger.take_link(taken, &now()).wait()?;
    let url = code.url(&instance.settings.url);
    signed
        .taking
        .enter_short(url, request.given, &request.notes);
    Ok(())
}

/// Returns what enters the ledger for a shown link that was signed here.
fn taken(
    shown: &Shown,
    signed: &Signed,
    given: GivenAs,
    notes: &LinkNotes,
) -> latchkey_core::Result<TakenLink> {
    let key = Some(shown.source.key.clone()).filter(|key| !key.is_empty());
    Ok(TakenLink {
        given,
        note: notes.note()?,
        supersedes: notes.supersedes,
        ..TakenLink::new(signed.composed.claims.clone(), key)
    })
}

/// Enters a shown link in the ledger. Nothing may be given out if that fails. Returns the warning about
/// a link that works longer than its signing key.
fn take(
    studio: &Studio,
    shown: &Shown,
    given: GivenAs,
    notes: &LinkNotes,
) -> latchkey_core::Result<Option<Warning>> {
    let signed: &Signed = match &shown.link {
        Link::Here(signed) => signed,
        Link::Gateway(link) => {
            let GatewayLinkState::Signed(signed) = &link.state else {
                return Err(Error::internal("the link is not signed"));
            };
            signed
        }
    };
    let lack = signed.taking.lacks(notes);
    let is_entered = lack.is_none() && signed.taking.was_entered(given);
    let home = studio.home()?;
    let instance = home.instances().get(&shown.source.instance)?;
    let warning = if instance.connection.is_some() {
        if is_entered {
            // The gateway has signed it for this copy.
            return Ok(None);
        }
        if let Some(lack) = lack {
            return Err(lack.refused());
        }
        let id = signed
            .composed
            .claims
            .registered
            .id
            .as_deref()
            .unwrap_or_default();
        warning_there(&mut home.copy_link_there(&instance, id, given, &now())?)
    } else {
        if !is_entered {
            let taken = taken(shown, signed, given, notes)?;
            let taken = instance.settings.giving_out(taken)?;
            let ledger = studio.ledger(&home, &instance)?;
            ledger.take_link(taken, &now()).wait()?;
        }
        warning_here(&home, &instance, &signed.composed)
    };
    signed.taking.take(notes);
    Ok(warning)
}

/// Returns the warning about a link that works longer than its signing key. Returns none if the keys
/// cannot be read, because a link that is shown can still be given out then.
fn warning_here(home: &Home, instance: &Instance, composed: &Composed) -> Option<Warning> {
    let keys = home.key_set(instance, now().at);
    let keys = keys.inspect_err(|cause| {
        tracing::warn!(error = %cause.logged(), "it is not known whether a link outlives its key");
    });
    outlives_key(composed, &keys.ok()?)
}
