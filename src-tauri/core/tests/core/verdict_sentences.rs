//! Sentences of refusals for administrators and visitors.

use latchkey_core::protocol::code::CodeRefusal;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::verdict::{Refusal, Seats};

/// A refusal, the user whom it names to the administrator, its title, and the visitor's sentence.
type Said = (Refusal, Option<&'static str>, &'static str, &'static str);

const AT_ALL: &str = "This link does not work. Ask whoever gave it to you for another.";

fn assert_said(rows: impl IntoIterator<Item = Said>) {
    for (refusal, user, title, visitor) in rows {
        assert_eq!(refusal.user().map(UserId::as_str), user, "{refusal:?}");
        assert_eq!(refusal.title(), title, "{refusal:?}");
        assert_eq!(refusal.for_visitor(), visitor, "{refusal:?}");
        assert!(refusal.to_string().ends_with('.'), "a sentence: {refusal}");
        let detail = refusal.shown_detail();
        assert!(refusal.shown().ends_with(&detail), "{detail}");
        let repeats = detail.to_lowercase().starts_with(title);
        assert!(!repeats, "said in the title already: {detail}");
    }
}

#[test]
fn a_refusal_of_a_code_names_nobody() {
    let code = |refused| Refusal::Code(refused);
    let rows: [Said; 6] = [
        (
            code(CodeRefusal::BadSignature),
            None,
            "the signature does not match",
            AT_ALL,
        ),
        (
            code(CodeRefusal::Expired { at: 1 }),
            None,
            "expired",
            "This link does not work any more. Ask whoever gave it to you for a new one.",
        ),
        (
            code(CodeRefusal::NotYetValid {
                at: 1,
                member: "iat",
                never: false,
            }),
            None,
            "not valid yet",
            "This link does not work yet. Open it again later.",
        ),
        (
            code(CodeRefusal::ExpiryRequired),
            None,
            "an expiry is required",
            AT_ALL,
        ),
        (
            code(CodeRefusal::WrongType),
            None,
            "another kind of token",
            AT_ALL,
        ),
        (
            code(CodeRefusal::WrongAudience {
                expected: "https://acme.example/".into(),
            }),
            None,
            "meant for another application",
            AT_ALL,
        ),
    ];
    assert_said(rows);
}

#[test]
fn a_refusal_names_the_user_to_the_administrator_and_nobody_to_the_visitor() {
    let id = |id: &str| UserId::parse(id, "id").unwrap();
    let subject = || "ada".to_owned();
    let seats = Seats {
        used: 10,
        limit: Some(10),
    };
    let rows: [Said; 14] = [
        (
            Refusal::ExternalAuthOff,
            None,
            "external authentication is off",
            AT_ALL,
        ),
        (Refusal::LinkRevoked, None, "the link was revoked", AT_ALL),
        (Refusal::UnknownLink, None, "there is no such link", AT_ALL),
        (
            Refusal::LinkAlreadyUsed,
            None,
            "the link has been used",
            "This link does not work any more. Ask whoever gave it to you for a new one.",
        ),
        (
            Refusal::UnknownUser { subject: subject() },
            None,
            "there is no user ada",
            AT_ALL,
        ),
        (
            Refusal::UserSuspended { user: id("ada") },
            Some("ada"),
            "ada is suspended",
            AT_ALL,
        ),
        (
            Refusal::UserEnded {
                user: id("ada"),
                at: 1,
            },
            Some("ada"),
            "the account of ada has ended",
            "This link does not work any more. Ask whoever gave it to you for a new one.",
        ),
        (
            Refusal::AccountOver {
                user: id("ada"),
                at: 1,
            },
            None,
            "the account of ada would be over",
            "This link does not work any more. Ask whoever gave it to you for a new one.",
        ),
        (
            Refusal::UserRemoved {
                subject: subject(),
                at: 1,
                is_ahead: false,
            },
            None,
            "ada was removed",
            AT_ALL,
        ),
        (
            Refusal::SharedEmail {
                users: vec![id("ada"), id("bob")],
            },
            None,
            "2 users have the email",
            AT_ALL,
        ),
        (
            Refusal::EmailMoved {
                email: subject(),
                at: 1,
            },
            None,
            "ada was another user's",
            AT_ALL,
        ),
        (
            Refusal::EmailInUse { owner: id("eve") },
            Some("eve"),
            "the email belongs to eve",
            AT_ALL,
        ),
        (
            Refusal::ProvisioningOff { user: id("ada") },
            None,
            "links create no users here",
            AT_ALL,
        ),
        (
            Refusal::NoSeats { seats },
            None,
            "no seats left",
            "There is no seat left. Ask whoever gave you this link to make room, then open it again.",
        ),
    ];
    assert_said(rows);
}
