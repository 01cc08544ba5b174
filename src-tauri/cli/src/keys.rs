//! Where the secret and the passphrase come from; never from an argument.

use std::env;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use latchkey_core::code::Algorithm;
use latchkey_core::files;
use latchkey_core::home::Home;
use latchkey_core::instance::Instance;
use latchkey_core::keys::{KeychainUse, KeysState, MIN_PASSPHRASE_CHARS};
use latchkey_core::secret::{Secret, SigningKey};
use latchkey_core::{Error, ErrorCode};
use serde_json::json;

use crate::args::SecretArguments;
use crate::failure::Failure;
use crate::output::Output;

/// `latchkey secret generate`.
pub(crate) fn generate(algorithm: Algorithm, output: &Output) -> Result<ExitCode, Failure> {
    let key = SigningKey::generate(algorithm)?;
    let secret = key.secret().expose();
    output.print(
        secret,
        || json!({ "secret": secret, "algorithm": algorithm }),
    );
    Ok(ExitCode::SUCCESS)
}

/// The data folder with its instances and keys.
pub(crate) fn home(data_dir: Option<PathBuf>) -> Result<Home, Failure> {
    let keychain = KeychainUse::from_setting(variable("LATCHKEY_KEYCHAIN").as_deref());
    Ok(Home::open(files::data_dir(data_dir)?, keychain)?)
}

/// The secret that was given for this call: by file or by environment.
pub(crate) fn given(arguments: &SecretArguments) -> Result<Option<Secret>, Failure> {
    let file = arguments
        .secret_file
        .clone()
        .or_else(|| variable("LATCHKEY_SECRET_FILE").map(PathBuf::from));
    match file {
        Some(path) => read_secret(&path).map(Some),
        None => Ok(variable("LATCHKEY_SECRET").map(Secret::new)),
    }
}

/// The key to sign or verify with: the one that was given, else the instance's own, if there is
/// either.
pub(crate) fn signing_key(
    arguments: &SecretArguments,
    instance: Option<(&Home, &Instance)>,
) -> Result<Option<SigningKey>, Failure> {
    if let Some(secret) = given(arguments)? {
        return Ok(Some(SigningKey::from_text(&secret)?));
    }
    match instance {
        Some((home, instance)) if instance.key.is_some() => {
            unlock(home)?;
            Ok(Some(home.signing_key(instance)?))
        }
        _ => Ok(None),
    }
}

/// Opens the place where keys are kept, if it is closed and there is a passphrase to be had.
pub(crate) fn unlock(home: &Home) -> Result<(), Failure> {
    if matches!(home.keys().state(), KeysState::SealedFileLocked) {
        home.keys()
            .unlock(&passphrase("Passphrase of the sealed file")?)?;
    }
    Ok(())
}

/// The same, and makes the sealed file where there is neither it nor a keychain.
pub(crate) fn unlock_or_create(home: &Home) -> Result<(), Failure> {
    let KeysState::SealedFileNew(reason) = home.keys().state() else {
        return unlock(home);
    };
    let prompt = format!(
        "{reason} Keys are kept in a sealed file. Choose its passphrase (at least {MIN_PASSPHRASE_CHARS} characters)"
    );
    home.keys().create(&passphrase(&prompt)?)?;
    Ok(())
}

fn passphrase(prompt: &str) -> Result<Secret, Failure> {
    if let Some(file) = variable("LATCHKEY_PASSPHRASE_FILE") {
        let text = read_secret(Path::new(&file))?;
        return Ok(Secret::new(
            text.expose().trim_end_matches(['\r', '\n']).to_owned(),
        ));
    }
    if let Some(passphrase) = variable("LATCHKEY_PASSPHRASE") {
        return Ok(Secret::new(passphrase));
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "The signing keys are in a sealed file. Give its passphrase by LATCHKEY_PASSPHRASE_FILE or LATCHKEY_PASSPHRASE.".into(),
        ));
    }
    rpassword::prompt_password(format!("{prompt}: "))
        .map(Secret::new)
        .map_err(|cause| {
            Failure::Refused(
                Error::new(
                    ErrorCode::Storage,
                    "The passphrase could not be read from the terminal.",
                )
                .because(cause),
            )
        })
}

fn read_secret(path: &Path) -> Result<Secret, Failure> {
    let bytes = read_input(path)?;
    String::from_utf8(bytes).map(Secret::new).map_err(|_| {
        // The cause holds the bytes, so it is left behind.
        Failure::Refused(
            Error::new(
                ErrorCode::InvalidSecret,
                "The secret file is not a text in UTF-8.",
            )
            .about("secret"),
        )
    })
}

/// The contents of a file, or of standard input for `-`.
pub(crate) fn read_input(path: &Path) -> Result<Vec<u8>, Failure> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin()
            .lock()
            .read_to_end(&mut bytes)
            .map_err(|cause| files::storage("read", Path::new("standard input"), cause))?;
        return Ok(bytes);
    }
    files::read(path)?.ok_or_else(|| {
        Failure::Refused(Error::new(
            ErrorCode::Storage,
            format!("There is no file {}.", path.display()),
        ))
    })
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
