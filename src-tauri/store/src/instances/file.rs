//! The file of an instance, `instance.json`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::files;
use latchkey_core::admin::Connection;
use latchkey_core::instance::api_key::ApiKey;
use latchkey_core::instance::pairing::Pairing;
use latchkey_core::instance::{
    Hosted, Instance, InstanceId, Name, Outbox, Policy, Retention, Settings, SignInSettings,
};
use latchkey_core::link::message::MessageTemplate;
use latchkey_core::link::{BaseUrl, Parameter};
use latchkey_core::protocol::audience::Audience;
use latchkey_core::protocol::code::Algorithm;
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_core::secret::{DroppedKey, KeyRecord, RetiringKey};
use latchkey_core::typingmind::TypingMind;
use latchkey_core::{Error, ErrorCode, Result};

/// Format of `instance.json`. Older formats are read, newer ones are refused.
///
/// Format 2 adds the encoding of a key, which programs for format 1 would ignore. Format 3
/// stores waiting changes without words. Format 4 adds scopes and expiry to API keys. Programs for
/// format 3 would ignore them and accept such a key for every request. Format 5 adds instances on
/// a gateway, the connection to TypingMind's API, pairings, and the last use of API keys. Programs
/// for format 4 would drop them. Format 6 adds retiring and dropped signing keys. Programs for
/// format 5 would drop them, and never delete their secrets. Format 7 adds the template of the
/// message. Programs for format 6 would drop it.
pub(crate) const FORMAT: u32 = 7;

#[derive(Serialize, Deserialize)]
struct InstanceFile {
    format: u32,
    name: String,
    url: String,
    hosted: Hosted,
    parameter: String,
    algorithm: Algorithm,
    lifetime: Lifetime,
    policy: Policy,
    #[serde(default)]
    visiting: SignInSettings,
    #[serde(default)]
    retention: Retention,
    #[serde(default)]
    audiences: Vec<Audience>,
    #[serde(default)]
    supersede: bool,
    #[serde(default)]
    message: MessageTemplate,
    key: Option<KeyRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    retiring: Vec<RetiringKey>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dropped: Vec<DroppedKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    typingmind: Option<TypingMind>,
    #[serde(default)]
    api_keys: Vec<ApiKey>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pairings: Vec<Pairing>,
    #[serde(default)]
    acts: Outbox,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    connection: Option<Connection>,
}

#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

/// Reads an instance, if its file is there.
pub(super) fn read(path: &Path, id: &InstanceId) -> Result<Option<Instance>> {
    let Some(contents) = files::read(path)? else {
        return Ok(None);
    };
    let damaged = |cause: String| {
        Error::new(
            ErrorCode::DamagedFile,
            format!(
                "{} cannot be used: {cause}. Mend it, restore it from a backup, or remove the instance '{id}' with all that is kept for it.",
                path.display()
            ),
        )
    };
    parse(&contents, id, &path.display().to_string(), damaged).map(Some)
}

/// Parses the content of an instance's file. `source` is what the content is from.
pub(crate) fn parse(
    contents: &[u8],
    id: &InstanceId,
    source: &str,
    damaged: impl Fn(String) -> Error,
) -> Result<Instance> {
    let FormatOnly { format } =
        serde_json::from_slice(contents).map_err(|cause| damaged(cause.to_string()))?;
    if format > FORMAT {
        return Err(Error::new(
            ErrorCode::NewerFormat,
            format!(
                "{source} was written by a newer Latchkey (format {format}; this one reads {FORMAT}). Use that one."
            ),
        ));
    }
    let file: InstanceFile =
        serde_json::from_slice(contents).map_err(|cause| damaged(cause.to_string()))?;
    if (file.hosted == Hosted::Gateway) != file.connection.is_some() {
        return Err(damaged("it is not clear which gateway it is on".into()));
    }
    let settings = || -> Result<Settings> {
        Ok(Settings {
            name: Name::parse(&file.name)?,
            url: BaseUrl::parse(&file.url)?,
            hosted: file.hosted,
            parameter: Parameter::parse(&file.parameter)?,
            algorithm: file.algorithm,
            lifetime: file.lifetime,
            policy: file.policy,
            visiting: file.visiting.clone(),
            retention: file.retention,
            audiences: file.audiences.clone(),
            supersede: file.supersede,
            message: file.message.clone(),
        })
    };
    Ok(Instance {
        id: id.clone(),
        settings: settings().map_err(|refused| damaged(refused.message))?,
        key: file.key,
        retiring: file.retiring,
        dropped: file.dropped,
        typingmind: file.typingmind,
        api_keys: file.api_keys,
        pairings: file.pairings,
        outbox: file.acts,
        connection: file.connection,
    })
}

/// Writes an instance.
pub(super) fn write(path: &Path, instance: &Instance) -> Result<()> {
    let contents = contents(instance)?;
    if let Some(folder) = path.parent() {
        files::create_private_dir(folder)?;
    }
    files::replace(path, &contents)
}

/// Returns the content of an instance's file.
pub(crate) fn contents(instance: &Instance) -> Result<Vec<u8>> {
    let settings = &instance.settings;
    let file = InstanceFile {
        format: FORMAT,
        name: settings.name.as_str().to_owned(),
        url: settings.url.as_str().to_owned(),
        hosted: settings.hosted,
        parameter: settings.parameter.as_str().to_owned(),
        algorithm: settings.algorithm,
        lifetime: settings.lifetime,
        policy: settings.policy,
        visiting: settings.visiting.clone(),
        retention: settings.retention,
        audiences: settings.audiences.clone(),
        supersede: settings.supersede,
        message: settings.message.clone(),
        key: instance.key.clone(),
        retiring: instance.retiring.clone(),
        dropped: instance.dropped.clone(),
        typingmind: instance.typingmind.clone(),
        api_keys: instance.api_keys.clone(),
        pairings: instance.pairings.clone(),
        acts: instance.outbox.clone(),
        connection: instance.connection.clone(),
    };
    serde_json::to_vec_pretty(&file).map_err(Error::internal)
}
