//! An instance in words and in JSON.

use latchkey_core::activity::AuditContext;
use latchkey_core::admin::{Connection, InstanceRecord};
use latchkey_core::error::Warning;
use latchkey_core::instance::{Hosted, Instance, Settings, SignInStep};
use latchkey_core::link::message::MessageTemplate;
use latchkey_core::secret::{KeyLocation, KeyOrigin, SecretEncoding};
use latchkey_core::typingmind::TypingMind;
use latchkey_store::home::Home;
use serde::Serialize;
use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Failure;
use crate::keys;
use crate::output::{Output, value};
use crate::text::Text;

/// Prints an instance as this computer knows it. The signing key of a connected instance is known to
/// its gateway alone.
pub(super) fn show(home: &Home, instance: &Instance, output: &Output) -> Result<(), Failure> {
    let key = match instance.connection {
        Some(_) => SigningKey::NotKnown,
        None => SigningKey::Known,
    };
    show_with(home, instance, instance.into(), key, None, output)
}

/// Whether the record of an instance tells its signing key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SigningKey {
    Known,
    NotKnown,
}

/// Prints the current settings of an instance. If its gateway does not answer, prints what was read there last.
pub(super) fn show_current(
    home: &Home,
    instance: &Instance,
    context: &Context,
    output: &Output,
    by: &AuditContext,
) -> Result<(), Failure> {
    keys::unlock_access(home, instance, context)?;
    match home.refresh(&instance.id, by) {
        Ok((instance, record)) => {
            show_with(home, &instance, record, SigningKey::Known, None, output)
        }
        Err(refused) if instance.connection.is_some() => {
            let known = if settings_are_known(instance) {
                "Here is what was read there last."
            } else {
                "Only its name and its URL are known here."
            };
            output.warn(&format!("{} {known}", refused.message));
            show(home, instance, output)
        }
        Err(refused) => Err(refused.into()),
    }
}

/// Prints an instance with a warning about the change.
pub(super) fn show_with(
    home: &Home,
    instance: &Instance,
    record: InstanceRecord,
    key: SigningKey,
    about_change: Option<Warning>,
    output: &Output,
) -> Result<(), Failure> {
    let settings = &instance.settings;
    let hosted = settings.hosted.name();
    let connection = match settings.hosted {
        Hosted::Here | Hosted::Elsewhere => String::new(),
        Hosted::Gateway => described_connection(instance.connection.as_ref()),
    };
    let secret = described_secret(&record, key);
    let secret_warning = record.secret.as_ref();
    if let Some(warning) = secret_warning.and_then(|key| key.warning.as_ref()) {
        output.warn(&warning.message);
    }
    let warnings: Vec<Warning> = settings
        .warnings()
        .into_iter()
        .chain(about_change)
        .collect();
    for warning in &warnings {
        output.warn(&warning.message);
    }
    let backups = automatic_backups(home, instance);
    let backups_row = backups.map_or_else(String::new, |backups| {
        format!("\nbackups                 {backups}")
    });
    let typingmind = described_typingmind(instance.typingmind.as_ref());
    let body = if settings_are_known(instance) {
        described_settings(settings, &secret)
    } else {
        "settings                not known, because the API key may not read them".to_owned()
    };
    let text = format!(
        "name                    {}\n\
         id                      {}\n\
         url                     {}\n\
         hosted                  {hosted}\n\
         {connection}\
         {body}{backups_row}{typingmind}",
        settings.name.as_str(),
        instance.id,
        settings.url,
    );
    // A block is safe here, because no setting contains a line break.
    let mut block = Text::new();
    block.block(text);
    output.print(block, || {
        let record = InstanceRecord { warnings, ..record };
        let mut described = described(home, instance, record);
        if key == SigningKey::NotKnown
            && let Some(members) = described.as_object_mut()
        {
            members.remove("secret");
        }
        described
    })
}

/// Returns whether the settings of an instance are known here. A key of few scopes may not read those
/// of an instance on a gateway.
fn settings_are_known(instance: &Instance) -> bool {
    let connection = instance.connection.as_ref();
    connection.is_none_or(|connection| connection.settings_read)
}

/// Returns the lines about the settings and the signing key.
fn described_settings(settings: &Settings, secret: &str) -> String {
    let yes = |on: bool| if on { "yes" } else { "no" };
    let policy = settings.policy;
    format!(
        "param                   {}\n\
         algorithm               {}\n\
         lifetime                {}\n\
         secret                  {secret}\n\
         external-auth           {}\n\
         require-expiry          {}\n\
         provisioning            {}\n\
         refresh-profile         {}\n\
         sign-in                 {}\n\
         session                 {}\n\
         session-ends-with-link  {}\n\
         session-idle            {}\n\
         return-to               {}\n\
         embed-in                {}\n\
         keep-activity           {}\n\
         keep-refusals           {}\n\
         keep-links              {}\n\
         audience                {}\n\
         supersede               {}\n\
         message                 {}",
        settings.parameter.as_str(),
        settings.algorithm,
        settings.lifetime,
        yes(policy.external_auth),
        yes(policy.require_expiry),
        yes(policy.provisioning),
        yes(policy.refresh_profile),
        match settings.visiting.step {
            SignInStep::Automatic => "automatic",
            SignInStep::Confirm => "confirm",
        },
        settings.visiting.session,
        yes(settings.visiting.session_ends_with_link),
        settings.visiting.session_idle,
        listed(&settings.visiting.return_to),
        listed(&settings.visiting.embed_in),
        settings.retention.age,
        settings.retention.refusals,
        settings.retention.links,
        listed(&settings.audiences),
        if settings.supersede { "on" } else { "off" },
        described_message(&settings.message),
    )
}

/// Returns the template of the message on one line.
fn described_message(template: &MessageTemplate) -> String {
    if template.is_default() {
        return "default".to_owned();
    }
    template.as_str().replace('\n', "\\n")
}

/// Returns the words about the signing key.
fn described_secret(record: &InstanceRecord, key: SigningKey) -> String {
    let Some(secret) = &record.secret else {
        return match key {
            SigningKey::Known => "none".to_owned(),
            SigningKey::NotKnown => "not known here".to_owned(),
        };
    };
    let origin = match secret.origin {
        KeyOrigin::Generated => "generated",
        KeyOrigin::Pasted => "pasted",
    };
    let kept = match secret.kept {
        KeyLocation::Keychain => "the keychain",
        KeyLocation::SealedFile => "the sealed file",
    };
    let encoding = match secret.encoding {
        SecretEncoding::Text => "",
        SecretEncoding::Base64 => ", base64",
        SecretEncoding::Hex => ", hexadecimal",
    };
    format!(
        "{origin} {}, in {kept}{encoding}",
        latchkey_core::time::exact(secret.set_at)
    )
}

/// Returns the lines about the connection to a gateway.
fn described_connection(connection: Option<&Connection>) -> String {
    let Some(connection) = connection else {
        return String::new();
    };
    let fingerprint = connection.fingerprint.as_ref();
    let fingerprint = fingerprint.map_or_else(|| "none".to_owned(), ToString::to_string);
    format!(
        "gateway                 {}\n\
         gateway-instance        {}\n\
         fingerprint             {fingerprint}\n\
         api-key                 {}\n",
        connection.url, connection.instance, connection.key_id,
    )
}

/// Returns the line about the connection to TypingMind's API.
fn described_typingmind(connection: Option<&TypingMind>) -> String {
    let Some(TypingMind { region, key }) = connection else {
        return String::new();
    };
    let key = key.as_ref().map_or_else(
        || "no key".to_owned(),
        |key| format!("key set {}", latchkey_core::time::exact(key.set_at)),
    );
    format!("\ntypingmind              {region}, {key}")
}

fn listed<T: ToString>(all: &[T]) -> String {
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    if all.is_empty() {
        "none".to_owned()
    } else {
        all.join(" ")
    }
}

/// An instance in JSON.
#[derive(Serialize)]
struct Described {
    #[serde(flatten)]
    record: InstanceRecord,
    connection: Option<Value>,
    typingmind: Option<Value>,
    backups: Option<&'static str>,
}

/// Returns how often automatic backups are made of an instance that is hosted here.
fn automatic_backups(home: &Home, instance: &Instance) -> Option<&'static str> {
    let has_directory = instance.settings.hosted == Hosted::Here;
    has_directory.then(|| {
        if home.has_automatic_backups(&instance.id) {
            "daily"
        } else {
            "off"
        }
    })
}

pub(super) fn described(home: &Home, instance: &Instance, record: InstanceRecord) -> Value {
    let connection = instance.connection.as_ref();
    let typingmind = instance.typingmind.as_ref();
    let mut described = value(&Described {
        record,
        backups: automatic_backups(home, instance),
        connection: connection.map(|connection| {
            json!({
                "url": connection.url,
                "instance": connection.instance,
                "fingerprint": connection.fingerprint,
                "key_id": connection.key_id,
                "settings_read": connection.settings_read,
            })
        }),
        typingmind: typingmind.map(|TypingMind { region, key }| {
            json!({
                "region": region,
                "key_set_at": key.as_ref().map(|key| latchkey_core::time::exact(key.set_at)),
            })
        }),
    });
    if let (false, Some(members)) = (settings_are_known(instance), described.as_object_mut()) {
        let known = [
            "id",
            "name",
            "url",
            "hosted",
            "warnings",
            "connection",
            "typingmind",
            "backups",
        ];
        members.retain(|member, _| known.contains(&member.as_str()));
    }
    described
}
