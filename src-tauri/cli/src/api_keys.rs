//! The command `latchkey api-key`.

use std::process::ExitCode;

use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::admin::ApiKeyRecord;
use latchkey_core::instance::api_key::NewApiKey;
use latchkey_core::instance::scope::Scope;
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_core::time;
use latchkey_store::home::require_here;
use serde_json::json;

use crate::args::ApiKeyCommand;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Output, value};
use crate::text::Text;
use crate::{keys, pairing};

pub(crate) fn api_keys(
    command: &ApiKeyCommand,
    context: &Context,
    output: &Output,
    now: Timestamp,
) -> Result<ExitCode, Failure> {
    let home = context.home()?;
    let by = AuditContext::new(Actor::CommandLine, now);
    match command {
        ApiKeyCommand::Make {
            name,
            scope,
            expires_in,
            url,
            of,
        } => {
            let instance = home.instances().find(&of.instance)?;
            keys::unlock_access(&home, &instance, context)?;
            let mut new = NewApiKey {
                lifetime: expires_in.unwrap_or(Lifetime::Never),
                ..NewApiKey::new(name)
            };
            if !scope.is_empty() {
                new.scopes.clone_from(scope);
            }
            if new.scopes.contains(&Scope::Admin) {
                require_here(&instance)?;
                return pairing::make(&home, &instance, &new, url.as_ref(), &by, output);
            }
            if url.is_some() {
                let message =
                    "--url is only for a key with the scope admin, which is for a connection.";
                return Err(Failure::usage(message).about("url"));
            }
            let (_, key) = home.make_api_key(&instance.id, &new, &by)?;
            output.print(key.expose(), || json!({ "key": key.expose() }))?;
            output.note(
                "The key is shown only once. Keep it where the other system keeps its secrets.",
            );
        }
        ApiKeyCommand::List { of } => {
            let instance = home.instances().find(&of.instance)?;
            keys::unlock_access(&home, &instance, context)?;
            let keys = home.api_keys(&instance, now)?;
            let mut text = Text::new();
            for key in &keys.api_keys {
                text.row(&[
                    &key.id,
                    &key.name,
                    &time::exact(key.created_at),
                    &Scope::names(&key.scopes),
                    &expiry(key, now),
                    &last_use(key),
                ]);
            }
            for pairing in &keys.pairings {
                text.row(&[
                    "waiting",
                    &pairing.name,
                    &time::exact(pairing.created_at),
                    &Scope::names(&pairing.scopes),
                    &format!("its code expires {}", time::exact(pairing.code_expires_at)),
                ]);
            }
            if keys.api_keys.is_empty() && keys.pairings.is_empty() {
                output.note("There is no API key.");
            }
            output.print(text, || value(&keys))?;
        }
        ApiKeyCommand::Revoke { key, of } => {
            let instance = home.instances().find(&of.instance)?;
            keys::unlock_access(&home, &instance, context)?;
            home.revoke_api_key(&instance.id, key, &by)?;
            output.print(format!("Revoked {key}."), || json!({ "revoked": key }))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn expiry(key: &ApiKeyRecord, now: Timestamp) -> String {
    match key.expires_at {
        None => "never expires".to_owned(),
        Some(at) if at <= now.as_second() => format!("expired {}", time::exact(at)),
        Some(at) => format!("expires {}", time::exact(at)),
    }
}

fn last_use(key: &ApiKeyRecord) -> String {
    match key.last_used_at {
        None => "never used".to_owned(),
        Some(at) => format!("last used {}", time::exact(at)),
    }
}
