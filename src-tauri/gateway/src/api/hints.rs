//! Requests and commands that help against a refusal. The messages of core name none.

use latchkey_core::protocol::code::CodeRefusal;
use latchkey_core::verdict::Refusal;

/// Requests of an API that help against a refusal.
pub(crate) struct Requests {
    add_user: &'static str,
    make_link: &'static str,
    change_user: &'static str,
    free_seat: &'static str,
    reactivate: &'static str,
    extend: &'static str,
    correct_times: &'static str,
    switch_on: &'static str,
}

impl Requests {
    /// Requests of the API for other systems. The administrator does what it cannot do.
    pub(super) const OTHER_SYSTEMS: Self = Self {
        add_user: "POST /api/v2/users adds the user.",
        make_link: "POST /api/v1/links makes a link.",
        change_user: "PATCH /api/v2/users/{id} changes an email.",
        free_seat: "DELETE /api/v2/users/{id} frees a seat.",
        reactivate: "The administrator reactivates a user in Studio (Users) or by 'latchkey users reactivate'.",
        extend: "The administrator extends an account in Studio (Users) or by 'latchkey users extend'.",
        correct_times: "The administrator sets recorded times to now in Studio ('Correct times' on the Users screen) or by 'latchkey users correct-times'.",
        switch_on: "The administrator switches it on in Studio (Settings) or by 'latchkey instance set --external-auth yes'.",
    };

    /// Requests of the administration API.
    pub(crate) const ADMINISTRATION: Self = Self {
        add_user: "POST /admin/v1/users adds the user.",
        make_link: "POST /admin/v1/links makes a link.",
        change_user: "PATCH /admin/v1/users/{id} changes an email.",
        free_seat: "PUT /admin/v1/seats changes the number of seats.",
        reactivate: "POST /admin/v1/users/{id}/reactivate reactivates the user.",
        extend: "PUT /admin/v1/users/{id}/account-end extends the account.",
        correct_times: "POST /admin/v1/times-ahead/correct sets recorded times to now.",
        switch_on: "PATCH /admin/v1/settings with 'external_auth' switches it on.",
    };

    /// Returns the request or the command that helps against a refusal.
    pub(super) const fn against(&self, refusal: &Refusal) -> Option<&'static str> {
        match refusal {
            Refusal::UnknownUser { .. } | Refusal::ProvisioningOff { .. } => Some(self.add_user),
            Refusal::LinkRevoked
            | Refusal::LinkAlreadyUsed
            | Refusal::EmailMoved { .. }
            | Refusal::AccountOver { .. }
            | Refusal::UserRemoved {
                is_ahead: false, ..
            }
            | Refusal::Code(CodeRefusal::Expired { .. } | CodeRefusal::ExpiryRequired) => {
                Some(self.make_link)
            }
            Refusal::EmailInUse { .. } | Refusal::SharedEmail { .. } => Some(self.change_user),
            Refusal::UserRemoved { is_ahead: true, .. } => Some(self.correct_times),
            Refusal::NoSeats { .. } => Some(self.free_seat),
            Refusal::UserSuspended { .. } => Some(self.reactivate),
            Refusal::UserEnded { .. } => Some(self.extend),
            Refusal::ExternalAuthOff => Some(self.switch_on),
            _ => None,
        }
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
            (
                Refusal::UserEnded {
                    user: user.clone(),
                    at: 0,
                },
                "users extend",
            ),
            (Refusal::UserSuspended { user }, "reactivate"),
            (Refusal::ExternalAuthOff, "--external-auth"),
        ] {
            let hint = Requests::OTHER_SYSTEMS
                .against(&refusal)
                .unwrap_or_default();
            assert!(hint.contains(words), "{}: {hint}", refusal.code());
        }
        assert_eq!(
            Requests::OTHER_SYSTEMS.against(&Refusal::Code(CodeRefusal::WrongType)),
            None
        );
    }
}
