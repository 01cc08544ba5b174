//! `latchkey redeem`, and the dry run of `latchkey inspect`.

use std::io::{self, BufRead as _};
use std::path::PathBuf;
use std::process::ExitCode;

use jiff::Timestamp;
use latchkey_core::code::recognize::recognize;
use latchkey_core::code::verify;
use latchkey_core::directory::{Directory, SledDirectory};
use latchkey_core::instance::Instance;
use latchkey_core::secret::SigningKey;
use latchkey_core::verdict::Verdict;
use serde_json::{Value, json};

use crate::args::RedeemArguments;
use crate::failure::Failure;
use crate::keys;
use crate::output::Output;
use crate::users::HOLDER;

pub(crate) fn redeem(
    arguments: &RedeemArguments,
    data_dir: Option<PathBuf>,
    output: &Output,
    now: Timestamp,
) -> Result<ExitCode, Failure> {
    let home = keys::home(data_dir)?;
    let instance = home.instances().find(&arguments.instance)?;
    let key = keys::signing_key(&arguments.secret, Some((&home, &instance)))?;
    let key = key.ok_or_else(|| {
        Failure::Usage(
            "The instance has no secret to verify with. Give one by --secret-file.".into(),
        )
    })?;
    let directory = home.directory(&instance, HOLDER)?;
    let redeemer = Redeemer {
        instance,
        key,
        directory,
    };
    if arguments.input != "-" {
        let verdict = redeemer.redeem(&arguments.input, now)?;
        output.print(&described(&verdict), || as_json(&verdict));
        return Ok(exit_code(&verdict));
    }
    let mut code = ExitCode::SUCCESS;
    for line in io::stdin().lock().lines() {
        let line = line.map_err(|cause| {
            latchkey_core::files::storage("read", "standard input".as_ref(), cause)
        })?;
        // Each is answered when it is on disk, and a bad one does not end the others.
        match redeemer.redeem(&line, Timestamp::now()) {
            Ok(verdict) => {
                if matches!(verdict, Verdict::Refused(_)) {
                    code = exit_code(&verdict);
                }
                output.line(&described(&verdict), || as_json(&verdict));
            }
            Err(failure) => code = output.failure(&failure),
        }
    }
    Ok(code)
}

struct Redeemer {
    instance: Instance,
    key: SigningKey,
    directory: SledDirectory,
}

impl Redeemer {
    fn redeem(&self, text: &str, now: Timestamp) -> Result<Verdict, Failure> {
        let settings = &self.instance.settings;
        let found = recognize(text, settings.parameter.as_str())?;
        let code = verify(&found.code, &[&self.key], settings.code_rules(), now);
        Ok(self.directory.redeem(code.as_ref(), settings.policy, now)?)
    }
}

/// What a verdict says, in a line.
pub(crate) fn described(verdict: &Verdict) -> String {
    match verdict {
        Verdict::SignedIn { user, .. } => format!("signed_in: {user}"),
        Verdict::Provisioned { user, seat } => format!("provisioned: {user} takes seat {seat}"),
        Verdict::Refused(refusal) => format!("{}: {refusal}", refusal.code()),
    }
}

pub(crate) fn as_json(verdict: &Verdict) -> Value {
    let (user, seat, message) = match verdict {
        Verdict::SignedIn { user, .. } => (Some(user), None, None),
        Verdict::Provisioned { user, seat } => (Some(user), Some(seat), None),
        Verdict::Refused(refusal) => (None, None, Some(refusal.to_string())),
    };
    json!({ "verdict": verdict.code(), "user": user, "seat": seat, "message": message })
}

pub(crate) fn exit_code(verdict: &Verdict) -> ExitCode {
    match verdict {
        Verdict::Refused(_) => ExitCode::from(1),
        Verdict::SignedIn { .. } | Verdict::Provisioned { .. } => ExitCode::SUCCESS,
    }
}
