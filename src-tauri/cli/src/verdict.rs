//! Verdicts in the answers of `redeem` and `inspect --dry-run`.

use std::process::ExitCode;

use latchkey_core::instance::InstanceId;
use latchkey_core::verdict::Verdict;

use crate::hints;
use crate::output::Output;

/// Prints the command that helps after a refusal, beside the answer.
pub(crate) fn hint(verdict: &Verdict, instance: &InstanceId, output: &Output) {
    if let Verdict::Refused(refusal) = verdict
        && let Some(command) = hints::against(refusal, instance.as_str(), output.program())
    {
        output.note(&format!("hint: {command}"));
    }
}

/// Returns a verdict in one line.
pub(crate) fn described(verdict: &Verdict) -> String {
    match verdict {
        Verdict::SignedIn { user, .. } => format!("signed_in: {user}"),
        Verdict::Provisioned { user, seat, .. } => format!("provisioned: {user} takes seat {seat}"),
        Verdict::Refused(refusal) => format!("{}: {}", refusal.code(), refusal.shown()),
    }
}

/// Returns the exit code: 0 for a sign-in, 1 for a refusal.
pub(crate) fn exit_code(verdict: &Verdict) -> ExitCode {
    match verdict {
        Verdict::Refused(_) => ExitCode::from(1),
        Verdict::SignedIn { .. } | Verdict::Provisioned { .. } => ExitCode::SUCCESS,
    }
}
