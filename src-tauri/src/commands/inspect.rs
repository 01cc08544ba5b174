//! A code that somebody has, looked at and, if asked for, redeemed.

use latchkey_store::Wait as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use latchkey_core::directory::Directory as _;
use latchkey_core::inspect::diagnosis::{self, Hint};
use latchkey_core::inspect::forecast::Forecast;
use latchkey_core::inspect::{self, ClaimTime};
use latchkey_core::instance::InstanceId;
use latchkey_core::link::qr;
use latchkey_core::protocol::code::recognize::Form;
use latchkey_core::secret::Secret;
use latchkey_core::sign_in as redeeming;
use latchkey_core::verdict::{Seats, Verdict};
use latchkey_core::{Error, ErrorCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tauri::State;
use ts_rs::TS;

use crate::clipboard::Content;
use crate::commands::users::UserProfile;
use crate::studio::blocking;
use crate::{Problem, Studio, hints};

/// What to look for a code in.
#[derive(Clone, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum InspectSource {
    /// A code, a login link, a widget tag or any text that contains one.
    Text {
        /// As it was pasted.
        text: String,
    },
    /// A file of a picture of a QR code.
    Picture {
        /// The file's bytes.
        base64: String,
    },
    /// The system's clipboard, which holds one of the two.
    Clipboard,
}

/// A code to look at, as an instance would.
#[derive(Clone, Deserialize, TS)]
pub struct InspectRequest {
    /// The instance's id.
    pub instance: String,
    /// Where the code is.
    pub source: InspectSource,
}

/// A code taken apart and judged. It has no `Debug`: the code is in it.
#[derive(Clone, Serialize, TS)]
pub struct Inspection {
    /// Names this code to `redeem`.
    pub revision: u32,
    /// What it was found in.
    pub found_in: Form,
    /// The code's header.
    pub header: String,
    /// The code's claims.
    pub claims: String,
    /// The code's signature.
    pub signature: String,
    /// The header, written to be read; null where it is not JSON.
    pub header_json: Option<String>,
    /// The claims, written to be read; null where they are not JSON.
    pub claims_json: Option<String>,
    /// The times among the claims.
    pub times: Vec<ClaimTime>,
    /// What would happen if it were opened now.
    pub forecast: Forecast,
    /// The causes that are known, the most important first.
    pub hints: Vec<Hint>,
}

/// An inspected code to redeem.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct RedeemRequest {
    /// The instance's id.
    pub instance: String,
    /// The inspection's.
    pub revision: u32,
}

/// What redeeming has done.
#[derive(Clone, Debug, Serialize, TS)]
pub struct Redeemed {
    /// In words, as having happened.
    pub forecast: Forecast,
    /// The user who is signed in now.
    pub user: Option<UserProfile>,
    /// The seats as they are now.
    pub seats: Seats,
}

/// Finds a code, takes it apart and says what would happen if it were opened now.
#[tauri::command]
pub async fn inspect(
    studio: State<'_, Arc<Studio>>,
    request: InspectRequest,
) -> Result<Inspection, Problem> {
    blocking(studio, move |studio| {
        let home = studio.home()?;
        let instance = home
            .instances()
            .get(&InstanceId::parse(&request.instance)?)?;
        let settings = &instance.settings;
        let (text, is_picture) = text_of(request.source, studio)?;
        let now = Timestamp::now();
        let (key, why_none) = match home.signing_key(&instance) {
            Ok(key) => (Some(key), None),
            Err(why) => (None, Some(why)),
        };
        let keys = key.as_ref();
        let keys = keys.as_slice();
        let (parameter, rules) = (settings.parameter.as_str(), settings.code_rules());
        let (found, looked) =
            inspect::inspect_text(&text, parameter, keys, rules, now).map_err(|refused| {
                if is_picture {
                    qr::without_code(refused, &text)
                } else {
                    refused
                }
            })?;
        let others = match looked.judged() {
            Some(Ok(_)) if found.address.is_none() => Vec::new(),
            _ => home.other_instances(Some(&instance.id))?,
        };
        let hints = diagnosis::diagnose(&diagnosis::Case {
            shown: &looked.shown,
            judged: looked.judged(),
            address: found.address.as_ref(),
            url: Some(&settings.url),
            keys,
            others: &others,
        });
        let forecast = studio.with_users(&home, &instance, |users| {
            looked
                .forecast(settings, users, why_none.as_ref(), now)
                .wait()
        })?;
        let found_in = if is_picture { Form::Qr } else { found.form };
        let to_read = |json: &Option<Value>| json.as_ref().map(|json| format!("{json:#}"));
        Ok::<_, Problem>(Inspection {
            found_in,
            header_json: to_read(&looked.shown.header_json),
            claims_json: to_read(&looked.shown.claims_json),
            header: looked.shown.header,
            claims: looked.shown.claims,
            signature: looked.shown.signature,
            times: looked.times,
            forecast: hints::forecast(forecast),
            hints,
            revision: studio.inspected(instance.id, Secret::new(found.code)),
        })
    })
    .await
}

/// Uses the code that was inspected last, as a person who opens the link would.
#[tauri::command]
pub async fn redeem(
    studio: State<'_, Arc<Studio>>,
    request: RedeemRequest,
) -> Result<Redeemed, Problem> {
    blocking(studio, move |studio| {
        let home = studio.home()?;
        let id = InstanceId::parse(&request.instance)?;
        let code = studio.last_inspected(&id, request.revision)?;
        let instance = home.instances().get(&id)?;
        let key = home.signing_key(&instance)?;
        let directory = studio.directory(&home, &instance)?;
        let (settings, by) = (&instance.settings, crate::studio::now());
        let verdict =
            redeeming::redeem(code.expose(), settings, &[&key], &*directory, &by).wait()?;
        let user = match &verdict {
            Verdict::SignedIn { user, .. } | Verdict::Provisioned { user, .. } => {
                directory.user(user).wait()?
            }
            Verdict::Refused(_) => None,
        };
        Ok::<_, Problem>(Redeemed {
            forecast: hints::forecast(Forecast::redeemed(&verdict, by.at)),
            user: user.map(Into::into),
            seats: directory.seats().wait()?,
        })
    })
    .await
}

/// The text to look into, and whether it came out of a picture.
fn text_of(source: InspectSource, studio: &Studio) -> Result<(String, bool), Problem> {
    match source {
        InspectSource::Text { text } => Ok((text, false)),
        InspectSource::Picture { base64 } => {
            let bytes = BASE64_STANDARD.decode(base64).map_err(|_| {
                let message = "The picture did not arrive whole. Try again.";
                Error::new(ErrorCode::InvalidPicture, message)
            })?;
            Ok((qr::read_picture(&bytes)?, true))
        }
        InspectSource::Clipboard => match studio.clipboard().read()? {
            Content::Text(text) => Ok((text, false)),
            Content::Picture(picture) => {
                let side = |pixels| u32::try_from(pixels).unwrap_or(u32::MAX);
                let (width, height) = (side(picture.width), side(picture.height));
                let bytes = picture.bytes.into_owned();
                Ok((qr::read_rgba(width, height, bytes)?, true))
            }
        },
    }
}
