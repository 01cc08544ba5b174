//! The command `latchkey keys`.

use std::process::ExitCode;

use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::admin::{KeyState, RetirementRequest, SigningKeyRecord, SigningKeys};
use latchkey_core::instance::{Hosted, Instance};
use latchkey_core::secret::{KeyOrigin, KeyRotation, RetireAfter, SecretSource};
use latchkey_core::time;
use latchkey_store::Wait as _;
use latchkey_store::home::Home;

use crate::args::{RetireArguments, RotateArguments, SigningKeyCommand};
use crate::context::Context;
use crate::failure::Failure;
use crate::keys::{self, Environment};
use crate::output::{Output, value};
use crate::text::Text;
use crate::users;

pub(crate) fn signing_keys(
    command: &SigningKeyCommand,
    context: &Context,
    output: &Output,
    now: Timestamp,
) -> Result<ExitCode, Failure> {
    let home = context.home()?;
    let by = AuditContext::new(Actor::CommandLine, now);
    match command {
        SigningKeyCommand::List { of } => {
            let instance = home.instances().find(&of.instance)?;
            list(&home, &instance, context, output, now)?;
        }
        SigningKeyCommand::Rotate(arguments) => rotate(arguments, &home, context, output, &by)?,
        SigningKeyCommand::Retire(arguments) => retire(arguments, &home, context, output, &by)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn rotate(
    arguments: &RotateArguments,
    home: &Home,
    context: &Context,
    output: &Output,
    by: &AuditContext,
) -> Result<(), Failure> {
    let instance = home.instances().find(&arguments.of.instance)?;
    instance.require_key_to_rotate()?;
    let given = keys::given(&arguments.secret, Environment::IsIgnored, context)?;
    let rotation = KeyRotation {
        source: given.map_or(SecretSource::Generate, SecretSource::from),
        retire_after: arguments.retire_after,
    };
    let settings = &instance.settings;
    Instance::require_known_secret(&settings.name, settings.hosted, &rotation.source)?;
    if instance.connection.is_some() {
        keys::unlock(home, context)?;
    } else {
        keys::unlock_or_create(home, context)?;
    }
    let rotated = home.rotate(&instance.id, rotation, by)?;
    list_changed(home, &rotated, context, output, by.at)?;
    if rotated.settings.hosted == Hosted::Elsewhere {
        output.note(&format!(
            "Set the new secret at {}, too. It decides how long links of the old one work.",
            rotated.settings.url.authority()
        ));
    }
    Ok(())
}

fn retire(
    arguments: &RetireArguments,
    home: &Home,
    context: &Context,
    output: &Output,
    by: &AuditContext,
) -> Result<(), Failure> {
    let instance = home.instances().find(&arguments.of.instance)?;
    keys::unlock(home, context)?;
    let request = RetirementRequest {
        leaked: arguments.leaked,
        retire_after: arguments.retire_after,
        without_secret: false,
    };
    let request = request.require_possible()?;
    // Only for the words: the keys are changed also if links cannot be counted.
    let before = read(home, &instance, context, by.at).ok();
    let said = what_changes(arguments, before.as_ref());
    if let Some(revocation) = request.of_retired(&arguments.key, &instance, by.at) {
        let directory = users::directory(home, &instance, context)?;
        revocation.revoke(&instance, &*directory, by).wait()?;
        // The list opens it again.
        drop(directory);
        output.note(&said);
        return list_changed(home, &instance, context, output, by.at);
    }
    let changed = home.retire_key(&instance.id, &arguments.key, request, by)?;
    output.note(&said);
    list_changed(home, &changed, context, output, by.at)
}

/// Says what retiring a key changes for its links. `before` are the keys before.
fn what_changes(arguments: &RetireArguments, before: Option<&SigningKeys>) -> String {
    let key = &arguments.key;
    let record =
        before.and_then(|keys| keys.signing_keys.iter().find(|known| known.key.id == *key));
    let links = record.and_then(|record| record.links);
    let working = match links.map(|links| links.count) {
        None => String::new(),
        Some(0) => " None of them worked.".to_owned(),
        Some(1) => " 1 of them worked until now.".to_owned(),
        Some(count) => format!(" {count} of them worked until now."),
    };
    if arguments.leaked {
        return format!(
            "The key {key} is given up. All links that it has signed are revoked, and their short links.{working}"
        );
    }
    match arguments.retire_after {
        None | Some(RetireAfter::Now) => format!(
            "The key {key} is retired. Links that it has signed are refused, and only their short links go on.{working}"
        ),
        Some(after @ RetireAfter::Secs(_)) => {
            format!("The key {key} retires in {after}. Its links work until then.")
        }
    }
}

/// Prints the signing keys of an instance, and how many links depend on each.
fn list(
    home: &Home,
    instance: &Instance,
    context: &Context,
    output: &Output,
    now: Timestamp,
) -> Result<(), Failure> {
    print(&read(home, instance, context, now)?, output)
}

/// Prints the signing keys after a change, also if the links that depend on them cannot be counted.
fn list_changed(
    home: &Home,
    changed: &Instance,
    context: &Context,
    output: &Output,
    now: Timestamp,
) -> Result<(), Failure> {
    let keys = match read(home, changed, context, now) {
        Ok(keys) => keys,
        Err(failure) => {
            let mut refused = failure.error();
            if changed.connection.is_some() {
                refused.message = format!(
                    "The keys are changed there, but they cannot be listed. {}",
                    refused.message
                );
                return Err(refused.into());
            }
            output.warn(&format!(
                "The keys are changed, but the links that depend on them cannot be counted. {}",
                refused.message
            ));
            SigningKeys::new(changed, now)
        }
    };
    print(&keys, output)
}

/// Returns the signing keys of an instance, and how many links depend on each.
fn read(
    home: &Home,
    instance: &Instance,
    context: &Context,
    now: Timestamp,
) -> Result<SigningKeys, Failure> {
    let directory = match instance.settings.hosted {
        Hosted::Here => Some(users::directory(home, instance, context)?),
        Hosted::Elsewhere | Hosted::Gateway => {
            keys::unlock_access(home, instance, context)?;
            None
        }
    };
    Ok(home.signing_keys(instance, directory.as_deref(), now)?)
}

fn print(keys: &SigningKeys, output: &Output) -> Result<(), Failure> {
    let mut text = Text::new();
    for SigningKeyRecord {
        key,
        state,
        retires_at,
        links,
    } in &keys.signing_keys
    {
        if let Some(warning) = &key.warning {
            output.warn(&warning.message);
        }
        let state = match (state, retires_at) {
            (KeyState::Active, _) => "active".to_owned(),
            (KeyState::Retiring, Some(at)) => format!("retires {}", time::exact(*at)),
            (KeyState::Retiring, None) => "retires".to_owned(),
        };
        let origin = match key.origin {
            KeyOrigin::Generated => "generated",
            KeyOrigin::Pasted => "pasted",
        };
        let set = format!("{origin} {}", time::exact(key.set_at));
        let links = links.map(|links| links.words());
        let mut row = vec![key.id.as_str(), &state, &set];
        row.extend(links.as_deref());
        text.row(&row);
    }
    if keys.signing_keys.is_empty() {
        output.note("There is no signing key.");
    }
    output.print(text, || value(keys))
}
