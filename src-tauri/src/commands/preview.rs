//! The preview of a login link.

use latchkey_core::error::Warning;
use latchkey_core::inspect::ClaimTime;
use latchkey_core::inspect::forecast::Forecast;
use latchkey_core::inspect::outline::Outline;
use latchkey_core::inspect::preview::Preview as CorePreview;
use latchkey_core::link::LoginLink;
use latchkey_core::link::qr::{Level, Qr};
use latchkey_core::time;
use serde::Serialize;
use ts_rs::TS;

use crate::Problem;
use crate::hints::{self, Remedy};
use crate::previews::Signed;

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
    pub(super) fn of(signed: &Signed) -> Option<Self> {
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
    /// ID of the link in the ledger. Null if it is not signed.
    pub id: Option<String>,
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

impl Preview {
    pub(super) fn new(revision: u32, preview: CorePreview, taken: bool) -> Self {
        let (qr, qr_refused) = match &preview.qr {
            Ok(qr) => (Some(QrPreview::from(qr)), None),
            Err(refused) => (None, Some(refused.clone().into())),
        };
        Self {
            revision,
            id: preview.composed.claims.registered.id.clone(),
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

    /// Returns the preview of a link of a gateway on a server. Its forecast follows.
    pub(super) fn of_gateway(revision: u32, outline: Outline, signed: Option<Signed>) -> Self {
        let qr = signed.as_ref().map_or(&outline.qr, |signed| &signed.qr);
        let qr_refused = qr.as_ref().err().cloned().map(Into::into);
        let qr_size = qr.as_ref().ok().filter(|_| signed.is_none());
        let registered = &outline.claims.registered;
        Self {
            revision,
            id: signed
                .as_ref()
                .and_then(|signed| signed.composed.claims.registered.id.clone()),
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
