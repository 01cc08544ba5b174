//! Commands that help against an error or a refusal. The messages of core name no command and no screen.

use latchkey_core::verdict::{Refusal, Verdict};
use latchkey_core::{Error, ErrorCode};

/// Returns the command that helps against a refusal.
pub(crate) const fn against(verdict: &Verdict) -> Option<&'static str> {
    let Verdict::Refused(refusal) = verdict else {
        return None;
    };
    match refusal {
        Refusal::ExternalAuthOff => Some("latchkey instance set NAME --external-auth yes"),
        Refusal::ProvisioningOff { .. } => Some("latchkey instance set NAME --provisioning yes"),
        Refusal::NoSeats { .. } => Some("latchkey seats --instance NAME --set N"),
        Refusal::UserSuspended { .. } => Some("latchkey users reactivate ID --instance NAME"),
        _ => None,
    }
}

/// Returns what to do about errors of a code, in a sentence.
pub(crate) fn hint(error: &Error) -> Option<&'static str> {
    match error.code {
        ErrorCode::DamagedFile if error.field.as_deref() == Some("keys") => {
            Some("'latchkey secret start-anew' begins with new keys.")
        }
        ErrorCode::NoSigningKey => Some(
            "Give the instance a secret: latchkey instance set NAME --secret-file FILE, or --generate-secret.",
        ),
        ErrorCode::WeakSecret => Some(
            "'latchkey secret generate' prints a long one, and 'latchkey instance set NAME --secret-file FILE' lets \
             an instance keep it.",
        ),
        ErrorCode::KeysMissing | ErrorCode::WrongPassphrase => Some(
            "If the file or its passphrase is lost, 'latchkey secret start-anew' begins with new keys.",
        ),
        ErrorCode::HostedElsewhere => Some(
            "If people sign in at the gateway of this computer: latchkey instance set NAME --hosted here.",
        ),
        ErrorCode::DirectoryHeld => {
            Some("A gateway that runs as a service lets go of it while the service is stopped.")
        }
        _ => None,
    }
}
