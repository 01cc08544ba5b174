//! The command `latchkey link`.

use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::admin::LinkRequest;
use latchkey_core::error::Warning;
use latchkey_core::inspect::{inspect, preview};
use latchkey_core::instance::Instance;
use latchkey_core::link::compose::{LinkSpec, Target, compose};
use latchkey_core::link::qr::Qr;
use latchkey_core::link::{BaseUrl, Parameter};
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::{ExistingId, NewUser, Payload};
use latchkey_core::protocol::text;
use latchkey_core::protocol::uses::Uses;
use latchkey_core::secret::{Secret, SigningKey};
use latchkey_core::{Error, ErrorCode, time};
use latchkey_store::home::{Home, is_gateway};
use serde_json::{Value, json};

use crate::args::{LinkArguments, Shape};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Output, value};
use crate::text::Text;
use crate::{input, keys};

pub(crate) fn link(
    arguments: &LinkArguments,
    context: &Context,
    output: &Output,
    now: Timestamp,
) -> Result<ExitCode, Failure> {
    let picture = arguments.qr.as_deref().map(picture_format).transpose()?;
    let payload = payload(arguments, context)?;
    let by = AuditContext::new(Actor::CommandLine, now);
    let made = match signed_by_gateway(arguments, context)? {
        Some((home, instance)) => made_there(&home, &instance, payload, arguments, &by)?,
        None => made_here(payload, arguments, context, &by)?,
    };
    let qr = Qr::for_url(&made.url);

    if let (Some(path), Some(format)) = (&arguments.qr, picture) {
        let qr = qr.as_ref().map_err(Error::clone)?;
        let bytes = match format {
            Picture::Png => qr.png()?,
            Picture::Svg => qr.svg().into_bytes(),
        };
        context
            .write(path, &bytes)
            .map_err(|failure| failure.about("qr"))?;
    }
    let mut warnings = made.warnings;
    let about_qr = arguments.qr.is_some() || arguments.shape == Shape::Qr;
    if let (Ok(qr), true) = (&qr, about_qr) {
        warnings.extend(qr.warnings(&made.opens_at));
    }
    for warning in &warnings {
        output.warn(&warning.message);
    }
    let text = match arguments.shape {
        Shape::Url => Text::from(made.url.as_str()),
        Shape::Code => Text::from(made.code.expose()),
        Shape::Widget => Text::from(made.widget.as_str()),
        Shape::Qr => {
            let qr = qr.as_ref().map_err(Error::clone)?;
            let mut text = Text::new();
            text.own(&qr.terminal_text(Output::is_terminal()));
            text
        }
    };
    output.print(text, || {
        json!({
            "link": made.url,
            "code": made.code.expose(),
            "widget": made.widget,
            "claims": made.claims,
            "expires_at": made.expires_at,
            "qr": qr.as_ref().ok().map(|qr| json!({
                "version": qr.version(),
                "modules": qr.modules(),
                "level": qr.level(),
            })),
            "warnings": value(&warnings),
        })
    })?;
    Ok(ExitCode::SUCCESS)
}

/// A link that was made.
struct Made {
    url: String,
    code: Secret,
    widget: String,
    claims: Value,
    expires_at: Option<String>,
    warnings: Vec<Warning>,
    /// URL at which it opens, without the code.
    opens_at: BaseUrl,
}

/// Makes a link with a key that is here.
fn made_here(
    payload: Payload,
    arguments: &LinkArguments,
    context: &Context,
    by: &AuditContext,
) -> Result<Made, Failure> {
    let Signer {
        target,
        lifetime,
        key,
        instance,
    } = signer(arguments, context, by.at)?;
    let composed = compose(&target, &key, spec(payload, arguments, lifetime)?, by.at)?;
    let warnings = if let Some((home, instance)) = &instance {
        home.note_link(instance, &composed.claims, by)?;
        let settings = &instance.settings;
        let own = keys::own_key(home, instance, context);
        let judging = own.as_ref().unwrap_or(&key);
        let mut warnings = preview::warnings(&composed, settings, &key);
        warnings.extend(preview::refusal(&composed, settings, judging, by.at));
        warnings
    } else {
        let mut warnings = composed.warnings(&target, &key);
        warnings.extend(composed.single_use_elsewhere(&target.url));
        warnings
    };
    Ok(Made {
        url: composed.link.url(),
        claims: Value::Object(composed.claims.members()),
        expires_at: composed.claims.registered.expires_at.map(time::exact),
        code: Secret::new(composed.code.expose().to_owned()),
        widget: composed.widget,
        warnings,
        opens_at: target.url,
    })
}

/// Returns the instance that the arguments name, if its gateway must sign: one on another computer,
/// or `latchkey serve` here if it alone has the secret.
fn signed_by_gateway(
    arguments: &LinkArguments,
    context: &Context,
) -> Result<Option<(Home, Instance)>, Failure> {
    let Some(name) = &arguments.instance else {
        return Ok(None);
    };
    let home = context.home()?;
    let instance = home.instances().find(name)?;
    if instance.connection.is_none() {
        let is_secret_known = instance.key.is_some()
            || arguments.secret.secret_file.is_some()
            || keys::in_environment();
        let holder = home.directory_holder(&instance);
        let is_served = holder.is_some_and(|holder| is_gateway(&holder));
        return Ok((!is_secret_known && is_served).then_some((home, instance)));
    }
    keys::unlock_access(&home, &instance, context)?;
    keys::refuse_given(&arguments.secret, &instance)?;
    Ok(Some((home, instance)))
}

/// Has the gateway of an instance make and record a link.
fn made_there(
    home: &Home,
    instance: &Instance,
    payload: Payload,
    arguments: &LinkArguments,
    by: &AuditContext,
) -> Result<Made, Failure> {
    // A key for links only cannot read the settings. Then those count that were read before.
    let settings = match home.refresh(&instance.id, by) {
        Ok((current, _)) => current.settings,
        Err(refused) if refused.code == ErrorCode::ScopeMissing => instance.settings.clone(),
        Err(refused) => return Err(refused.into()),
    };
    let spec = spec(payload, arguments, settings.lifetime)?;
    let link = home.sign_link(instance, &LinkRequest::from(&spec), by)?;
    let mut warnings = link.warnings;
    if instance.connection.is_some() {
        warnings.extend(refusal_there(home, instance, &link.code)?);
    }
    let claims = inspect(&link.code, &[], settings.code_rules(), by.at);
    Ok(Made {
        url: link.url,
        claims: claims.shown.claims_json.unwrap_or_default(),
        code: Secret::new(link.code),
        widget: link.widget,
        expires_at: link.expires_at,
        warnings,
        opens_at: settings.url,
    })
}

/// Returns the warning about a new link that the gateway would refuse now, such as one for a user
/// whom it does not know.
fn refusal_there(home: &Home, instance: &Instance, code: &str) -> Result<Option<Warning>, Failure> {
    let Some(outcome) = home.inspect_there(instance, code)?.dry_run else {
        return Ok(None);
    };
    let signs_in = ["signed_in", "provisioned"].contains(&&*outcome.verdict);
    Ok((!signs_in).then_some(Warning {
        code: outcome.verdict,
        message: outcome.message,
    }))
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
    if arguments.single_use {
        spec.uses = Uses::ONCE;
    }
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

fn signer(arguments: &LinkArguments, context: &Context, now: Timestamp) -> Result<Signer, Failure> {
    if let Some(name) = &arguments.instance {
        let home = context.home()?;
        let instance = home.instances().find(name)?;
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
    Failure::usage(format!(
        "'{}' keeps no secret. Give it by --secret-file, LATCHKEY_SECRET_FILE or LATCHKEY_SECRET, or let it be \
         kept: latchkey instance set {} --secret-file FILE, or --generate-secret.",
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

/// Parses the values of `--metadata name=value`.
pub(crate) fn metadata_fields(fields: &[String]) -> Result<Metadata, Failure> {
    let fields: Vec<_> = fields
        .iter()
        .map(|field| {
            field.split_once('=').ok_or_else(|| {
                Failure::usage(format!("--metadata {field}: write it as name=value."))
                    .about("metadata")
            })
        })
        .collect::<Result<_, _>>()?;
    Ok(Metadata::from_fields(fields, "metadata")?)
}

#[derive(Clone, Copy)]
enum Picture {
    Png,
    Svg,
}

fn picture_format(path: &Path) -> Result<Picture, Failure> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("png") => Ok(Picture::Png),
        Some("svg") => Ok(Picture::Svg),
        _ => Err(
            Failure::usage("The name of the QR code's file must end in .png or .svg.").about("qr"),
        ),
    }
}
