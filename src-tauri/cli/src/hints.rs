//! Commands that help after an error, a refusal or a warning. The messages of core and store name
//! no command.

use latchkey_core::directory::TIMES_AHEAD;
use latchkey_core::error::Warning;
use latchkey_core::inspect::preview::ACCOUNT_EXISTS;
use latchkey_core::shell::quoted;
use latchkey_core::verdict::Refusal;
use latchkey_core::{Error, ErrorCode};

/// Returns the command that helps after a refusal of an instance. `program` is the beginning of the
/// command, like below.
pub(crate) fn against(refusal: &Refusal, instance: &str, program: &str) -> Option<String> {
    let instance = quoted(instance);
    Some(match refusal {
        Refusal::ExternalAuthOff => {
            format!("{program} instance set {instance} --external-auth yes")
        }
        Refusal::ProvisioningOff { .. } => {
            format!("{program} instance set {instance} --provisioning yes")
        }
        Refusal::NoSeats { seats } => {
            let more = seats.used.saturating_add(1);
            format!("{program} seats --instance {instance} --set {more}")
        }
        Refusal::UserSuspended { user } => {
            let user = quoted(user.as_str());
            format!("{program} users reactivate --instance {instance} -- {user}")
        }
        Refusal::UserEnded { user, .. } => {
            let user = quoted(user.as_str());
            format!("{program} users extend --instance {instance} --until WHEN -- {user}")
        }
        Refusal::EmailInUse { owner } => {
            let owner = quoted(owner.as_str());
            format!("{program} users edit --instance {instance} --email E -- {owner}")
        }
        Refusal::UserRemoved { is_ahead: true, .. } => correct_times(&instance, program),
        _ => return None,
    })
}

fn correct_times(instance: &str, program: &str) -> String {
    format!("{program} users correct-times --instance {instance}")
}

/// Returns the command that helps after a warning about an instance.
pub(crate) fn about(warning: &Warning, instance: &str, program: &str) -> Option<String> {
    let instance = quoted(instance);
    match warning.code.as_ref() {
        TIMES_AHEAD => Some(correct_times(&instance, program)),
        ACCOUNT_EXISTS => Some(format!(
            "{program} users extend --instance {instance} ID --until WHEN sets the end of an account."
        )),
        _ => None,
    }
}

/// Returns a sentence that says what to do after an error. `instance` is the instance that the
/// command names.
pub(crate) fn hint(error: &Error, instance: Option<&str>, program: &str) -> Option<String> {
    let name = instance.map_or_else(|| "NAME".to_owned(), quoted);
    Some(match error.code {
        ErrorCode::DamagedFile if error.field.as_deref() == Some("keys") => {
            format!("'{program} secret start-anew' begins with new keys.")
        }
        ErrorCode::NoSigningKey if error.field.as_deref() == Some("instance") => format!(
            "{program} instance set {name} --generate-secret, or --secret-file FILE, gives it one."
        ),
        ErrorCode::NoSigningKey => format!(
            "Give the instance a secret: {program} instance set {name} --generate-secret, or --secret-file FILE. \
             Or name a file with it in LATCHKEY_SECRET_FILE."
        ),
        ErrorCode::HostedElsewhere if error.field.as_deref() == Some("secret") => {
            format!("'{program} secret generate > FILE' writes a new secret, and --secret-file FILE gives it.")
        }
        ErrorCode::WeakSecret if instance.is_none() => {
            "'latchkey secret generate' prints a long one.".to_owned()
        }
        ErrorCode::WeakSecret => format!(
            "'latchkey secret generate' prints a long one, and '{program} instance set {name} --secret-file FILE' lets \
             the instance keep it."
        ),
        ErrorCode::UnknownLink if error.field.as_deref() == Some("link") => {
            format!("{program} links revoke --instance {name} --unknown ID revokes one that the list lacks.")
        }
        ErrorCode::NoSeats => {
            format!("{program} seats --instance {name} --set N changes the number of seats.")
        }
        ErrorCode::UserEnded => format!(
            "{program} users extend --instance {name} ID --until WHEN sets another end, and --never none."
        ),
        ErrorCode::EmailInUse => format!(
            "{program} users edit --instance {name} ID --email E gives that user another email, and --no-email none."
        ),
        ErrorCode::WrongPassphrase if error.field.as_deref() == Some("without-keys") => format!(
            "If that passphrase is lost, --without-keys leaves out the keys. A new instance then needs its secret: \
             {program} instance set NAME --secret-file FILE"
        ),
        ErrorCode::KeysMissing | ErrorCode::WrongPassphrase => {
            format!(
                "If the file or its passphrase is lost, '{program} secret start-anew' begins with new keys."
            )
        }
        // The signing key that a command names is the active one.
        ErrorCode::InvalidSetting if error.field.as_deref() == Some("key") => format!(
            "{program} keys rotate --instance {name} makes another key active. If others may know this one: \
             {program} keys retire --instance {name} --leaked KEY"
        ),
        ErrorCode::InstanceExists if error.field.as_deref() == Some("replace") => {
            "--replace replaces that instance, and --name NAME gives the restored one another name."
                .to_owned()
        }
        ErrorCode::HostedElsewhere if error.field.as_deref() == Some("key") => {
            format!("{program} keys rotate --instance {name} --secret-file FILE gives it the secret that is set there.")
        }
        ErrorCode::HostedElsewhere => format!(
            "If people sign in at the gateway of this computer: {program} instance set {name} --hosted here"
        ),
        ErrorCode::NotConnected | ErrorCode::KeyRefused
            if error.field.as_deref() == Some("typingmind_key") =>
        {
            format!(
            "{program} instance set {name} --typingmind-region us|eu --typingmind-key-file FILE"
        )
        }
        ErrorCode::KeyRefused | ErrorCode::ScopeMissing => {
            "'latchkey api-key make NAME --scope admin --instance N' on the server prints a new connection string, and 'latchkey instance connect' takes it."
                .to_owned()
        }
        _ if error.field.as_deref() == Some("connection") => {
            "'latchkey api-key make NAME --scope admin --instance N' on the server prints a connection string."
                .to_owned()
        }
        ErrorCode::Unreachable if error.field.as_deref() == Some("gateway") => {
            "On the server: latchkey serve --admin-listen ADDRESS".to_owned()
        }
        ErrorCode::NotCopied => format!("{program} users sync --instance {name}"),
        ErrorCode::UnknownInstance => format!(
            "'{program} instance add {name} --url URL' adds one. --data-dir or LATCHKEY_DATA_DIR names another data folder."
        ),
        ErrorCode::InvalidDataFolder => {
            "--data-dir or LATCHKEY_DATA_DIR names another data folder, and 'sudo -u USER' runs this as another user."
                .to_owned()
        }
        // An instance that is hosted elsewhere has no users.
        ErrorCode::UnknownUser if error.field.as_deref() == Some("user") => format!(
            "{program} users list --instance {name} lists the users, and {program} links list --instance {name} the links with their users."
        ),
        code => return lists(code, &name, program),
    })
}

/// Returns which command lists what there is, after an error about something that there is not.
fn lists(code: ErrorCode, name: &str, program: &str) -> Option<String> {
    Some(match code {
        ErrorCode::UnknownUser => {
            format!("{program} users list --instance {name} lists the users with their IDs.")
        }
        ErrorCode::UnknownSession => {
            format!(
                "{program} sessions list --instance {name} --user ID lists the sessions of a user."
            )
        }
        ErrorCode::UnknownLink => {
            format!("{program} links list --instance {name} lists the links with their IDs.")
        }
        ErrorCode::UnknownRequest => {
            format!("{program} requests list --instance {name} lists the open requests.")
        }
        ErrorCode::UnknownApiKey => {
            format!("{program} api-key list --instance {name} lists the keys.")
        }
        ErrorCode::UnknownSigningKey => {
            format!("{program} keys list --instance {name} lists the keys that verify.")
        }
        _ => return None,
    })
}

/// Returns the beginning of the commands in hints: the program, with the data folder if it was given
/// as an option.
pub(crate) fn program(data_dir: Option<&str>) -> String {
    data_dir.map_or_else(
        || "latchkey".to_owned(),
        |folder| format!("latchkey --data-dir {}", quoted(folder)),
    )
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
                Refusal::UserEnded {
                    user: user.clone(),
                    at: 0,
                },
                "users extend --instance 'Your Company' --until WHEN -- ada",
            ),
            (
                Refusal::UserSuspended { user },
                "users reactivate --instance 'Your Company' -- ada",
            ),
            (removed(true), "correct-times"),
        ] {
            let hint = against(&refusal, "Your Company", "latchkey").unwrap_or_default();
            assert!(!hint.contains("NAME"), "{hint}");
            assert!(hint.contains(command), "{}: {hint}", refusal.code());
        }
        assert_eq!(against(&removed(false), "acme", "latchkey"), None);
    }

    #[test]
    fn errors_and_warnings_that_a_command_helps_against_have_a_hint() {
        for (code, command) in [
            (ErrorCode::NoSigningKey, "--secret-file"),
            (ErrorCode::WeakSecret, "latchkey secret generate"),
            (ErrorCode::KeysMissing, "start-anew"),
            (ErrorCode::WrongPassphrase, "start-anew"),
            (
                ErrorCode::UnknownLink,
                "latchkey links list --instance acme",
            ),
            (ErrorCode::UnknownUser, "users list --instance acme"),
            (ErrorCode::UnknownSession, "sessions list --instance acme"),
            (ErrorCode::UnknownRequest, "requests list --instance acme"),
            (ErrorCode::UnknownApiKey, "api-key list --instance acme"),
            (ErrorCode::UnknownSigningKey, "keys list --instance acme"),
            (ErrorCode::NoSeats, "latchkey seats --instance acme --set"),
            (ErrorCode::UserEnded, "users extend --instance acme"),
            (ErrorCode::EmailInUse, "users edit --instance acme"),
            (ErrorCode::HostedElsewhere, "set acme --hosted here"),
            (ErrorCode::NotCopied, "users sync --instance acme"),
            (ErrorCode::UnknownInstance, "latchkey instance add acme"),
            (ErrorCode::InvalidDataFolder, "--data-dir"),
        ] {
            let hint = hint(&Error::new(code, ""), Some("acme"), "latchkey").unwrap_or_default();
            assert!(!hint.contains("NAME"), "{hint}");
            assert!(hint.contains(command), "{code:?}: {hint}");
        }
        for code in [ErrorCode::NotConnected, ErrorCode::KeyRefused] {
            let refused = Error::new(code, "").about("typingmind_key");
            let hint = hint(&refused, Some("acme"), "latchkey").unwrap_or_default();
            assert!(hint.contains("set acme --typingmind-region"), "{hint}");
        }
        let damaged = Error::new(ErrorCode::DamagedFile, "");
        assert_eq!(hint(&damaged, None, "latchkey"), None);
        assert!(hint(&damaged.about("keys"), None, "latchkey").is_some());
        let ahead = Warning::new(TIMES_AHEAD, "");
        assert!(
            about(&ahead, "acme", "latchkey")
                .is_some_and(|hint| hint.contains("correct-times --instance acme"))
        );
        let exists = Warning::new(ACCOUNT_EXISTS, "");
        assert!(
            about(&exists, "acme", "latchkey")
                .is_some_and(|hint| hint.contains("users extend --instance acme"))
        );
        assert_eq!(
            about(&Warning::new("short_key", ""), "acme", "latchkey"),
            None
        );
    }

    #[test]
    fn a_command_names_the_data_folder_that_was_given_as_an_option() {
        for (folder, begin) in [
            (None, "latchkey users"),
            (Some("/srv/a"), "latchkey --data-dir /srv/a users"),
            (Some("/a b"), "latchkey --data-dir '/a b' users"),
        ] {
            let owner = UserId::parse("bob", "id").unwrap();
            let refusal = Refusal::EmailInUse { owner };
            let hint = against(&refusal, "acme", &program(folder)).unwrap_or_default();
            assert!(hint.starts_with(begin), "{hint}");
        }
    }

    #[test]
    fn a_weak_secret_without_an_instance_names_no_command_about_instances() {
        let weak = Error::new(ErrorCode::WeakSecret, "");
        let hint = hint(&weak, None, "latchkey").unwrap_or_default();
        assert!(!hint.contains("instance"), "{hint}");
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
