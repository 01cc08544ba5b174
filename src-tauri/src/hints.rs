//! Where in Studio a person does what a message asks for. The messages of core and store name no
//! screen.

use latchkey_core::inspect::forecast::Forecast;
use latchkey_core::protocol::code::CodeRefusal;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::verdict::Refusal;
use latchkey_core::{Error, ErrorCode};
use serde::Serialize;
use ts_rs::TS;

/// An action in Studio that corrects the cause of a refusal. The window shows a button for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Remedy {
    /// Show the panel of a user.
    ShowUser {
        /// ID of the user.
        #[ts(as = "String")]
        user: UserId,
    },
    /// Set another end of a user's account, in the panel of the user.
    ExtendUser {
        /// ID of the user.
        #[ts(as = "String")]
        user: UserId,
    },
    /// Show all users, for example to free a seat.
    ShowUsers,
    /// Add the person as a user.
    AddUser,
    /// Make a link that creates the person.
    NewPerson,
    /// Make a new link for the same person.
    NewLink,
    /// Change the seat limit.
    SeatLimit,
    /// Change the sign-in rules.
    SignInRules,
}

/// Returns the actions that correct the cause of a refused forecast, the most helpful first.
pub(crate) fn remedies(forecast: &Forecast) -> Vec<Remedy> {
    forecast.refusal.as_ref().map(against).unwrap_or_default()
}

fn against(refusal: &Refusal) -> Vec<Remedy> {
    let show = |user: &UserId| Remedy::ShowUser { user: user.clone() };
    match refusal {
        Refusal::ExternalAuthOff | Refusal::Code(CodeRefusal::ExpiryRequired) => {
            vec![Remedy::SignInRules]
        }
        Refusal::Code(CodeRefusal::Expired { .. })
        | Refusal::LinkRevoked
        | Refusal::LinkSuperseded
        | Refusal::LinkAlreadyUsed
        | Refusal::EmailMoved { .. }
        | Refusal::AccountOver { .. } => vec![Remedy::NewLink],
        Refusal::SharedEmail { users } => users.iter().map(show).collect(),
        Refusal::UnknownUser { .. } => vec![Remedy::NewPerson, Remedy::AddUser],
        Refusal::UserEnded { user, .. } => vec![Remedy::ExtendUser { user: user.clone() }],
        Refusal::UserSuspended { user } | Refusal::EmailInUse { owner: user } => vec![show(user)],
        // The users' screen has the button that corrects the recorded times.
        Refusal::UserRemoved { is_ahead: true, .. } => vec![Remedy::ShowUsers],
        Refusal::UserRemoved { .. } => vec![Remedy::NewPerson],
        Refusal::ProvisioningOff { .. } => vec![Remedy::AddUser, Remedy::SignInRules],
        Refusal::NoSeats { .. } => vec![Remedy::SeatLimit, Remedy::ShowUsers],
        // The program that makes the codes causes the other faults of a code.
        _ => Vec::new(),
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

    use latchkey_core::verdict::Seats;

    fn user(id: &str) -> UserId {
        UserId::parse(id, "id").unwrap()
    }

    #[test]
    fn a_refusal_that_a_person_corrects_in_studio_has_the_action_for_it() {
        let removed = |is_ahead| Refusal::UserRemoved {
            subject: "ada".into(),
            at: 0,
            is_ahead,
        };
        let show = |id| Remedy::ShowUser { user: user(id) };
        let seats = Seats {
            used: 1,
            limit: Some(1),
        };
        for (refusal, expected) in [
            (Refusal::ExternalAuthOff, vec![Remedy::SignInRules]),
            (
                Refusal::ProvisioningOff { user: user("ada") },
                vec![Remedy::AddUser, Remedy::SignInRules],
            ),
            (
                Refusal::NoSeats { seats },
                vec![Remedy::SeatLimit, Remedy::ShowUsers],
            ),
            (
                Refusal::UserSuspended { user: user("ada") },
                vec![show("ada")],
            ),
            (
                Refusal::UserEnded {
                    user: user("ada"),
                    at: 0,
                },
                vec![Remedy::ExtendUser { user: user("ada") }],
            ),
            (
                Refusal::AccountOver {
                    user: user("ada"),
                    at: 0,
                },
                vec![Remedy::NewLink],
            ),
            (
                Refusal::EmailInUse {
                    owner: user("grace"),
                },
                vec![show("grace")],
            ),
            (
                Refusal::SharedEmail {
                    users: vec![user("ada"), user("grace")],
                },
                vec![show("ada"), show("grace")],
            ),
            (
                Refusal::UnknownUser {
                    subject: "ada".into(),
                },
                vec![Remedy::NewPerson, Remedy::AddUser],
            ),
            (removed(true), vec![Remedy::ShowUsers]),
            (removed(false), vec![Remedy::NewPerson]),
            (Refusal::LinkRevoked, vec![Remedy::NewLink]),
            (
                Refusal::Code(CodeRefusal::Expired { at: 0 }),
                vec![Remedy::NewLink],
            ),
            (Refusal::Code(CodeRefusal::BadSignature), vec![]),
        ] {
            assert_eq!(against(&refusal), expected, "{}", refusal.code());
        }
    }

    #[test]
    fn an_error_of_the_data_folder_names_the_variable_that_chooses_it() {
        let error = Error::new(ErrorCode::InvalidDataFolder, "");
        assert!(about(&error).is_some_and(|hint| hint.contains("LATCHKEY_DATA_DIR")));
        assert_eq!(about(&Error::new(ErrorCode::UnknownUser, "")), None);
    }
}
