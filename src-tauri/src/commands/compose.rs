//! Composing a login link: its preview, copying it, and saving its QR code.

use latchkey_store::Wait as _;
use std::sync::Arc;

use arboard::ImageData;
use jiff::tz::TimeZone;
use latchkey_core::error::Warning;
use latchkey_core::inspect::ClaimTime;
use latchkey_core::inspect::forecast::Forecast;
use latchkey_core::inspect::preview::{self, Preview as CorePreview};
use latchkey_core::instance::{Instance, InstanceId};
use latchkey_core::link::LoginLink;
use latchkey_core::link::compose::{LinkSpec, compose as composed};
use latchkey_core::link::qr::{Level, Qr};
use latchkey_core::protocol::payload::Payload;
use latchkey_core::{Error, time};
use latchkey_store::files;
use serde::{Deserialize, Serialize};
use tauri::{AppHandle, Runtime, State};
use ts_rs::TS;

use crate::clipboard::{CLEARED_AFTER, Content};
use crate::commands::who::Who;
use crate::hints::{self, Remedy};
use crate::previews::Source;
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

/// A signed link.
#[derive(Clone, Debug, Serialize, TS)]
pub struct Preview {
    /// Number that names this preview to `copy` and `qr_save`.
    pub revision: u32,
    /// The link.
    pub link: LoginLink,
    /// Header of the code, as indented JSON.
    pub header_json: String,
    /// Claims of the code, as indented JSON.
    pub claims_json: String,
    /// Times among the claims.
    pub times: Vec<ClaimTime>,
    /// Widget tag for a page.
    pub widget: String,
    /// QR code, if the link fits into one.
    pub qr: Option<QrPreview>,
    /// Reason why there is no QR code.
    pub qr_refused: Option<Problem>,
    /// Forecast of opening the link now.
    pub forecast: Forecast,
    /// Actions that correct the cause of a refusal.
    pub remedies: Vec<Remedy>,
    /// Warnings to read before giving the link away.
    pub warnings: Vec<Warning>,
    /// End of the link in RFC 3339 and UTC. Null if it never expires.
    pub expires_at: Option<String>,
    /// Whether the first sign-in uses the link up.
    pub single_use: bool,
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

/// Signs the link and returns it in all its forms.
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
        let key = home.signing_key(&instance)?;
        let by = now();
        let source = request.source(&instance);
        let kept = if request.anew {
            None
        } else {
            studio.previews().last_single_use(&source)
        };
        let link = match kept {
            Some(kept) => kept,
            None => composed(&source.target, &key, LinkSpec::try_from(request)?, by.at)?,
        };
        let preview = studio.with_users(home, &instance, |users| {
            preview::preview(&instance.settings, &key, link, users, &by).wait()
        })?;
        let revision = studio
            .previews()
            .add(source, preview.composed.clone(), preview.qr.clone());
        Ok(Preview::new(revision, preview))
    })
    .await
}

/// Copies a part of a shown preview to the clipboard, unchanged.
#[tauri::command]
pub async fn copy(studio: State<'_, Arc<Studio>>, request: CopyRequest) -> Result<Copied, Problem> {
    blocking(studio, move |studio| {
        let shown = studio.previews().get(request.revision)?;
        let content = match request.what {
            CopyWhat::Link => Content::Text(shown.composed.link.url()),
            CopyWhat::Code => Content::Text(shown.composed.code.expose().to_owned()),
            CopyWhat::Widget => Content::Text(shown.composed.widget.clone()),
            CopyWhat::Qr => Content::Picture(picture(shown.qr.as_ref().map_err(Error::clone)?)),
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
    let qr = shown.qr.clone()?;
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
        let name = path.file_name().unwrap_or(path.as_os_str());
        Ok(QrSaved {
            file: Some(name.to_string_lossy().into_owned()),
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
        spec.single_use = request.single_use;
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
            single_use: preview.composed.claims.registered.single_use,
            link: preview.composed.link,
            header_json: preview.header_json,
            claims_json: preview.claims_json,
            times: preview.times,
            widget: preview.composed.widget,
            qr,
            qr_refused,
            remedies: hints::remedies(&preview.forecast),
            forecast: preview.forecast,
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
