//! What to do on the command line about an error. Messages of core do not name a face's own ways.

use latchkey_core::ErrorCode;

/// Returns what to do about errors of a code, in a sentence.
pub(crate) const fn hint(code: ErrorCode) -> Option<&'static str> {
    match code {
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
