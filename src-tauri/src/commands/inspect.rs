//! Inspecting a code and redeeming it.

use latchkey_store::Wait as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use latchkey_core::inspect::diagnosis::{self, Hint};
use latchkey_core::inspect::forecast::Forecast;
use latchkey_core::inspect::{self, ClaimTime, retired_key};
use latchkey_core::instance::InstanceId;
use latchkey_core::link::qr;
use latchkey_core::protocol::code::recognize::Form;
use latchkey_core::secret::{Secret, SignedBy};
use latchkey_core::verdict::{Seats, Verdict};
use latchkey_core::{Error, ErrorCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tauri::State;
use ts_rs::TS;

use crate::clipboard::Content;
use crate::commands::users::UserProfile;
use crate::hints::{self, Remedy};
use crate::studio::blocking;
use crate::{Problem, Studio};

/// Source in which a code is looked for.
#[derive(Clone, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum InspectSource {
    /// A code, a login link, a widget tag or any text that contains one.
    Text {
        /// Pasted text.
        text: String,
    },
    /// A picture file of a QR code.
    Picture {
        /// Content of the file in base64.
        base64: String,
    },
    /// The clipboard, with a text or a picture.
    Clipboard,
}

/// Request to inspect a code by the rules and keys of an instance.
#[derive(Clone, Deserialize, TS)]
pub struct InspectRequest {
    /// ID of the instance.
    pub instance: String,
    /// Source of the code.
    pub source: InspectSource,
}

/// An inspected code and its verdict. It has no `Debug`, because it contains the code.
#[derive(Clone, Serialize, TS)]
pub struct Inspection {
    /// Number that names this code to `redeem`.
    pub revision: u32,
    /// Form in which the code was found.
    pub found_in: Form,
    /// Header of the code.
    pub header: String,
    /// Claims of the code.
    pub claims: String,
    /// Signature of the code.
    pub signature: String,
    /// Header as indented JSON. Null if it is not JSON.
    pub header_json: Option<String>,
    /// Claims as indented JSON. Null if they are not JSON.
    pub claims_json: Option<String>,
    /// Times among the claims.
    pub times: Vec<ClaimTime>,
    /// Forecast of opening the code now.
    pub forecast: Forecast,
    /// Actions that correct the cause of a refusal.
    pub remedies: Vec<Remedy>,
    /// Known causes of a refusal, the most important first.
    pub hints: Vec<Hint>,
    /// Key of the instance that has signed the code. Null if none has, or if that key has retired.
    pub signed_by: Option<SignedBy>,
    /// Why the gateway on a server, which has the key, could not be asked. Only what can be read
    /// without it is then known.
    pub unasked: Option<Problem>,
}

/// Request to redeem an inspected code.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct RedeemRequest {
    /// ID of the instance.
    pub instance: String,
    /// Revision of the inspection.
    pub revision: u32,
}

/// Result of redeeming a code.
#[derive(Clone, Debug, Serialize, TS)]
pub struct Redeemed {
    /// Result in the form of a forecast.
    pub forecast: Forecast,
    /// User who is signed in now.
    pub user: Option<UserProfile>,
    /// Seats after the redemption.
    pub seats: Seats,
}

/// Finds a code, takes it apart and returns what would happen if it were opened now.
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
        let (key_set, why_none) = match home.key_set(&instance, now) {
            Ok(keys) => (Some(keys), None),
            Err(why) => (None, Some(why)),
        };
        let is_there = instance.connection.is_some();
        let keys = key_set.as_ref();
        let keys = keys.map_or_else(Vec::new, |keys| keys.usable(now));
        let (parameter, rules) = (settings.parameter.as_str(), settings.code_rules());
        let (found, looked) =
            inspect::inspect_text(&text, parameter, &keys, rules, now).map_err(|refused| {
                if is_picture {
                    qr::without_code(refused, &text)
                } else {
                    refused
                }
            })?;
        let asked = is_there.then(|| home.inspect_there(&instance, &found.code));
        let (report, unasked) = match asked.transpose() {
            Ok(report) => (report, None),
            Err(why) => (None, Some(why)),
        };
        let looked = match &report {
            Some(report) => looked.verified_by(&found.code, report, rules, now),
            None => looked,
        };
        let others = match looked.judged() {
            Some(Ok(_)) if found.address.is_none() => Vec::new(),
            _ => home.other_instances(Some(&instance.id), now)?,
        };
        let mut hints = diagnosis::diagnose(&diagnosis::Case {
            shown: &looked.shown,
            judged: looked.judged(),
            address: found.address.as_ref(),
            url: Some(&settings.url),
            parameter,
            keys: &keys,
            others: &others,
        });
        let signed_by = match &report {
            Some(report) => report.signed_by.clone(),
            None => key_set
                .as_ref()
                .and_then(|keys| looked.signed_by(keys, now)),
        };
        if let Some(report) = report {
            add_hints(&mut hints, report.hints);
        } else {
            // Without the ledger, the other causes are still of use.
            let cause = match studio.ledger(&home, &instance) {
                Ok(ledger) => retired_key(&looked, &keys, &*ledger, now).wait(),
                Err(cause) => {
                    tracing::warn!(error = %cause.logged(), "it is not known which key signed a link");
                    None
                }
            };
            hints.extend(cause);
        }
        let forecast = studio.with_users(&home, &instance, |users| {
            looked
                .forecast(settings, users, unasked.as_ref().or(why_none.as_ref()), now)
                .wait()
        })?;
        let forecast = forecast.for_link(&hints);
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
            remedies: hints::remedies(&forecast),
            forecast,
            hints,
            signed_by,
            unasked: unasked.map(Into::into),
            revision: studio.inspected(instance.id, Secret::new(found.code)),
        })
    })
    .await
}

/// Redeems the code that was inspected last, like a person who opens the link.
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
        let directory = studio.directory(&home, &instance)?;
        let by = crate::studio::now();
        let verdict = home.redeem(&instance, &*directory, code.expose(), &by)?;
        let user = match &verdict {
            Verdict::SignedIn { user, .. } | Verdict::Provisioned { user, .. } => {
                directory.user(user).wait()?
            }
            Verdict::Refused(_) => None,
        };
        Ok::<_, Problem>(Redeemed {
            forecast: Forecast::redeemed(&verdict, by.at),
            user: user.map(Into::into),
            seats: directory.seats(by.at).wait()?,
        })
    })
    .await
}

/// Adds the hints of a gateway on a server, which knows its key. Its other instances are not known
/// here.
fn add_hints(hints: &mut Vec<Hint>, there: Vec<Hint>) {
    for hint in there {
        if hints.iter().all(|known| known.code != hint.code) {
            hints.push(Hint {
                instance: None,
                ..hint
            });
        }
    }
}

/// Returns the text to search, and whether it comes from a picture.
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
