//! Sources of secrets and passphrases. An argument is never one of them.

use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::inspect::diagnosis::OtherInstance;
use latchkey_core::instance::Instance;
use latchkey_core::protocol::code::Algorithm;
use latchkey_core::protocol::text;
use latchkey_core::secret::{KeySet, Secret, SecretEncoding, SigningKey};
use latchkey_core::{Error, ErrorCode};
use latchkey_store::home::{Home, SecretSource};
use latchkey_store::keys::{KeysState, MIN_PASSPHRASE_CHARS};
use serde_json::json;

use crate::args::{SecretArguments, secret_file};
use crate::context::Context;
use crate::environment::variable;
use crate::failure::Failure;
use crate::input;
use crate::output::Output;

/// Runs `latchkey secret generate`.
pub(crate) fn generate(algorithm: Algorithm, output: &Output) -> Result<ExitCode, Failure> {
    let key = SigningKey::generate(algorithm)?;
    let secret = key.secret().expose();
    output.print(
        secret,
        || json!({ "secret": secret, "algorithm": algorithm }),
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Runs `latchkey secret start-anew`.
pub(crate) fn start_anew(
    context: &Context,
    yes: bool,
    output: &Output,
    now: Timestamp,
) -> Result<ExitCode, Failure> {
    let home = context.home_or_new()?;
    let needed = |instances: &[Instance]| {
        let names = instances.iter().map(|one| one.settings.name.as_str());
        let names = names.collect::<Vec<_>>().join(", ");
        if names.is_empty() {
            "No instance had a secret in the old file.".to_owned()
        } else {
            format!("These instances need their secret again: {names}.")
        }
    };
    if !yes {
        let question = format!(
            "Give up the signing keys of the sealed file? {}",
            needed(&home.sealed()?)
        );
        match Output::confirm(&question) {
            Some(true) => {}
            Some(false) => return Err(Failure::usage("Nothing was changed.")),
            None => {
                return Err(Failure::usage(
                    "To start with new keys without being asked, give --yes.",
                )
                .about("yes"));
            }
        }
    }
    let prompt = format!(
        "Choose the passphrase of the new sealed file (at least {MIN_PASSPHRASE_CHARS} characters)"
    );
    let by = AuditContext::new(Actor::CommandLine, now);
    let started =
        home.start_with_new_keys(&Wanted::new_of_sealed_file(&prompt).choose(context)?, &by)?;
    let ids: Vec<&str> = started
        .without_secret
        .iter()
        .map(|one| one.id.as_str())
        .collect();
    let kept = started
        .kept_file
        .as_ref()
        .map(|file| file.display().to_string());
    let about_kept = kept.as_ref().map_or_else(String::new, |kept| {
        format!(
            " The old file is kept as {kept}. The instances do not refer to its keys any more: to use it again, \
             restore the whole data folder from a backup and put it back there as keys.sealed."
        )
    });
    let said = format!(
        "Started with new keys. {}{about_kept}",
        needed(&started.without_secret)
    );
    output.print(said, || json!({ "without_secret": ids, "kept_file": kept }))?;
    Ok(ExitCode::SUCCESS)
}

/// Secret that was given for this call.
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

/// Whether a secret in the environment counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Environment {
    /// It counts, because no other secret is known.
    Counts,
    /// It is ignored, because the named instance has a secret of its own.
    IsIgnored,
}

impl Environment {
    /// Returns the rule for a call that names an instance.
    pub(crate) const fn beside(instance: &Instance) -> Self {
        match instance.key {
            Some(_) => Self::IsIgnored,
            // The gateway has the secret.
            None if instance.connection.is_some() => Self::IsIgnored,
            None => Self::Counts,
        }
    }
}

/// Returns whether the environment has a secret.
pub(crate) fn in_environment() -> bool {
    ["LATCHKEY_SECRET_FILE", "LATCHKEY_SECRET"]
        .iter()
        .any(|name| variable(name).is_some())
}

/// Returns the secret that an argument gives for this call. Without one, returns that of the
/// environment, if the environment counts.
pub(crate) fn given(
    arguments: &SecretArguments,
    environment: Environment,
    context: &Context,
) -> Result<Option<Given>, Failure> {
    let in_environment = environment == Environment::Counts;
    let secret = match &arguments.secret_file {
        Some(path) => {
            Some(read_secret(path, context).map_err(|failure| failure.about("secret-file"))?)
        }
        None => match in_environment.then(secret_file).flatten() {
            Some(path) => Some(read_secret(&path, context)?),
            None if in_environment => variable("LATCHKEY_SECRET").map(Secret::new),
            None => None,
        },
    };
    if secret.is_none() && arguments.secret_encoding.is_some() {
        return Err(Failure::usage(
            "--secret-encoding says how a secret is read, and none is given. Give one by --secret-file or, where \
             no instance with a secret of its own is named, by LATCHKEY_SECRET_FILE or LATCHKEY_SECRET. An \
             instance keeps the encoding of its own.",
        )
        .about("secret-encoding"));
    }
    let encoding = arguments.secret_encoding.unwrap_or_default();
    Ok(secret.map(|secret| Given { secret, encoding }))
}

/// Returns the keys to sign or verify with: that of `--secret-file`, else those of the instance, else
/// that of the environment. Returns `None` if there is none.
pub(crate) fn key_set(
    arguments: &SecretArguments,
    context: &Context,
    instance: Option<(&Home, &Instance)>,
    now: Timestamp,
) -> Result<Option<KeySet>, Failure> {
    let environment = instance.map_or(Environment::Counts, |(_, instance)| {
        Environment::beside(instance)
    });
    if let Some(given) = given(arguments, environment, context)? {
        let key = given.key()?;
        if let Some((_, instance)) = instance {
            key.require_strength(&instance.settings.url)?;
        }
        return Ok(Some(key.into()));
    }
    match instance {
        Some((home, instance)) if instance.key.is_some() => {
            unlock(home, context)?;
            Ok(Some(home.key_set(instance, now)?))
        }
        _ => Ok(None),
    }
}

/// Returns the keys of an instance, if they can be read without a prompt.
pub(crate) fn own_keys(
    home: &Home,
    instance: &Instance,
    context: &Context,
    now: Timestamp,
) -> Option<KeySet> {
    unlock_unasked(home, context).ok()?;
    home.key_set(instance, now).ok()
}

/// Returns all other instances, for which a code may have been made. The list is empty if the keys
/// cannot be read without a prompt.
pub(crate) fn other_instances(
    context: &Context,
    known: Option<(&Home, &Instance)>,
    now: Timestamp,
) -> Vec<OtherInstance> {
    if let Some((home, instance)) = known {
        let others = home.other_instances(Some(&instance.id), now);
        return others.unwrap_or_default();
    }
    // Inspecting a code neither creates the data folder nor asks for a passphrase.
    let home = context.home_if_any().ok().flatten().and_then(|home| {
        unlock_unasked(&home, context).ok()?;
        home.other_instances(None, now).ok()
    });
    home.unwrap_or_default()
}

/// Unlocks the key store if it is locked. Takes the passphrase from the environment or asks for it.
pub(crate) fn unlock(home: &Home, context: &Context) -> Result<(), Failure> {
    if matches!(home.keys().state(), KeysState::SealedFileLocked) {
        home.keys()
            .unlock(&passphrase("Passphrase of the sealed file", context)?)?;
    }
    Ok(())
}

/// Refuses a secret that is given for an instance whose gateway has the secret.
pub(crate) fn refuse_given(
    arguments: &SecretArguments,
    instance: &Instance,
) -> Result<(), Failure> {
    if arguments.secret_file.is_none() {
        return Ok(());
    }
    let name = instance.settings.name.as_str();
    Err(Failure::usage(format!(
        "The gateway of '{name}' signs and verifies with its own secret. Leave --secret-file out."
    ))
    .about("secret-file"))
}

/// Unlocks the key store if the API key for the gateway of an instance is in it.
pub(crate) fn unlock_access(
    home: &Home,
    instance: &Instance,
    context: &Context,
) -> Result<(), Failure> {
    match &instance.connection {
        Some(_) => unlock(home, context),
        None => Ok(()),
    }
}

/// Unlocks the key store if the environment has the passphrase.
fn unlock_unasked(home: &Home, context: &Context) -> Result<(), Failure> {
    let has_passphrase = ["LATCHKEY_PASSPHRASE_FILE", "LATCHKEY_PASSPHRASE"]
        .iter()
        .any(|name| variable(name).is_some());
    if has_passphrase {
        unlock(home, context)?;
    }
    Ok(())
}

/// Unlocks the key store. Creates the sealed file if there is neither that file nor a keychain.
pub(crate) fn unlock_or_create(home: &Home, context: &Context) -> Result<(), Failure> {
    let KeysState::SealedFileNew(reason) = home.keys().state() else {
        return unlock(home, context);
    };
    let prompt = format!(
        "{reason} Keys are kept in a sealed file. Choose its passphrase (at least {MIN_PASSPHRASE_CHARS} characters)"
    );
    home.keys()
        .create(&Wanted::new_of_sealed_file(&prompt).choose(context)?)?;
    Ok(())
}

/// Sources of a passphrase, and the words of its prompt.
struct Wanted<'a> {
    /// Environment variable with the passphrase. With `_FILE` it names a file.
    variable: &'static str,
    /// Question for a person.
    prompt: &'a str,
    /// Sentence for programs that says why a passphrase is needed.
    needed: &'static str,
}

impl Wanted<'_> {
    fn new_of_sealed_file(prompt: &str) -> Wanted<'_> {
        Wanted {
            variable: "LATCHKEY_PASSPHRASE",
            prompt,
            needed: "Signing keys are kept in a sealed file, which this command makes.",
        }
    }

    /// Returns the passphrase in the environment, or asks for it.
    fn get(&self, context: &Context) -> Result<Secret, Failure> {
        match self.given(context)? {
            Some(given) => Ok(given),
            None => self.ask(self.prompt),
        }
    }

    /// Returns a new passphrase. A person must type it twice, because a typing mistake is not
    /// visible and nothing else opens what is sealed with it.
    fn choose(&self, context: &Context) -> Result<Secret, Failure> {
        if let Some(given) = self.given(context)? {
            return Ok(given);
        }
        let chosen = self.ask(self.prompt)?;
        let repeated = self.ask("The same passphrase again")?;
        if chosen.expose() != repeated.expose() {
            return Err(Failure::usage(
                "The two passphrases differ, so nothing was changed. Try again.",
            ));
        }
        Ok(chosen)
    }

    /// Returns the passphrase in the environment.
    fn given(&self, context: &Context) -> Result<Option<Secret>, Failure> {
        let in_file = format!("{}_FILE", self.variable);
        let Some(file) = variable(&in_file) else {
            return Ok(variable(self.variable).map(Secret::new));
        };
        let text = read_secret(Path::new(&file), context).map_err(|failure| match failure {
            Failure::Refused(mut error) => {
                error.message = format!("{} {in_file} names it.", error.message);
                Failure::Refused(error)
            }
            other => other,
        })?;
        let text = text.expose().trim_end_matches(['\r', '\n']);
        Ok(Some(Secret::new(text.to_owned())))
    }

    fn ask(&self, prompt: &str) -> Result<Secret, Failure> {
        let (variable, needed) = (self.variable, self.needed);
        let asked = Output::ask_passphrase(prompt).ok_or_else(|| {
            Failure::usage(format!(
                "{needed} Give its passphrase by {variable}_FILE or {variable}."
            ))
        })?;
        asked.map(Secret::new).map_err(|cause| {
            let message = "The passphrase could not be read from the terminal.";
            Error::new(ErrorCode::Internal, message)
                .because(cause)
                .into()
        })
    }
}

/// Returns the passphrase of the sealed file.
fn passphrase(prompt: &str, context: &Context) -> Result<Secret, Failure> {
    let wanted = Wanted {
        variable: "LATCHKEY_PASSPHRASE",
        prompt,
        needed: "The signing keys are in a sealed file.",
    };
    wanted.get(context)
}

/// Name of the environment variable with the passphrase of a backup.
const BACKUP_PASSPHRASE: &str = "LATCHKEY_BACKUP_PASSPHRASE";

/// Returns a new passphrase for the keys in a backup.
pub(crate) fn new_backup_passphrase(context: &Context) -> Result<Secret, Failure> {
    let prompt = format!(
        "Choose a passphrase for the keys in the backup (at least {MIN_PASSPHRASE_CHARS} characters)"
    );
    let wanted = Wanted {
        variable: BACKUP_PASSPHRASE,
        prompt: &prompt,
        needed: "The keys in a backup are sealed.",
    };
    wanted.choose(context)
}

/// Returns the passphrase of the keys in a backup.
pub(crate) fn backup_passphrase(context: &Context) -> Result<Secret, Failure> {
    let wanted = Wanted {
        variable: BACKUP_PASSPHRASE,
        prompt: "Passphrase of the keys in the backup",
        needed: "The keys in the backup are sealed, and --without-keys leaves them out.",
    };
    wanted.get(context)
}

/// Returns the key of TypingMind's API in a file, or on standard input for `-`.
pub(crate) fn typingmind_key(path: &Path, context: &Context) -> Result<Secret, Failure> {
    let text = text::decode(context.read(path, input::SECRET)?);
    text.map(Secret::new).ok_or_else(|| {
        let message = "The file with the key is not a text in UTF-8. Write the key alone into it.";
        Failure::Refused(Error::new(ErrorCode::InvalidSecret, message).about("typingmind-key-file"))
    })
}

fn read_secret(path: &Path, context: &Context) -> Result<Secret, Failure> {
    let text = text::decode(context.read(path, input::SECRET)?);
    text.map(Secret::new).ok_or_else(|| {
        Failure::Refused(
            Error::new(
                ErrorCode::InvalidSecret,
                "The secret file is not a text in UTF-8. Write the secret as text, base64 or hexadecimal.",
            )
            .about("secret"),
        )
    })
}
