//! The command `latchkey link`.

pub(crate) mod gateway;

use std::process::ExitCode;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::admin::LinkRequest;
use latchkey_core::directory::Directory;
use latchkey_core::inspect::outline::Outline;
use latchkey_core::inspect::preview;
use latchkey_core::instance::{Hosted, Instance};
use latchkey_core::ledger::{self, TakenLink, not_entered};
use latchkey_core::link::compose::{self, LinkSpec, Target};
use latchkey_core::link::message::person_name;
use latchkey_core::link::short_code::ShortCode;
use latchkey_core::link::{BaseUrl, Parameter};
use latchkey_core::protocol::account_end::AccountEnd;
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_core::protocol::link_id;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::{ExistingId, NewUser, Payload};
use latchkey_core::protocol::text;
use latchkey_core::protocol::uses::Uses;
use latchkey_core::secret::SigningKey;
use latchkey_core::{Error, time};
use latchkey_store::Wait as _;
use latchkey_store::home::Home;

use crate::args::{LinkArguments, Shape};
use crate::context::Context;
use crate::failure::Failure;
use crate::made_link::MadeLink;
use crate::message::{message, message_without_instance};
use crate::metadata::metadata_fields;
use crate::output::Output;
use crate::{input, keys, users};

pub(crate) fn link(
    arguments: &LinkArguments,
    context: &Context,
    output: &Output,
    now: Timestamp,
) -> Result<ExitCode, Failure> {
    arguments.form.check(context)?;
    if arguments.short {
        arguments.form.require_url()?;
    }
    let payload = payload(arguments, context)?;
    let by = AuditContext::new(Actor::CommandLine, now);
    let named = arguments.instance.as_deref();
    let named = named.map(|name| context.instance(Some(name))).transpose()?;
    let link = match named {
        Some((home, instance)) if gateway::signs(&home, &instance, &arguments.secret, context)? => {
            made_there(&home, &instance, payload, arguments, context, &by)?
        }
        named => made_here(payload, named, arguments, context, &by)?,
    };
    link.print(&arguments.form, context, output)?;
    Ok(ExitCode::SUCCESS)
}

/// Makes a link with a key that is here. If an instance is named, enters the link in its ledger.
fn made_here(
    payload: Payload,
    named: Option<(Home, Instance)>,
    arguments: &LinkArguments,
    context: &Context,
    by: &AuditContext,
) -> Result<MadeLink, Failure> {
    let Signer {
        target,
        lifetime,
        key,
        instance,
    } = signer(named, arguments, context, by.at)?;
    let composed = compose::compose(&target, &key, spec(payload, arguments, lifetime)?, by.at)?;
    let short = arguments.short.then(ShortCode::new).transpose()?;
    let mut link = MadeLink::new(composed.clone(), target.url.clone());
    link.short_url = short.as_ref().map(|code| code.url(&target.url));
    link.require_form(&arguments.form)?;
    if let Some((home, instance)) = &instance {
        let settings = &instance.settings;
        let own = keys::own_keys(home, instance, context, by.at);
        let own = own.unwrap_or_else(|| key.clone().into());
        let usable = own.usable(by.at);
        link.warnings = preview::warnings(&composed, settings, &key);
        link.warnings.extend(preview::outlives_key(&composed, &own));
        let id = composed.claims.registered.id.as_deref().unwrap_or_default();
        let mut signers = usable.iter();
        let signer = signers.find(|own| link_id::is_made_with(id, own));
        let key_id = signer.and_then(|own| own.id());
        let taken = TakenLink {
            given: arguments.form.given(),
            note: note(arguments)?,
            supersedes: arguments.supersede,
            short: short.as_ref().map(ShortCode::hash),
            ..TakenLink::new(composed.claims.clone(), key_id.map(str::to_owned))
        };
        let taken = settings.giving_out(taken)?;
        link.warnings.extend(taken.replaces_early(by.at));
        let ledger = entered(home, instance, taken, context, by)?;
        // After the link is entered, because its order after a removal counts.
        let outcome = preview::outcome_warning(&composed, settings, &usable, &*ledger, by.at);
        link.warnings.extend(outcome.wait());
        if arguments.form.shape == Shape::Message {
            let name = person_name(&composed.claims.payload, &*ledger).wait();
            let (form, url) = (&arguments.form, link.shown_url());
            link.message = message(form, instance, url, &composed, Some(&name), Some(0));
        }
    } else {
        link.message = message_without_instance(&arguments.form, &target.url, &composed);
        link.warnings = composed.warnings(&target, &key);
        link.warnings
            .extend(composed.single_use_elsewhere(&target.url));
        link.warnings
            .extend(composed.account_end_elsewhere(&target.url));
    }
    Ok(link)
}

/// Enters a link in the ledger of an instance, before it is given out. Returns the directory.
fn entered(
    home: &Home,
    instance: &Instance,
    taken: TakenLink,
    context: &Context,
    by: &AuditContext,
) -> Result<Arc<dyn Directory>, Failure> {
    let entered = users::ledger(home, instance, context, by.at).and_then(|directory| {
        directory.take_link(taken, by).wait()?;
        Ok(directory)
    });
    entered.map_err(|failure| match failure {
        Failure::Refused(refused) => Failure::Refused(not_entered(refused)),
        other => other,
    })
}

fn note(arguments: &LinkArguments) -> Result<Option<String>, Failure> {
    let note = arguments.note.as_deref();
    let note = note.map(|note| ledger::note(note, "note")).transpose()?;
    Ok(note.flatten())
}

/// Has the gateway of an instance make a link and enter it in the ledger.
fn made_there(
    home: &Home,
    instance: &Instance,
    payload: Payload,
    arguments: &LinkArguments,
    context: &Context,
    by: &AuditContext,
) -> Result<MadeLink, Failure> {
    let there = gateway::instance_there(home, instance, by)?;
    let spec = spec(payload, arguments, there.settings.lifetime)?;
    if arguments.form.has_qr_code() && !arguments.short {
        // The gateway enters the link, and its older links may stop, so the code must fit before.
        let claims = compose::claims(spec.clone(), by.at)?;
        Outline::new(&there.settings, claims, by.at)?.qr?;
    }
    let request = LinkRequest {
        note: note(arguments)?,
        supersede: arguments.supersede,
        short: arguments.short,
        given: Some(arguments.form.given()),
        // The gateway knows the default.
        expires_in: arguments.expires_in.map(|lifetime| lifetime.to_string()),
        ..LinkRequest::from(&spec)
    };
    let link = home.sign_link(&there, &request, by)?;
    let mut made = gateway::made(link, Some(0), &arguments.form, home, &there, context, by.at)?;
    if there.connection.is_some() {
        made.warn(home.refusal_there(&there, made.code.expose()));
    }
    Ok(made)
}

fn spec(
    payload: Payload,
    arguments: &LinkArguments,
    lifetime: Lifetime,
) -> Result<LinkSpec, Failure> {
    let mut spec = LinkSpec::new(payload, arguments.expires_in.unwrap_or(lifetime));
    spec.not_before = arguments
        .not_before
        .as_deref()
        .map(|text| time::parse(text, &TimeZone::system(), "not_before"))
        .transpose()?;
    spec.uses = if arguments.single_use {
        Uses::ONCE
    } else {
        Uses::parse(arguments.uses, "uses")?
    };
    spec.account_end = arguments
        .account_ends
        .as_deref()
        .map(|text| AccountEnd::parse(text, &TimeZone::system(), "account_ends"))
        .transpose()?;
    spec.issuer.clone_from(&arguments.issuer);
    spec.subject.clone_from(&arguments.subject);
    spec.audience.clone_from(&arguments.audience);
    Ok(spec)
}

/// Key and settings for signing a link.
struct Signer {
    target: Target,
    lifetime: Lifetime,
    key: SigningKey,
    instance: Option<(Home, Instance)>,
}

fn signer(
    named: Option<(Home, Instance)>,
    arguments: &LinkArguments,
    context: &Context,
    now: Timestamp,
) -> Result<Signer, Failure> {
    if let Some((home, instance)) = named {
        let known = Some((&home, &instance));
        let keys = keys::key_set(&arguments.secret, context, known, now)?;
        return Ok(Signer {
            target: instance.settings.target(),
            lifetime: instance.settings.lifetime,
            key: keys
                .ok_or_else(|| no_secret_of(&instance))?
                .active()
                .clone(),
            instance: Some((home, instance)),
        });
    }
    let target = Target {
        url: BaseUrl::typed(arguments.url.as_deref().unwrap_or_default())?,
        parameter: match &arguments.protocol.param {
            Some(name) => Parameter::parse(name)?,
            None => Parameter::default(),
        },
        algorithm: arguments.protocol.algorithm.unwrap_or_default(),
    };
    let keys = keys::key_set(&arguments.secret, context, None, now)?.ok_or_else(no_secret)?;
    let key = keys.active().clone();
    key.require_strength(&target.url)?;
    Ok(Signer {
        target,
        lifetime: Lifetime::default(),
        key,
        instance: None,
    })
}

fn no_secret() -> Failure {
    Failure::usage(
        "There is no secret to sign with. Give it by --secret-file, LATCHKEY_SECRET_FILE or LATCHKEY_SECRET, \
         or name an instance that has one.",
    )
    .about("secret-file")
}

/// Returns the error for an instance without a secret, if none was given either.
pub(crate) fn no_secret_of(instance: &Instance) -> Failure {
    // The secret of an instance that is hosted elsewhere must also be entered there.
    let or_generated = match instance.settings.hosted {
        Hosted::Elsewhere => "",
        Hosted::Here | Hosted::Gateway => ", or --generate-secret",
    };
    Failure::usage(format!(
        "'{}' keeps no secret. Give it by --secret-file, LATCHKEY_SECRET_FILE or LATCHKEY_SECRET, or let it be \
         kept: latchkey instance set {} --secret-file FILE{or_generated}.",
        instance.settings.name.as_str(),
        instance.id
    ))
    .about("secret-file")
}

fn payload(arguments: &LinkArguments, context: &Context) -> Result<Payload, Failure> {
    if let Some(email) = &arguments.email {
        return Ok(Payload::Email(Email::parse(email, "email")?));
    }
    if let Some(id) = &arguments.id {
        return Ok(Payload::Id(ExistingId::parse(id, arguments.id_as_text)?));
    }
    let metadata = if let Some(path) = &arguments.metadata_json {
        let bytes = context
            .read(path, input::METADATA)
            .map_err(|failure| failure.about("metadata-json"))?;
        let text = text::decode(bytes)
            .ok_or_else(|| Error::member("metadata", "The metadata is not a text in UTF-8."))?;
        Metadata::from_json(&text, "metadata")?
    } else {
        metadata_fields(&arguments.metadata)?
    };
    let id = arguments.user_id.as_deref().unwrap_or_default();
    let user = NewUser::parse(id, arguments.user_email.as_deref(), metadata)?;
    Ok(Payload::User(user))
}
