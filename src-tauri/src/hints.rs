//! Where in Studio a person does what a message asks for. The messages of core and store name no
//! screen.

use latchkey_core::inspect::forecast::Forecast;
use latchkey_core::verdict::Refusal;
use latchkey_core::{Error, ErrorCode};

/// Adds to the detail of a forecast where to correct its cause.
pub(crate) fn forecast(mut forecast: Forecast) -> Forecast {
    let hint = forecast.refusal.as_ref().and_then(against);
    if let Some(hint) = hint {
        forecast.detail = format!("{} {hint}", forecast.detail);
    }
    forecast
}

/// Returns where a person corrects the cause of a refusal.
const fn against(refusal: &Refusal) -> Option<&'static str> {
    match refusal {
        Refusal::ExternalAuthOff | Refusal::ProvisioningOff { .. } => {
            Some("The switch is in Settings, under Sign-in rules.")
        }
        Refusal::UserRemoved { is_ahead: true, .. } => {
            Some("Users has the button Correct times for that.")
        }
        _ => None,
    }
}

/// Returns what to do in Studio about an error.
pub(crate) const fn about(error: &Error) -> Option<&'static str> {
    match error.code {
        ErrorCode::InvalidDataFolder => {
            Some("The environment variable LATCHKEY_DATA_DIR names another data folder.")
        }
        ErrorCode::WeakSecret => {
            Some("The secret of an instance is in Settings, under Signing key.")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_whose_cause_a_screen_corrects_names_the_screen() {
        let removed = |is_ahead| Refusal::UserRemoved {
            subject: "ada".into(),
            at: 0,
            is_ahead,
        };
        for (refusal, screen) in [
            (Refusal::ExternalAuthOff, "Settings"),
            (removed(true), "Correct times"),
        ] {
            let hint = against(&refusal).unwrap_or_default();
            assert!(hint.contains(screen), "{}: {hint}", refusal.code());
        }
        assert_eq!(against(&removed(false)), None);
    }

    #[test]
    fn an_error_of_the_data_folder_names_the_variable_that_chooses_it() {
        let error = Error::new(ErrorCode::InvalidDataFolder, "");
        assert!(about(&error).is_some_and(|hint| hint.contains("LATCHKEY_DATA_DIR")));
        assert_eq!(about(&Error::new(ErrorCode::UnknownUser, "")), None);
    }
}
