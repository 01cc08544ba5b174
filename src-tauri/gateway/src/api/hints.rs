//! Requests and commands that help against a refusal. The messages of core name none.

use latchkey_core::protocol::code::CodeRefusal;
use latchkey_core::verdict::Refusal;

/// Returns what a system that uses the API, or its administrator, can do against a refusal.
pub(super) const fn against(refusal: &Refusal) -> Option<&'static str> {
    match refusal {
        Refusal::UnknownUser { .. } | Refusal::ProvisioningOff { .. } => {
            Some("POST /api/v2/users adds the user.")
        }
        Refusal::LinkRevoked
        | Refusal::LinkAlreadyUsed
        | Refusal::EmailMoved { .. }
        | Refusal::UserRemoved {
            is_ahead: false, ..
        }
        | Refusal::Code(CodeRefusal::Expired { .. } | CodeRefusal::ExpiryRequired) => {
            Some("POST /api/v1/links makes a link.")
        }
        Refusal::EmailInUse { .. } | Refusal::SharedEmail { .. } => {
            Some("PATCH /api/v2/users/{id} changes an email.")
        }
        Refusal::UserRemoved { is_ahead: true, .. } => Some(
            "The administrator sets recorded times to now in Studio ('Correct times' on the Users screen) or by 'latchkey users correct-times'.",
        ),
        Refusal::NoSeats { .. } => Some("DELETE /api/v2/users/{id} frees a seat."),
        Refusal::UserSuspended { .. } => Some(
            "The administrator reactivates a user in Studio (Users) or by 'latchkey users reactivate'.",
        ),
        Refusal::ExternalAuthOff => Some(
            "The administrator switches it on in Studio (Settings) or by 'latchkey instance set --external-auth yes'.",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use latchkey_core::protocol::user_id::UserId;

    use super::*;

    #[test]
    fn refusals_that_a_request_or_a_command_helps_against_have_a_hint() {
        let user = UserId::parse("ada", "id").unwrap();
        let removed = |is_ahead| Refusal::UserRemoved {
            subject: "ada".into(),
            at: 0,
            is_ahead,
        };
        for (refusal, words) in [
            (removed(true), "correct-times"),
            (removed(false), "/api/v1/links"),
            (Refusal::LinkAlreadyUsed, "/api/v1/links"),
            (Refusal::UserSuspended { user }, "reactivate"),
            (Refusal::ExternalAuthOff, "--external-auth"),
        ] {
            let hint = against(&refusal).unwrap_or_default();
            assert!(hint.contains(words), "{}: {hint}", refusal.code());
        }
        assert_eq!(against(&Refusal::Code(CodeRefusal::WrongType)), None);
    }
}
