//! The command `latchkey instance`.

use std::process::ExitCode;

use jiff::Timestamp;
use latchkey_core::ErrorCode;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::admin::{Connection, InstanceRecord};
use latchkey_core::error::Warning;
use latchkey_core::instance::{
    Hosted, Instance, InstanceId, Name, Settings, SettingsChange, SignInStep,
};
use latchkey_core::link::BaseUrl;
use latchkey_core::link::message::MessageTemplate;
use latchkey_core::secret::SecretEncoding;
use latchkey_core::secret::{KeyLocation, KeyOrigin, KeyRotation, Secret};
use latchkey_core::typingmind::TypingMind;
use latchkey_store::home::{Home, SecretSource, is_gateway};
use latchkey_store::instances::Listing;
use serde::Serialize;
use serde_json::{Value, json};

use crate::args::{
    AddArguments, InstanceCommand, SetArguments, SettingsArguments, TypingMindArguments,
};
use crate::context::Context;
use crate::failure::Failure;
use crate::keys::{self, Environment};
use crate::output::{Output, value};
use crate::text::Text;
use crate::{connect, users};

pub(crate) fn instance(
    command: InstanceCommand,
    context: &Context,
    output: &Output,
    now: Timestamp,
) -> Result<ExitCode, Failure> {
    let by = AuditContext::new(Actor::CommandLine, now);
    match command {
        InstanceCommand::List => list(context.home_if_any()?.as_ref(), output)?,
        InstanceCommand::Add(arguments) => {
            add(&context.home_or_new()?, context, &arguments, output, &by)?;
        }
        InstanceCommand::Connect(arguments) => {
            let home = context.home_or_new()?;
            let connected = connect::connect(&home, context, &arguments, &by)?;
            show_current(&home, &connected, context, output, &by)?;
        }
        InstanceCommand::Show { name } => {
            let home = context.home()?;
            let instance = home.instances().find(&name)?;
            show_current(&home, &instance, context, output, &by)?;
        }
        InstanceCommand::Set(arguments) => {
            set(&context.home()?, context, &arguments, output, &by)?;
        }
        InstanceCommand::Remove { name, yes } => {
            remove(&context.home()?, context, &name, yes, output)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(home: Option<&Home>, output: &Output) -> Result<(), Failure> {
    let listing = match home {
        Some(home) => home.instances().list()?,
        None => Listing::default(),
    };
    for problem in &listing.problems {
        output.warn(&problem.message);
    }
    let mut text = Text::new();
    for instance in &listing.instances {
        let settings = &instance.settings;
        text.row(&[
            instance.id.as_str(),
            settings.name.as_str(),
            settings.url.as_str(),
        ]);
    }
    if listing.instances.is_empty() && listing.problems.is_empty() {
        output.note("There is no instance yet. Add one with 'latchkey instance add'.");
    }
    output.print(text, || {
        json!({
            "instances": home.into_iter().flat_map(|home| listing.instances.iter().map(move |one| described(home, one, one.into()))).collect::<Vec<_>>(),
            "problems": value(&listing.problems),
        })
    })
}

fn add(
    home: &Home,
    context: &Context,
    arguments: &AddArguments,
    output: &Output,
    by: &AuditContext,
) -> Result<(), Failure> {
    let mut settings = Settings::new(
        Name::parse(&arguments.name)?,
        BaseUrl::typed(&arguments.url)?,
        Hosted::default(),
    );
    change_of(&arguments.settings).apply(&mut settings)?;
    // For an instance that is hosted here, a secret in the environment that is meant for something
    // else is ignored.
    let environment = match settings.hosted {
        Hosted::Elsewhere if !arguments.generate_secret => Environment::Counts,
        _ => Environment::IsIgnored,
    };
    let secret = if arguments.no_secret {
        None
    } else if let Some(given) = keys::given(&arguments.secret, environment, context)? {
        if arguments.secret.secret_file.is_none() {
            output.note("The secret in the environment was stored for the instance.");
        }
        Some(given.into())
    } else if arguments.generate_secret || settings.hosted == Hosted::Here {
        Some(SecretSource::Generate)
    } else {
        return Err(Failure::usage(
            "An instance that is hosted elsewhere has its own secret. Give it by --secret-file, \
             LATCHKEY_SECRET_FILE or LATCHKEY_SECRET, or give --generate-secret or --no-secret.",
        )
        .about("secret-file"));
    };
    let instance = match secret {
        Some(secret) => {
            keys::unlock_or_create(home, context)?;
            home.add(settings, secret, by)?
        }
        None => home.instances().add(settings, None, by)?,
    };
    show(home, &instance, output)
}

fn set(
    home: &Home,
    context: &Context,
    arguments: &SetArguments,
    output: &Output,
    by: &AuditContext,
) -> Result<(), Failure> {
    let before = home.instances().find(&arguments.instance)?;
    let id = before.id.clone();
    let replacement = match &arguments.secret.secret_file {
        Some(_) => {
            keys::given(&arguments.secret, Environment::IsIgnored, context)?.map(SecretSource::from)
        }
        None if arguments.secret.secret_encoding.is_some() => {
            return Err(Failure::usage(
                "--secret-encoding says how a new secret is read. Give the secret by --secret-file.",
            )
            .about("secret-encoding"));
        }
        None => arguments.generate_secret.then_some(SecretSource::Generate),
    };
    if arguments.retire_after.is_some() && replacement.is_none() {
        return Err(Failure::usage(
            "--retire-after says how long a replaced secret still verifies. Give --secret-file or --generate-secret, too.",
        )
        .about("retire-after"));
    }
    if before.connection.is_some() {
        keys::unlock(home, context)?;
    } else if replacement.is_some() {
        keys::unlock_or_create(home, context)?;
    }
    let change = SettingsChange {
        name: arguments.name.clone(),
        url: arguments.url.clone(),
        ..change_of(&arguments.settings)
    };
    let key = arguments.typingmind.typingmind_key_file.as_deref();
    let key = key
        .map(|path| keys::typingmind_key(path, context))
        .transpose()?;
    let rotation = replacement.map(|source| KeyRotation {
        source,
        retire_after: arguments.retire_after,
    });
    let instance = home.change_settings(&id, &change, rotation, by)?;
    if let Some(on) = arguments.backups {
        home.set_automatic_backups(&id, on, by)
            .map_err(|refused| refused.about("backups"))?;
    }
    let typingmind = set_typingmind(home, context, &arguments.typingmind, key.as_ref(), &id, by)?;
    let instance = typingmind.unwrap_or(instance);
    let ended = ended_sign_ins(home, &before, &instance, output.program());
    if instance.connection.is_some() {
        return show_current(home, &instance, context, output, by);
    }
    let record = (&instance).into();
    show_with(home, &instance, record, SigningKey::Known, ended, output)
}

/// Changes the connection to TypingMind's API, if an option does.
fn set_typingmind(
    home: &Home,
    context: &Context,
    arguments: &TypingMindArguments,
    key: Option<&Secret>,
    id: &InstanceId,
    by: &AuditContext,
) -> Result<Option<Instance>, Failure> {
    let region = arguments.typingmind_region.clone();
    if arguments.no_typingmind {
        keys::unlock(home, context)?;
        return Ok(Some(home.disconnect_typingmind(id, by)?));
    }
    if key.is_some() {
        keys::unlock_or_create(home, context)?;
    } else if region.is_none() {
        return Ok(None);
    }
    Ok(Some(home.connect_typingmind(id, region, key, by)?))
}

/// Returns the warning about a gateway that runs for an instance that is hosted elsewhere from now
/// on.
fn ended_sign_ins(
    home: &Home,
    before: &Instance,
    after: &Instance,
    program: &str,
) -> Option<Warning> {
    let hosted = (before.settings.hosted, after.settings.hosted);
    if hosted != (Hosted::Here, Hosted::Elsewhere) {
        return None;
    }
    let holder = home.directory_holder(before);
    let gateway = holder.filter(|holder| is_gateway(holder))?;
    Some(Warning::new(
        "gateway_runs",
        format!(
            "{gateway} is the gateway of this instance. From now on nobody can sign in there. \
             To go back: {program} instance set {} --hosted here",
            after.id
        ),
    ))
}

fn remove(
    home: &Home,
    context: &Context,
    name: &str,
    yes: bool,
    output: &Output,
) -> Result<(), Failure> {
    let found = home.instances().find(name);
    let (id, name) = match &found {
        Ok(instance) => (instance.id.clone(), instance.settings.name.as_str()),
        // The settings are damaged, but the id still names the instance.
        Err(refused) if refused.code == ErrorCode::DamagedFile => (InstanceId::parse(name)?, name),
        Err(refused) => return Err(refused.clone().into()),
    };
    let connection = found.as_ref().ok();
    let connection = connection.and_then(|instance| instance.connection.as_ref());
    if !yes {
        let question = match connection {
            Some(connection) => format!(
                "Remove the connection of '{name}' to the gateway {}? Nothing is removed there.",
                connection.url.authority()
            ),
            None => format!(
                "Remove '{name}' with its signing key, users and activity? Links for it can then no longer be made or checked here."
            ),
        };
        match Output::confirm(&question) {
            Some(true) => {}
            Some(false) => return Err(Failure::usage(format!("'{name}' was not removed."))),
            None => {
                return Err(Failure::usage(
                    "To remove an instance without being asked, give --yes.",
                )
                .about("yes"));
            }
        }
    }
    keys::unlock(home, context)?;
    users::once_free(|| home.remove(&id))?;
    output.print(
        format!("Removed '{name}' ({id})."),
        || json!({ "removed": id }),
    )?;
    if let Some(connection) = connection {
        output.note(&format!(
            "Its API key still works at the gateway {}. To revoke it, run this there: latchkey api-key revoke --instance {} {}",
            connection.url.authority(),
            connection.instance,
            connection.key_id
        ));
    }
    Ok(())
}

/// Returns the change of settings that the options describe.
fn change_of(arguments: &SettingsArguments) -> SettingsChange {
    SettingsChange {
        name: None,
        url: None,
        hosted: arguments.hosted,
        parameter: arguments.param.clone(),
        algorithm: arguments.algorithm,
        lifetime: arguments.lifetime,
        external_auth: arguments.external_auth,
        require_expiry: arguments.require_expiry,
        provisioning: arguments.provisioning,
        refresh_profile: arguments.refresh_profile,
        step: arguments.sign_in,
        session: arguments.session,
        session_ends_with_link: arguments.session_ends_with_link,
        session_idle: arguments.session_idle,
        return_to: list_of(&arguments.return_to),
        embed_in: list_of(&arguments.embed_in),
        retention_age: arguments.keep_activity,
        retained_refusals: arguments.keep_refusals,
        retained_links: arguments.keep_links,
        audiences: list_of(&arguments.audience),
        supersede: arguments.supersede,
        message: arguments.message.as_ref().map(|text| match text.as_str() {
            // An empty text is the default.
            "default" => String::new(),
            _ => text.clone(),
        }),
    }
}

/// Returns the values of a repeatable option, if it was given. `none` stands for an empty list.
fn list_of(values: &[String]) -> Option<Vec<String>> {
    let named = values.iter().filter(|value| *value != "none");
    (!values.is_empty()).then(|| named.cloned().collect())
}

/// Prints an instance as this computer knows it. The signing key of a connected instance is known to
/// its gateway alone.
fn show(home: &Home, instance: &Instance, output: &Output) -> Result<(), Failure> {
    let key = match instance.connection {
        Some(_) => SigningKey::NotKnown,
        None => SigningKey::Known,
    };
    show_with(home, instance, instance.into(), key, None, output)
}

/// Whether the record of an instance tells its signing key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SigningKey {
    Known,
    NotKnown,
}

/// Prints the current settings of an instance. If its gateway does not answer, prints what was read there last.
fn show_current(
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
            output.warn(&format!(
                "{} Here is what was read there last.",
                refused.message
            ));
            show(home, instance, output)
        }
        Err(refused) => Err(refused.into()),
    }
}

/// Prints an instance with a warning about the change.
fn show_with(
    home: &Home,
    instance: &Instance,
    record: InstanceRecord,
    key: SigningKey,
    about_change: Option<Warning>,
    output: &Output,
) -> Result<(), Failure> {
    let settings = &instance.settings;
    let yes = |on: bool| if on { "yes" } else { "no" };
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
    let policy = settings.policy;
    let backups = automatic_backups(home, instance);
    let backups_row = backups.map_or_else(String::new, |backups| {
        format!("\nbackups                 {backups}")
    });
    let typingmind = described_typingmind(instance.typingmind.as_ref());
    let text = format!(
        "name                    {}\n\
         id                      {}\n\
         url                     {}\n\
         hosted                  {hosted}\n\
         {connection}\
         param                   {}\n\
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
         message                 {}{backups_row}{typingmind}",
        settings.name.as_str(),
        instance.id,
        settings.url,
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

fn described(home: &Home, instance: &Instance, record: InstanceRecord) -> Value {
    let connection = instance.connection.as_ref();
    let typingmind = instance.typingmind.as_ref();
    value(&Described {
        record,
        backups: automatic_backups(home, instance),
        connection: connection.map(|connection| {
            json!({
                "url": connection.url,
                "instance": connection.instance,
                "fingerprint": connection.fingerprint,
                "key_id": connection.key_id,
            })
        }),
        typingmind: typingmind.map(|TypingMind { region, key }| {
            json!({
                "region": region,
                "key_set_at": key.as_ref().map(|key| latchkey_core::time::exact(key.set_at)),
            })
        }),
    })
}
