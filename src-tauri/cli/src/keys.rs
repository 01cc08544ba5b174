//! Where the secret and the passphrase come from; never from an argument.

use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;
use latchkey_core::activity::{Actor, Occasion};
use latchkey_core::code::Algorithm;
use latchkey_core::diagnosis::OtherInstance;
use latchkey_core::home::{Home, SecretSource};
use latchkey_core::instance::Instance;
use latchkey_core::keys::{KeysState, MIN_PASSPHRASE_CHARS};
use latchkey_core::secret::{Secret, SecretEncoding, SigningKey};
use latchkey_core::{Error, ErrorCode, text};
use serde_json::json;

use crate::args::SecretArguments;
use crate::context::{Context, variable};
use crate::failure::Failure;
use crate::input;
use crate::output::Output;

/// `latchkey secret generate`.
pub(crate) fn generate(algorithm: Algorithm, output: &Output) -> Result<ExitCode, Failure> {
    let key = SigningKey::generate(algorithm)?;
    let secret = key.secret().expose();
    output.print(
        secret,
        || json!({ "secret": secret, "algorithm": algorithm }),
    )?;
    Ok(ExitCode::SUCCESS)
}

/// `latchkey secret start-anew`.
pub(crate) fn start_anew(
    context: &Context,
    yes: bool,
    output: &Output,
    now: Timestamp,
) -> Result<ExitCode, Failure> {
    let home = context.home()?;
    let names = |instances: &[Instance]| {
        let names = instances.iter().map(|one| one.settings.name.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    if !yes {
        let lost = names(&home.sealed()?);
        let question = format!(
            "Give up the signing keys of the sealed file? These instances need their secret again: {lost}."
        );
        match Output::confirm(&question) {
            Some(true) => {}
            Some(false) => return Err(Failure::Usage("Nothing was changed.".into())),
            None => {
                return Err(Failure::Usage(
                    "Say --yes to start with new keys without being asked.".into(),
                ));
            }
        }
    }
    let prompt = format!(
        "Choose the passphrase of the new sealed file (at least {MIN_PASSPHRASE_CHARS} characters)"
    );
    let by = Occasion::new(Actor::CommandLine, now);
    let changed = home.start_with_new_keys(&passphrase(&prompt, context)?, &by)?;
    let ids: Vec<&str> = changed.iter().map(|one| one.id.as_str()).collect();
    output.print(
        format!(
            "Started with new keys. These instances need their secret again: {}.",
            names(&changed)
        ),
        || json!({ "without_secret": ids }),
    )?;
    Ok(ExitCode::SUCCESS)
}

/// A secret that was given for this call.
pub(crate) struct Given {
    secret: Secret,
    encoding: SecretEncoding,
}

impl Given {
    pub(crate) fn key(&self) -> Result<SigningKey, Failure> {
        Ok(SigningKey::from_encoded(&self.secret, self.encoding)?)
    }
}

impl From<Given> for SecretSource {
    fn from(Given { secret, encoding }: Given) -> Self {
        Self::Paste { secret, encoding }
    }
}

/// Returns the secret that was given for this call: by file or by environment.
pub(crate) fn given(
    arguments: &SecretArguments,
    context: &Context,
) -> Result<Option<Given>, Failure> {
    let secret = match arguments.file() {
        Some(path) => Some(read_secret(&path, context)?),
        None => variable("LATCHKEY_SECRET").map(Secret::new),
    };
    if secret.is_none() && arguments.secret_encoding.is_some() {
        return Err(Failure::Usage(
            "--secret-encoding says how a secret is read, and none is given. Give one by --secret-file, \
             LATCHKEY_SECRET_FILE or LATCHKEY_SECRET; an instance keeps the encoding of its own."
                .into(),
        ));
    }
    let encoding = arguments.secret_encoding.unwrap_or_default();
    Ok(secret.map(|secret| Given { secret, encoding }))
}

/// The key to sign or verify with: the one that was given, else the instance's own, if there is
/// either.
pub(crate) fn signing_key(
    arguments: &SecretArguments,
    context: &Context,
    instance: Option<(&Home, &Instance)>,
) -> Result<Option<SigningKey>, Failure> {
    if let Some(given) = given(arguments, context)? {
        let key = given.key()?;
        if let Some((_, instance)) = instance {
            key.require_strength(&instance.settings.url)?;
        }
        return Ok(Some(key));
    }
    match instance {
        Some((home, instance)) if instance.key.is_some() => {
            unlock(home, context)?;
            Ok(Some(home.signing_key(instance)?))
        }
        _ => Ok(None),
    }
}

/// Returns the instances besides one, for which a code may have been made. Where the keys cannot be
/// read without asking somebody, there are none.
pub(crate) fn other_instances(
    context: &Context,
    known: Option<(&Home, &Instance)>,
) -> Vec<OtherInstance> {
    if let Some((home, instance)) = known {
        return home.other_instances(Some(&instance.id)).unwrap_or_default();
    }
    // Looking at a code makes no data folder, and asks for no passphrase.
    let home = context.existing_home().and_then(|home| {
        let locked = matches!(home.keys().state(), KeysState::SealedFileLocked);
        let has_passphrase = ["LATCHKEY_PASSPHRASE_FILE", "LATCHKEY_PASSPHRASE"]
            .iter()
            .any(|name| variable(name).is_some());
        if locked && has_passphrase {
            unlock(&home, context).ok()?;
        }
        home.other_instances(None).ok()
    });
    home.unwrap_or_default()
}

/// Opens the place where keys are kept, if it is closed and there is a passphrase to be had.
pub(crate) fn unlock(home: &Home, context: &Context) -> Result<(), Failure> {
    if matches!(home.keys().state(), KeysState::SealedFileLocked) {
        home.keys()
            .unlock(&passphrase("Passphrase of the sealed file", context)?)?;
    }
    Ok(())
}

/// The same, and makes the sealed file where there is neither it nor a keychain.
pub(crate) fn unlock_or_create(home: &Home, context: &Context) -> Result<(), Failure> {
    let KeysState::SealedFileNew(reason) = home.keys().state() else {
        return unlock(home, context);
    };
    let prompt = format!(
        "{reason} Keys are kept in a sealed file. Choose its passphrase (at least {MIN_PASSPHRASE_CHARS} characters)"
    );
    home.keys().create(&passphrase(&prompt, context)?)?;
    Ok(())
}

fn passphrase(prompt: &str, context: &Context) -> Result<Secret, Failure> {
    if let Some(file) = variable("LATCHKEY_PASSPHRASE_FILE") {
        let text = read_secret(Path::new(&file), context)?;
        return Ok(Secret::new(
            text.expose().trim_end_matches(['\r', '\n']).to_owned(),
        ));
    }
    if let Some(passphrase) = variable("LATCHKEY_PASSPHRASE") {
        return Ok(Secret::new(passphrase));
    }
    let asked = Output::ask_passphrase(prompt).ok_or_else(|| {
        Failure::Usage(
            "The signing keys are in a sealed file. Give its passphrase by LATCHKEY_PASSPHRASE_FILE or LATCHKEY_PASSPHRASE.".into(),
        )
    })?;
    asked.map(Secret::new).map_err(|cause| {
        Failure::Refused(
            Error::new(
                ErrorCode::Storage,
                "The passphrase could not be read from the terminal.",
            )
            .because(cause),
        )
    })
}

fn read_secret(path: &Path, context: &Context) -> Result<Secret, Failure> {
    let text = text::decode(context.read(path, input::SECRET)?);
    text.map(Secret::new).ok_or_else(|| {
        Failure::Refused(
            Error::new(
                ErrorCode::InvalidSecret,
                "The secret file is not a text. Write the secret as text, base64 or hexadecimal.",
            )
            .about("secret"),
        )
    })
}
