//! Commands that help after an error, a refusal or a warning. The messages of core and store name
//! no command.

use latchkey_core::directory::TIMES_AHEAD;
use latchkey_core::error::Warning;
use latchkey_core::verdict::Refusal;
use latchkey_core::{Error, ErrorCode};

/// Returns the command that helps after a refusal of an instance.
pub(crate) fn against(refusal: &Refusal, instance: &str) -> Option<String> {
    let instance = quoted(instance);
    Some(match refusal {
        Refusal::ExternalAuthOff => format!("latchkey instance set {instance} --external-auth yes"),
        Refusal::ProvisioningOff { .. } => {
            format!("latchkey instance set {instance} --provisioning yes")
        }
        Refusal::NoSeats { seats } => {
            let more = seats.used.saturating_add(1);
            format!("latchkey seats --instance {instance} --set {more}")
        }
        Refusal::UserSuspended { user } => {
            let user = quoted(user.as_str());
            format!("latchkey users reactivate --instance {instance} -- {user}")
        }
        Refusal::UserRemoved { is_ahead: true, .. } => correct_times(&instance),
        _ => return None,
    })
}

fn correct_times(instance: &str) -> String {
    format!("latchkey users correct-times --instance {instance}")
}

/// Returns the command that helps after a warning about an instance.
pub(crate) fn about(warning: &Warning, instance: &str) -> Option<String> {
    (warning.code == TIMES_AHEAD).then(|| correct_times(&quoted(instance)))
}

/// Returns a sentence that says what to do after an error. `instance` is the instance that the
/// command names.
pub(crate) fn hint(error: &Error, instance: Option<&str>) -> Option<String> {
    let name = instance.map_or_else(|| "NAME".to_owned(), quoted);
    Some(match error.code {
        ErrorCode::DamagedFile if error.field.as_deref() == Some("keys") => {
            "'latchkey secret start-anew' begins with new keys.".to_owned()
        }
        ErrorCode::NoSigningKey => format!(
            "Give the instance a secret: latchkey instance set {name} --generate-secret, or --secret-file FILE. \
             Or name a file with it in LATCHKEY_SECRET_FILE."
        ),
        ErrorCode::WeakSecret => format!(
            "'latchkey secret generate' prints a long one, and 'latchkey instance set {name} --secret-file FILE' lets \
             an instance keep it."
        ),
        ErrorCode::KeysMissing | ErrorCode::WrongPassphrase => {
            "If the file or its passphrase is lost, 'latchkey secret start-anew' begins with new keys."
                .to_owned()
        }
        ErrorCode::HostedElsewhere => format!(
            "If people sign in at the gateway of this computer: latchkey instance set {name} --hosted here"
        ),
        ErrorCode::UnknownInstance => format!(
            "'latchkey instance add {name} --url URL' adds one. --data-dir or LATCHKEY_DATA_DIR names another data folder."
        ),
        ErrorCode::InvalidDataFolder => {
            "--data-dir or LATCHKEY_DATA_DIR names another data folder, and 'sudo -u USER' runs this as another user."
                .to_owned()
        }
        _ => return None,
    })
}

/// Returns a name as one word of a shell.
fn quoted(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._@+".contains(c);
    if !name.is_empty() && name.chars().all(is_plain) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', r"'\''"))
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
                    seats: Seats {
                        used: 3,
                        limit: Some(3),
                    },
                },
                "latchkey seats --instance 'Your Company' --set 4",
            ),
            (
                Refusal::UserSuspended { user },
                "users reactivate --instance 'Your Company' -- ada",
            ),
            (removed(true), "correct-times"),
        ] {
            let hint = against(&refusal, "Your Company").unwrap_or_default();
            assert!(!hint.contains("NAME"), "{hint}");
            assert!(hint.contains(command), "{}: {hint}", refusal.code());
        }
        assert_eq!(against(&removed(false), "acme"), None);
    }

    #[test]
    fn errors_and_warnings_that_a_command_helps_against_have_a_hint() {
        for (code, command) in [
            (ErrorCode::NoSigningKey, "--secret-file"),
            (ErrorCode::WeakSecret, "latchkey secret generate"),
            (ErrorCode::KeysMissing, "start-anew"),
            (ErrorCode::WrongPassphrase, "start-anew"),
            (ErrorCode::HostedElsewhere, "set acme --hosted here"),
            (ErrorCode::UnknownInstance, "latchkey instance add acme"),
            (ErrorCode::InvalidDataFolder, "--data-dir"),
        ] {
            let hint = hint(&Error::new(code, ""), Some("acme")).unwrap_or_default();
            assert!(!hint.contains("NAME"), "{hint}");
            assert!(hint.contains(command), "{code:?}: {hint}");
        }
        let damaged = Error::new(ErrorCode::DamagedFile, "");
        assert_eq!(hint(&damaged, None), None);
        assert!(hint(&damaged.about("keys"), None).is_some());
        let ahead = Warning::new(TIMES_AHEAD, "");
        assert!(
            about(&ahead, "acme")
                .is_some_and(|hint| hint.contains("correct-times --instance acme"))
        );
        assert_eq!(about(&Warning::new("short_key", ""), "acme"), None);
    }
    #[test]
    fn a_name_in_a_command_is_one_word_of_a_shell() {
        for (name, word) in [
            ("acme", "acme"),
            ("ada@acme.example", "ada@acme.example"),
            ("Your Company", "'Your Company'"),
            ("a'b", r"'a'\''b'"),
            ("$(x)", "'$(x)'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(name), word);
        }
    }
}
