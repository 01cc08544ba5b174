//! Composing a login link: its request, its preview and its forecast.

use std::sync::Arc;

use jiff::tz::TimeZone;
use latchkey_core::inspect::forecast::{Forecast, Users};
use latchkey_core::inspect::preview;
use latchkey_core::instance::{Instance, InstanceId};
use latchkey_core::link::compose::{Composed, LinkSpec, compose as composed};
use latchkey_core::protocol::account_end::AccountEnd;
use latchkey_core::protocol::payload::Payload;
use latchkey_core::protocol::uses::Uses;
use latchkey_core::{Error, time};
use latchkey_store::Wait as _;
use latchkey_store::home::Home;
use serde::{Deserialize, Serialize};
use tauri::State;
use ts_rs::TS;

use crate::commands::preview::{Preview, ShortPreview};
use crate::commands::who::Who;
use crate::hints::{self, Remedy};
use crate::previews::{GatewayLink, GatewayLinkState, Link, Signed, Source, Taking};
use crate::studio::{at_home, now};
use crate::{Problem, Studio};

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
pub(super) fn show_here(
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

/// Stores a link of a gateway on a server, and returns its preview.
pub(super) fn show(studio: &Studio, source: Source, link: GatewayLink) -> Preview {
    let GatewayLink { outline, state } = link.clone();
    let revision = studio.previews().add(source, Link::Gateway(Box::new(link)));
    let signed = match state {
        GatewayLinkState::Signed(signed) => Some(*signed),
        GatewayLinkState::Unsigned(_) => None,
    };
    Preview::of_gateway(revision, outline, signed)
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
