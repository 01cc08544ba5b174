//! The command `latchkey instance`.

mod described;

use std::process::ExitCode;

use jiff::Timestamp;
use latchkey_core::ErrorCode;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::error::Warning;
use latchkey_core::instance::{Hosted, Instance, InstanceId, Name, Settings, SettingsChange};
use latchkey_core::link::BaseUrl;
use latchkey_core::secret::{KeyRotation, Secret};
use latchkey_store::home::{Home, SecretSource, is_gateway, once_free};
use latchkey_store::instances::Listing;
use serde_json::json;

use self::described::{SigningKey, described, show, show_current, show_with};
use crate::args::{
    AddArguments, InstanceCommand, SetArguments, SettingsArguments, TypingMindArguments,
};
use crate::connect;
use crate::context::Context;
use crate::failure::Failure;
use crate::keys::{self, Environment};
use crate::output::{Output, value};
use crate::text::Text;

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
            let connected = connect::connect(&home, context, &arguments, output, &by)?;
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
             LATCHKEY_SECRET_FILE or LATCHKEY_SECRET, or give --no-secret.",
        )
        .about("secret-file"));
    };
    let instance = match secret {
        Some(secret) => {
            Instance::require_known_secret(&settings.name, settings.hosted, &secret)?;
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
    if let Some(source) = &replacement {
        let hosted = arguments.settings.hosted.unwrap_or(before.settings.hosted);
        Instance::require_known_secret(&before.settings.name, hosted, source)?;
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
    once_free(|| home.remove(&id))?;
    output.print(
        format!("Removed '{name}' ({id})."),
        || json!({ "removed": id }),
    )?;
    if let Some(connection) = connection {
        output.note(&connect::left_key(connection));
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
