//! Composing a login link: its preview, copying it, and saving its QR code.

use latchkey_store::Wait as _;
use std::path::PathBuf;
use std::sync::Arc;

use arboard::ImageData;
use jiff::tz::TimeZone;
use latchkey_core::admin::LinkRequest;
use latchkey_core::error::Warning;
use latchkey_core::inspect::ClaimTime;
use latchkey_core::inspect::forecast::{Forecast, Users};
use latchkey_core::inspect::outline::Outline;
use latchkey_core::inspect::preview::{self, Preview as CorePreview};
use latchkey_core::instance::{Instance, InstanceId};
use latchkey_core::ledger::{self, GivenAs, TakenLink};
use latchkey_core::link::LoginLink;
use latchkey_core::link::compose::{Composed, LinkSpec, compose as composed};
use latchkey_core::link::message::person_name;
use latchkey_core::link::qr::{Level, Qr};
use latchkey_core::link::short_code::ShortCode;
use latchkey_core::protocol::account_end::AccountEnd;
use latchkey_core::protocol::payload::Payload;
use latchkey_core::protocol::uses::Uses;
use latchkey_core::secret::Secret;
use latchkey_core::{Error, ErrorCode, time};
use latchkey_store::files;
use latchkey_store::home::Home;
use serde::{Deserialize, Serialize};
use tauri::{AppHandle, Runtime, State};
use ts_rs::TS;

use crate::clipboard::{CLEARED_AFTER, Content};
use crate::commands::who::Who;
use crate::hints::{self, Remedy};
use crate::previews::{GatewayLink, GatewayLinkState, Link, Shown, Signed, Source, Taking};
use crate::studio::{at_home, blocking, now};
use crate::{Problem, Studio, dialogs};

/// A link to compose.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct ComposeRequest {
    /// ID of the instance.
    pub instance: String,
    /// User who signs in.
    pub who: Who,
    /// Lifetime in words: `7 days`, `12h`, `never`.
    pub expires_in: String,
    /// Start time: `2026-11-29T23:10` in the time zone of this computer, or RFC 3339. Null if the
    /// link works at once.
    pub not_before: Option<String>,
    /// Number of sign-ins for which the link works. Null for no limit.
    #[ts(type = "number | null")]
    pub uses: Option<u64>,
    /// End of the account that the link creates: a time in the time zone of this computer, RFC 3339,
    /// or days after the first sign-in such as `14 days`. Null for no end.
    pub account_ends: Option<String>,
    /// Whether to make a new code even if the code of the same request must not be replaced silently.
    pub anew: bool,
}

/// QR code of the link.
#[derive(Clone, Debug, Serialize, TS)]
pub struct QrPreview {
    /// Version of the QR code, from 1 to 22.
    pub version: i16,
    /// Number of modules on a side, without the quiet zone.
    pub modules: u32,
    /// Error correction level.
    pub level: Level,
    /// SVG path data of the dark modules. A module is one unit wide. The quiet zone is 4 units, so
    /// the view box is `0 0 modules+8 modules+8`.
    pub path: String,
    /// Warning about scanning the code.
    pub warning: Option<Warning>,
}

/// A short link that works.
#[derive(Clone, Debug, Serialize, TS)]
pub struct ShortPreview {
    /// URL of the short link.
    pub url: String,
    /// QR code of the URL.
    pub qr: QrPreview,
}

impl ShortPreview {
    /// Returns the short link of a link, if it is in the ledger.
    fn of(signed: &Signed) -> Option<Self> {
        let url = signed.taking.short_url()?;
        let qr = Qr::for_url(url.expose()).ok()?;
        Some(Self {
            url: url.expose().to_owned(),
            qr: QrPreview::from(&qr),
        })
    }
}

/// Size of a QR code that does not exist yet.
#[derive(Clone, Debug, Serialize, TS)]
pub struct QrSize {
    /// Version of the QR code, from 1 to 22.
    pub version: i16,
    /// Number of modules on a side, without the quiet zone.
    pub modules: u32,
    /// Error correction level.
    pub level: Level,
    /// Warning about scanning the code.
    pub warning: Option<Warning>,
}

/// A link. The gateway of an instance on a server signs it when it is taken (`link_sign`). Other links
/// are signed.
#[derive(Clone, Debug, Serialize, TS)]
pub struct Preview {
    /// Number that names this preview to `copy` and `qr_save`.
    pub revision: u32,
    /// The link. Its signature is empty if it is not signed.
    pub link: LoginLink,
    /// Whether the link is signed.
    pub signed: bool,
    /// Header of the code, as indented JSON.
    pub header_json: String,
    /// Claims of the code, as indented JSON.
    pub claims_json: String,
    /// Times among the claims.
    pub times: Vec<ClaimTime>,
    /// Widget tag for a page. Null if the link is not signed.
    pub widget: Option<String>,
    /// QR code, if the link is signed and fits into one.
    pub qr: Option<QrPreview>,
    /// Size of the QR code that the link will have. Null if it is signed.
    pub qr_size: Option<QrSize>,
    /// Reason why there is no QR code.
    pub qr_refused: Option<Problem>,
    /// Forecast of opening the link now. Null if only a gateway on a server knows it
    /// (`link_forecast`).
    pub forecast: Option<Forecast>,
    /// Actions that correct the cause of a refusal.
    pub remedies: Vec<Remedy>,
    /// Warnings to read before giving the link away.
    pub warnings: Vec<Warning>,
    /// End of the link in RFC 3339 and UTC. Null if it never expires.
    pub expires_at: Option<String>,
    /// Number of sign-ins for which the link works. Null for no limit.
    #[ts(type = "number | null")]
    pub uses: Option<u64>,
    /// Whether the link was given out. It then stays until the request changes.
    pub taken: bool,
    /// Short link, once it is in the ledger and works. Null before that.
    pub short: Option<ShortPreview>,
}

/// A shown preview.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct PreviewRef {
    /// ID of its instance.
    pub instance: String,
    /// Revision of the preview.
    pub revision: u32,
}

/// Note, supersession and short link of a link that is given out.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct LinkNotes {
    /// Note of the administrator. Empty for none.
    pub note: String,
    /// Whether older links of the person stop working.
    pub supersedes: bool,
    /// Whether a short link is given out in place of the long one.
    pub short: bool,
}

impl LinkNotes {
    /// Parses the note.
    pub(crate) fn note(&self) -> latchkey_core::Result<Option<String>> {
        ledger::note(&self.note, "note")
    }
}

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

/// Forecast of a shown link.
#[derive(Clone, Debug, Serialize, TS)]
pub struct Judgement {
    /// Forecast of opening the link now.
    pub forecast: Forecast,
    /// Actions that correct the cause of a refusal.
    pub remedies: Vec<Remedy>,
}

/// Part of a preview to copy.
#[derive(Clone, Copy, Debug, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are clear")]
pub enum CopyWhat {
    Link,
    Code,
    Widget,
    Qr,
    Message,
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

/// Result of copying something to the clipboard.
#[derive(Clone, Copy, Debug, Serialize, TS)]
pub struct Copied {
    /// Seconds until the clipboard is cleared, unless another program replaces the content.
    #[ts(type = "number")]
    pub clears_in_secs: u64,
}

impl Default for Copied {
    fn default() -> Self {
        Self {
            clears_in_secs: CLEARED_AFTER.as_secs(),
        }
    }
}

/// Format of a picture file.
#[derive(Clone, Copy, Debug, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are clear")]
pub enum QrFormat {
    Png,
    Svg,
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

/// Result of saving a QR code.
#[derive(Clone, Debug, Serialize, TS)]
pub struct QrSaved {
    /// Name of the file. Null if the user cancelled.
    pub file: Option<String>,
}

/// Signs the link and returns it in all its forms. The key of an instance on a server is there, so the
/// link of such an instance is returned without its signature.
///
/// While the request stays the same, a code with a limited number of uses, or one that was given
/// out, stays the same, too. Somebody may have it, so only `anew` replaces it.
#[tauri::command]
pub async fn compose(
    studio: State<'_, Arc<Studio>>,
    request: ComposeRequest,
) -> Result<Preview, Problem> {
    at_home(studio, move |studio, home| {
        let instance = home
            .instances()
            .get(&InstanceId::parse(&request.instance)?)?;
        let by = now();
        let source = request.source(&instance);
        let kept = if request.anew {
            None
        } else {
            studio.previews().last_kept(&source)
        };
        if instance.connection.is_some() {
            let link = match kept {
                Some(Link::Gateway(kept)) => kept.at(&instance.settings, by.at)?,
                _ => GatewayLink::new(&instance.settings, request.try_into()?, by.at)?,
            };
            return Ok(show(studio, source, link));
        }
        let key = home.signing_key(&instance)?;
        let (composed, taking) = if let Some(Link::Here(kept)) = kept {
            (kept.composed, kept.taking)
        } else {
            let spec = LinkSpec::try_from(request)?;
            let composed = composed(&source.target, &key, spec, by.at)?;
            (composed, Arc::default())
        };
        show_here(studio, home, &instance, source, composed, taking)
    })
    .await
}

/// Stores a link that was signed here, and returns its preview.
fn show_here(
    studio: &Studio,
    home: &Home,
    instance: &Instance,
    source: Source,
    composed: Composed,
    taking: Arc<Taking>,
) -> latchkey_core::Result<Preview> {
    let (key, by) = (home.signing_key(instance)?, now());
    let preview = studio.with_users(home, instance, |users| {
        preview::preview(&instance.settings, &key, composed, users, &by).wait()
    })?;
    let signed = Signed {
        composed: preview.composed.clone(),
        qr: preview.qr.clone(),
        taking,
    };
    let (taken, short) = (signed.taking.is_taken(), ShortPreview::of(&signed));
    let revision = studio.previews().add(source, Link::Here(Box::new(signed)));
    Ok(Preview {
        short,
        ..Preview::new(revision, preview, taken)
    })
}

/// Returns the forecast of a shown link by the gateway of its instance. Composing does not wait for
/// it.
#[tauri::command]
pub async fn link_forecast(
    studio: State<'_, Arc<Studio>>,
    request: PreviewRef,
) -> Result<Judgement, Problem> {
    let shown = studio.previews().get(request.revision)?;
    at_home(studio, move |studio, home| {
        let instance = home.instances().get(&shown.source.instance)?;
        let outline = &shown.of_gateway()?.outline;
        let directory = studio.directory(home, &instance)?;
        let users = Users::Here(&*directory);
        let forecast = outline
            .forecast(&instance.settings, users, now().at)
            .wait()?;
        Ok(Judgement {
            remedies: hints::remedies(&forecast),
            forecast,
        })
    })
    .await
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
        let taking = Taking::entered(request.given);
        if let Some(url) = made.short_url.take() {
            taking.enter_short(url, request.given);
        }
        let link = GatewayLink::signed(&instance.settings, made.try_into()?, taking, by.at)?;
        Ok(show(studio, source, link))
    })
    .await
}

/// Stores a link of a gateway on a server, and returns its preview.
fn show(studio: &Studio, source: Source, link: GatewayLink) -> Preview {
    let GatewayLink { outline, state } = link.clone();
    let revision = studio.previews().add(source, Link::Gateway(Box::new(link)));
    let signed = match state {
        GatewayLinkState::Signed(signed) => Some(*signed),
        GatewayLinkState::Unsigned(_) => None,
    };
    Preview::of_gateway(revision, outline, signed)
}

/// Enters a shown link in the ledger, and copies a part of it to the clipboard, unchanged.
#[tauri::command]
pub async fn copy(studio: State<'_, Arc<Studio>>, request: CopyRequest) -> Result<Copied, Problem> {
    let shown = studio.previews().get(request.revision)?;
    blocking(studio, move |studio| {
        let signed = shown.signed()?;
        let composed = &signed.composed;
        let (url, qr) = shown_form(signed, &request.notes)?;
        let content = content(request.what, composed, &url, &qr, || {
            message_of(studio, &shown.source.instance, &url, composed)
        })?;
        take(studio, &shown, request.what.given(), &request.notes)?;
        studio.clipboard().put(content)?;
        Ok::<_, Problem>(Copied::default())
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

/// Asks for the file of a QR code. Returns `None` if the user cancelled.
pub(super) async fn choose_qr_file<R: Runtime>(
    app: &AppHandle<R>,
    format: QrFormat,
) -> Option<PathBuf> {
    let file = match format {
        QrFormat::Png => ("PNG picture", "png"),
        QrFormat::Svg => ("SVG picture", "svg"),
    };
    dialogs::save(app, "Save the QR code", "login-link", file).await
}

impl QrFormat {
    /// Returns the content of the file.
    pub(super) fn bytes(self, qr: &Qr) -> latchkey_core::Result<Vec<u8>> {
        match self {
            Self::Png => qr.png(),
            Self::Svg => Ok(qr.svg().into_bytes()),
        }
    }
}

impl CopyWhat {
    /// Returns the way in which the link is given out.
    pub(super) const fn given(self) -> GivenAs {
        match self {
            Self::Link => GivenAs::Link,
            Self::Code => GivenAs::Code,
            Self::Widget => GivenAs::Widget,
            Self::Qr => GivenAs::QrCode,
            Self::Message => GivenAs::Message,
        }
    }
}

/// Returns a part of a link for the clipboard. `url` is its long or its short URL, and `message` makes the message to its person.
pub(super) fn content(
    what: CopyWhat,
    composed: &Composed,
    url: &str,
    qr: &latchkey_core::Result<Qr>,
    message: impl FnOnce() -> latchkey_core::Result<String>,
) -> latchkey_core::Result<Content> {
    Ok(match what {
        CopyWhat::Link => Content::Text(url.to_owned()),
        CopyWhat::Code => Content::Text(composed.code.expose().to_owned()),
        CopyWhat::Widget => Content::Text(composed.widget.clone()),
        CopyWhat::Qr => Content::Picture(picture(qr.as_ref().map_err(Error::clone)?)),
        CopyWhat::Message => Content::Text(message()?),
    })
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
    Ok(instance.message_to(&name, url, composed, &TimeZone::system()))
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
    signed.taking.enter_short(url, request.given);
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

/// Enters a shown link in the ledger. Nothing may be given out if that fails.
fn take(
    studio: &Studio,
    shown: &Shown,
    given: GivenAs,
    notes: &LinkNotes,
) -> latchkey_core::Result<()> {
    let signed: &Signed = match &shown.link {
        Link::Here(signed) => signed,
        Link::Gateway(link) => {
            let GatewayLinkState::Signed(signed) = &link.state else {
                return Err(Error::internal("the link is not signed"));
            };
            signed
        }
    };
    if signed.taking.was_entered(given) {
        return Ok(());
    }
    let home = studio.home()?;
    let instance = home.instances().get(&shown.source.instance)?;
    if instance.connection.is_some() {
        let id = signed
            .composed
            .claims
            .registered
            .id
            .as_deref()
            .unwrap_or_default();
        home.copy_link_there(&instance, id, given, &now())?;
    } else {
        let taken = taken(shown, signed, given, notes)?;
        let taken = instance.settings.giving_out(taken)?;
        let ledger = studio.ledger(&home, &instance)?;
        ledger.take_link(taken, &now()).wait()?;
    }
    signed.taking.take();
    Ok(())
}

fn picture(qr: &Qr) -> ImageData<'static> {
    let picture = qr.picture();
    let bytes: Vec<u8> = picture
        .pixels()
        .flat_map(|pixel| {
            let [grey] = pixel.0;
            [grey, grey, grey, u8::MAX]
        })
        .collect();
    ImageData {
        width: picture.width() as usize,
        height: picture.height() as usize,
        bytes: bytes.into(),
    }
}

impl ComposeRequest {
    fn source(&self, instance: &Instance) -> Source {
        let key = instance.key.as_ref().map(|key| key.key_id().to_owned());
        Source {
            instance: instance.id.clone(),
            target: instance.settings.target(),
            key: key.unwrap_or_default(),
            who: self.who.clone(),
            expires_in: self.expires_in.clone(),
            not_before: self.not_before.clone(),
            uses: self.uses,
            account_ends: self.account_ends.clone(),
        }
    }
}

impl TryFrom<ComposeRequest> for LinkSpec {
    type Error = Error;

    fn try_from(request: ComposeRequest) -> Result<Self, Error> {
        let mut spec = Self::new(Payload::try_from(request.who)?, request.expires_in.parse()?);
        spec.not_before = request
            .not_before
            .map(|text| time::parse(&text, &TimeZone::system(), "not_before"))
            .transpose()?;
        spec.uses = Uses::parse(request.uses, "uses")?;
        spec.account_end = request
            .account_ends
            .map(|text| AccountEnd::parse(&text, &TimeZone::system(), "account_ends"))
            .transpose()?;
        Ok(spec)
    }
}

impl Preview {
    fn new(revision: u32, preview: CorePreview, taken: bool) -> Self {
        let (qr, qr_refused) = match &preview.qr {
            Ok(qr) => (Some(QrPreview::from(qr)), None),
            Err(refused) => (None, Some(refused.clone().into())),
        };
        Self {
            revision,
            uses: preview.composed.claims.registered.uses.limit(),
            taken,
            short: None,
            link: preview.composed.link,
            signed: true,
            header_json: preview.header_json,
            claims_json: preview.claims_json,
            times: preview.times,
            widget: Some(preview.composed.widget),
            qr,
            qr_size: None,
            qr_refused,
            remedies: hints::remedies(&preview.forecast),
            forecast: Some(preview.forecast),
            warnings: preview.warnings,
            expires_at: preview
                .composed
                .claims
                .registered
                .expires_at
                .map(time::exact),
        }
    }
}

impl Preview {
    /// Returns the preview of a link of a gateway on a server. Its forecast follows.
    fn of_gateway(revision: u32, outline: Outline, signed: Option<Signed>) -> Self {
        let qr = signed.as_ref().map_or(&outline.qr, |signed| &signed.qr);
        let qr_refused = qr.as_ref().err().cloned().map(Into::into);
        let qr_size = qr.as_ref().ok().filter(|_| signed.is_none());
        let registered = &outline.claims.registered;
        Self {
            revision,
            uses: registered.uses.limit(),
            taken: signed
                .as_ref()
                .is_some_and(|signed| signed.taking.is_taken()),
            short: signed.as_ref().and_then(ShortPreview::of),
            expires_at: registered.expires_at.map(time::exact),
            signed: signed.is_some(),
            qr_size: qr_size.map(Into::into),
            qr: signed
                .as_ref()
                .and_then(|signed| signed.qr.as_ref().ok())
                .map(Into::into),
            qr_refused,
            widget: signed.as_ref().map(|signed| signed.composed.widget.clone()),
            link: signed.map_or(outline.link, |signed| signed.composed.link),
            header_json: outline.header_json,
            claims_json: outline.claims_json,
            times: outline.times,
            warnings: outline.warnings,
            forecast: None,
            remedies: Vec::new(),
        }
    }
}

impl From<&Qr> for QrSize {
    fn from(qr: &Qr) -> Self {
        Self {
            version: qr.version(),
            modules: qr.modules(),
            level: qr.level(),
            warning: qr.density_warning(),
        }
    }
}

impl From<&Qr> for QrPreview {
    fn from(qr: &Qr) -> Self {
        Self {
            version: qr.version(),
            modules: qr.modules(),
            level: qr.level(),
            path: qr.path(),
            warning: qr.density_warning(),
        }
    }
}
