//! Composing a login link: its preview, copying it, and saving its QR code.

use latchkey_store::Wait as _;
use std::sync::Arc;

use arboard::ImageData;
use jiff::tz::TimeZone;
use latchkey_core::error::Warning;
use latchkey_core::inspect::ClaimTime;
use latchkey_core::inspect::forecast::{Forecast, Users};
use latchkey_core::inspect::outline::Outline;
use latchkey_core::inspect::preview::{self, Preview as CorePreview};
use latchkey_core::instance::{Instance, InstanceId};
use latchkey_core::link::LoginLink;
use latchkey_core::link::compose::{LinkSpec, compose as composed};
use latchkey_core::link::qr::{Level, Qr};
use latchkey_core::protocol::payload::Payload;
use latchkey_core::protocol::uses::Uses;
use latchkey_core::{Error, time};
use latchkey_store::files;
use serde::{Deserialize, Serialize};
use tauri::{AppHandle, Runtime, State};
use ts_rs::TS;

use crate::clipboard::{CLEARED_AFTER, Content};
use crate::commands::who::Who;
use crate::hints::{self, Remedy};
use crate::previews::{GatewayLink, GatewayLinkState, Link, Signed, Source};
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
    /// Whether the first sign-in uses the link up.
    pub single_use: bool,
    /// Whether to make a new code even if the single-use code of the same request is still shown.
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
    /// Whether the first sign-in uses the link up.
    pub single_use: bool,
}

/// A shown preview.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct PreviewRef {
    /// ID of its instance.
    pub instance: String,
    /// Revision of the preview.
    pub revision: u32,
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
}

/// Request to copy a part of a preview.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct CopyRequest {
    /// Revision of the preview.
    pub revision: u32,
    /// Part to copy.
    pub what: CopyWhat,
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
    /// Revision of the preview.
    pub revision: u32,
    /// Format of the file.
    pub format: QrFormat,
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
/// While the request stays the same, a single-use code stays the same, too. It may have been given
/// away or used, so only `anew` replaces it.
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
        let link = match kept {
            Some(Link::Here(kept)) => kept.composed,
            _ => composed(&source.target, &key, LinkSpec::try_from(request)?, by.at)?,
        };
        let preview = studio.with_users(home, &instance, |users| {
            preview::preview(&instance.settings, &key, link, users, &by).wait()
        })?;
        let signed = Signed {
            composed: preview.composed.clone(),
            qr: preview.qr.clone(),
        };
        let revision = studio.previews().add(source, Link::Here(Box::new(signed)));
        Ok(Preview::new(revision, preview))
    })
    .await
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

/// Has the gateway of an instance sign a shown link, and returns the preview of the signed link.
#[tauri::command]
pub async fn link_sign(
    studio: State<'_, Arc<Studio>>,
    request: PreviewRef,
) -> Result<Preview, Problem> {
    let shown = studio.previews().get(request.revision)?;
    at_home(studio, move |studio, home| {
        let link = shown.of_gateway()?;
        let GatewayLinkState::Unsigned(spec) = &link.state else {
            return Ok(show(studio, shown.source.clone(), link.clone()));
        };
        let instance = home.instances().get(&shown.source.instance)?;
        let by = now();
        let composed = home.sign_link(&instance, spec, &by)?.try_into()?;
        let link = GatewayLink::signed(&instance.settings, composed, by.at)?;
        Ok(show(studio, shown.source.clone(), link))
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

/// Copies a part of a shown preview to the clipboard, unchanged.
#[tauri::command]
pub async fn copy(studio: State<'_, Arc<Studio>>, request: CopyRequest) -> Result<Copied, Problem> {
    blocking(studio, move |studio| {
        let shown = studio.previews().get(request.revision)?;
        let Signed { composed, qr, .. } = shown.signed()?;
        let content = match request.what {
            CopyWhat::Link => Content::Text(composed.link.url()),
            CopyWhat::Code => Content::Text(composed.code.expose().to_owned()),
            CopyWhat::Widget => Content::Text(composed.widget.clone()),
            CopyWhat::Qr => Content::Picture(picture(qr.as_ref().map_err(Error::clone)?)),
        };
        studio.clipboard().put(content)?;
        Ok::<_, Problem>(Copied::default())
    })
    .await
}

/// Asks for a file and writes the QR code to it.
#[tauri::command]
pub async fn qr_save<R: Runtime>(
    app: AppHandle<R>,
    studio: State<'_, Arc<Studio>>,
    request: QrSaveRequest,
) -> Result<QrSaved, Problem> {
    let shown = studio.previews().get(request.revision)?;
    let qr = shown.signed()?.qr.clone()?;
    let file = match request.format {
        QrFormat::Png => ("PNG picture", "png"),
        QrFormat::Svg => ("SVG picture", "svg"),
    };
    let Some(path) = dialogs::save(&app, "Save the QR code", "login-link", file).await else {
        return Ok(QrSaved { file: None });
    };
    blocking(studio, move |_| -> Result<QrSaved, Error> {
        let bytes = match request.format {
            QrFormat::Png => qr.png()?,
            QrFormat::Svg => qr.svg().into_bytes(),
        };
        files::replace(&path, &bytes)?;
        Ok(QrSaved {
            file: Some(dialogs::file_name(&path)),
        })
    })
    .await
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
        let key = instance.key.as_ref().map(|key| key.id.clone());
        Source {
            instance: instance.id.clone(),
            target: instance.settings.target(),
            key: key.unwrap_or_default(),
            who: self.who.clone(),
            expires_in: self.expires_in.clone(),
            not_before: self.not_before.clone(),
            single_use: self.single_use,
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
        if request.single_use {
            spec.uses = Uses::ONCE;
        }
        Ok(spec)
    }
}

impl Preview {
    fn new(revision: u32, preview: CorePreview) -> Self {
        let (qr, qr_refused) = match &preview.qr {
            Ok(qr) => (Some(QrPreview::from(qr)), None),
            Err(refused) => (None, Some(refused.clone().into())),
        };
        Self {
            revision,
            single_use: preview.composed.claims.registered.uses == Uses::ONCE,
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
            single_use: registered.uses == Uses::ONCE,
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
