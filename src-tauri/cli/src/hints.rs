//! Commands that help after an error, a refusal or a warning. The messages of core and store name
//! no command.

use latchkey_core::directory::TIMES_AHEAD;
use latchkey_core::error::Warning;
use latchkey_core::verdict::Refusal;
use latchkey_core::{Error, ErrorCode};

/// Returns the command that helps after a refusal.
pub(crate) const fn against(refusal: &Refusal) -> Option<&'static str> {
    match refusal {
        Refusal::ExternalAuthOff => Some("latchkey instance set NAME --external-auth yes"),
        Refusal::ProvisioningOff { .. } => Some("latchkey instance set NAME --provisioning yes"),
        Refusal::NoSeats { .. } => Some("latchkey seats --instance NAME --set N"),
        Refusal::UserSuspended { .. } => Some("latchkey users reactivate ID --instance NAME"),
        Refusal::UserRemoved { is_ahead: true, .. } => Some(CORRECT_TIMES),
        _ => None,
    }
}

const CORRECT_TIMES: &str = "latchkey users correct-times --instance NAME";

/// Returns the command that helps after a warning.
pub(crate) fn about(warning: &Warning) -> Option<&'static str> {
    (warning.code == TIMES_AHEAD).then_some(CORRECT_TIMES)
}

/// Returns a sentence that says what to do after an error.
pub(crate) fn hint(error: &Error) -> Option<&'static str> {
    match error.code {
        ErrorCode::DamagedFile if error.field.as_deref() == Some("keys") => {
            Some("'latchkey secret start-anew' begins with new keys.")
        }
        ErrorCode::NoSigningKey => Some(
            "Give the instance a secret: latchkey instance set NAME --secret-file FILE, or --generate-secret. \
             Or name a file with it in LATCHKEY_SECRET_FILE.",
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
        ErrorCode::UnknownInstance => Some(
            "'latchkey instance add' adds one. --data-dir or LATCHKEY_DATA_DIR names another data folder.",
        ),
        ErrorCode::InvalidDataFolder => Some(
            "--data-dir or LATCHKEY_DATA_DIR names another data folder, and 'sudo -u USER' runs this as another user.",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use latchkey_core::protocol::user_id::UserId;
    use latchkey_core::verdict::Seats;

    use super::*;

    #[test]
    fn refusals_that_a_command_helps_against_have_a_hint() {
        let user = UserId::parse("ada", "id").unwrap();
        let removed = |is_ahead| Refusal::UserRemoved {
            subject: "ada".into(),
            at: 0,
            is_ahead,
        };
        for (refusal, command) in [
            (Refusal::ExternalAuthOff, "--external-auth"),
            (
                Refusal::ProvisioningOff { user: user.clone() },
                "--provisioning",
            ),
            (
                Refusal::NoSeats {
                    seats: Seats::default(),
                },
                "latchkey seats",
            ),
            (Refusal::UserSuspended { user }, "reactivate"),
            (removed(true), "correct-times"),
        ] {
            let hint = against(&refusal).unwrap_or_default();
            assert!(hint.contains(command), "{}: {hint}", refusal.code());
        }
        assert_eq!(against(&removed(false)), None);
    }

    #[test]
    fn errors_and_warnings_that_a_command_helps_against_have_a_hint() {
        for (code, command) in [
            (ErrorCode::NoSigningKey, "--secret-file"),
            (ErrorCode::WeakSecret, "latchkey secret generate"),
            (ErrorCode::KeysMissing, "start-anew"),
            (ErrorCode::WrongPassphrase, "start-anew"),
            (ErrorCode::HostedElsewhere, "--hosted here"),
            (ErrorCode::UnknownInstance, "latchkey instance add"),
            (ErrorCode::InvalidDataFolder, "--data-dir"),
        ] {
            let hint = hint(&Error::new(code, "")).unwrap_or_default();
            assert!(hint.contains(command), "{code:?}: {hint}");
        }
        let damaged = Error::new(ErrorCode::DamagedFile, "");
        assert_eq!(hint(&damaged), None);
        assert!(hint(&damaged.about("keys")).is_some());
        let ahead = Warning::new(TIMES_AHEAD, "");
        assert!(about(&ahead).is_some_and(|hint| hint.contains("correct-times")));
        assert_eq!(about(&Warning::new("short_key", "")), None);
    }
}
