//! The command `latchkey api-key`.

use std::process::ExitCode;

use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::instance::api_key::{ApiKey, NewApiKey};
use latchkey_core::instance::scope::Scope;
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_core::time;
use serde_json::{Value, json};

use crate::args::ApiKeyCommand;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::Text;

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
            of,
        } => {
            let id = home.instances().find(&of.instance)?.id;
            let mut new = NewApiKey {
                lifetime: expires_in.unwrap_or(Lifetime::Never),
                ..NewApiKey::new(name)
            };
            if !scope.is_empty() {
                new.scopes.clone_from(scope);
            }
            let (_, key) = home.make_api_key(&id, &new, &by)?;
            output.print(key.expose(), || json!({ "key": key.expose() }))?;
            output.note(
                "The key is shown only once. Keep it where the other system keeps its secrets.",
            );
        }
        ApiKeyCommand::List { of } => {
            let instance = home.instances().find(&of.instance)?;
            let mut text = Text::new();
            for key in &instance.api_keys {
                text.row(&[
                    &key.id,
                    &key.name,
                    &time::exact(key.created_at),
                    &Scope::names(&key.scopes),
                    &expiry(key, now),
                ]);
            }
            let keys: Vec<Value> = instance.api_keys.iter().map(in_json).collect();
            if keys.is_empty() {
                output.note("There is no API key.");
            }
            output.print(text, || json!({ "api_keys": keys }))?;
        }
        ApiKeyCommand::Revoke { key, of } => {
            let id = home.instances().find(&of.instance)?.id;
            home.revoke_api_key(&id, key, &by)?;
            output.print(format!("Revoked {key}."), || json!({ "revoked": key }))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn expiry(key: &ApiKey, now: Timestamp) -> String {
    match key.expires_at.map(time::exact) {
        None => "never expires".to_owned(),
        Some(at) if key.is_expired(now) => format!("expired {at}"),
        Some(at) => format!("expires {at}"),
    }
}

fn in_json(key: &ApiKey) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "created_at": time::exact(key.created_at),
        "scopes": key.scopes,
        "expires_at": key.expires_at.map(time::exact),
    })
}
