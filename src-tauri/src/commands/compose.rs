//! A login link while it is composed: the preview, and taking it away.

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
use crate::studio::{Source, at_home, blocking, now};
use crate::{Problem, Studio, dialogs, hints};

/// What is composed.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct ComposeRequest {
    /// The instance's id.
    pub instance: String,
    /// Who is to sign in.
    pub who: Who,
    /// In words: `7 days`, `12h`, `never`.
    pub expires_in: String,
    /// `2026-11-29T23:10` in this computer's time zone, or RFC 3339; null for at once.
    pub not_before: Option<String>,
    /// Whether the first sign-in uses it up.
    pub single_use: bool,
    /// Whether a new code is wanted although the single-use code of the same request is still shown.
    pub anew: bool,
}

/// The QR code of the link.
#[derive(Clone, Debug, Serialize, TS)]
pub struct QrPreview {
    /// 1 to 22.
    pub version: i16,
    /// Modules on a side, the quiet zone not counted.
    pub modules: u32,
    /// The error correction.
    pub level: Level,
    /// SVG path data of the dark modules, one unit a module, inside a quiet zone of 4: the view box
    /// is `0 0 modules+8 modules+8`.
    pub path: String,
    /// What to know about scanning it.
    pub warning: Option<Warning>,
}

/// A link as it would be given out now.
#[derive(Clone, Debug, Serialize, TS)]
pub struct Preview {
    /// Names this preview to `copy` and `qr_save`.
    pub revision: u32,
    /// The link.
    pub link: LoginLink,
    /// The code's header, written to be read.
    pub header_json: String,
    /// The claims, written to be read.
    pub claims_json: String,
    /// The times among the claims.
    pub times: Vec<ClaimTime>,
    /// The tag for a page.
    pub widget: String,
    /// The QR code.
    pub qr: Option<QrPreview>,
    /// Why there is no QR code, where there is none.
    pub qr_refused: Option<Problem>,
    /// What would happen if the link were opened now.
    pub forecast: Forecast,
    /// What to know before giving it out.
    pub warnings: Vec<Warning>,
    /// RFC 3339 in UTC; null for a link that never expires.
    pub expires_at: Option<String>,
    /// Whether the first sign-in uses it up.
    pub single_use: bool,
}

/// What of a preview to copy.
#[derive(Clone, Copy, Debug, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum CopyWhat {
    Link,
    Code,
    Widget,
    Qr,
}

/// A preview, and what of it to copy.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct CopyRequest {
    /// The preview's.
    pub revision: u32,
    /// What.
    pub what: CopyWhat,
}

/// Something is on the clipboard.
#[derive(Clone, Copy, Debug, Serialize, TS)]
pub struct Copied {
    /// When the clipboard is emptied if the content is still ours.
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

/// The kind of a picture file.
#[derive(Clone, Copy, Debug, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum QrFormat {
    Png,
    Svg,
}

/// A preview, and as what to save its QR code.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct QrSaveRequest {
    /// The preview's.
    pub revision: u32,
    /// As what.
    pub format: QrFormat,
}

/// Whether the QR code was saved.
#[derive(Clone, Debug, Serialize, TS)]
pub struct QrSaved {
    /// The file's name; null where the person cancelled.
    pub file: Option<String>,
}

/// Signs the link as it stands and shows it in all its shapes.
///
/// The single-use code that is shown stays while the request is the same: a code that was handed out
/// or used is never replaced unless `anew` asks for another one.
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
            studio.kept(&source)
        };
        let link = match kept {
            Some(kept) => kept,
            None => composed(&source.target, &key, LinkSpec::try_from(request)?, by.at)?,
        };
        let preview = studio.with_users(home, &instance, |users| {
            preview::preview(&instance.settings, &key, link, users, &by).wait()
        })?;
        let revision = studio.show(source, preview.composed.clone(), preview.qr.clone());
        Ok(Preview::new(revision, preview))
    })
    .await
}

/// Puts a preview on the clipboard, exactly as it is shown.
#[tauri::command]
pub async fn copy(studio: State<'_, Arc<Studio>>, request: CopyRequest) -> Result<Copied, Problem> {
    blocking(studio, move |studio| {
        let shown = studio.shown(request.revision)?;
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

/// Asks for a file and writes the QR code into it.
#[tauri::command]
pub async fn qr_save<R: Runtime>(
    app: AppHandle<R>,
    studio: State<'_, Arc<Studio>>,
    request: QrSaveRequest,
) -> Result<QrSaved, Problem> {
    let shown = studio.shown(request.revision)?;
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
        let mut composition =
            Self::new(Payload::try_from(request.who)?, request.expires_in.parse()?);
        composition.not_before = request
            .not_before
            .map(|text| time::parse(&text, &TimeZone::system(), "not_before"))
            .transpose()?;
        composition.single_use = request.single_use;
        Ok(composition)
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
            forecast: hints::forecast(preview.forecast),
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
