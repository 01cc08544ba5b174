//! The verdict for every combination of payload, directory, policy and time.

use latchkey_core::instance::Policy;
use latchkey_core::link::BaseUrl;
use latchkey_core::protocol::audience::Audiences;
use latchkey_core::protocol::code::{CodeRules, verify};
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::verdict::{DirectoryFacts, LinkState, Seats, Status, judge};

use crate::signed::{HEADER, RULES, key, now, signed};
use crate::verdicts::{EMAIL, ID, USER, known, second};

/// All combinations. The first matching row has the verdicts; `*` matches anything. The last three
/// columns are the verdicts for `{"email"}`, `{"id"}` and `{"user"}`.
#[rustfmt::skip]
const TABLE: &[[&str; 6]] = &[
    // directory         policy            time       email               id                  user
    ["*",                "auth off",       "*",       "external_auth_off", "external_auth_off", "external_auth_off"],
    ["*",                "*",              "expired", "expired",           "expired",           "expired"],
    ["*",                "*",              "early",   "not_yet_valid",     "not_yet_valid",     "not_yet_valid"],
    ["*",                "*",              "dated ahead", "not_yet_valid", "not_yet_valid",     "not_yet_valid"],
    ["*",                "*",              "other audience", "wrong_audience", "wrong_audience", "wrong_audience"],
    ["*",                "*",              "other type", "wrong_type",     "wrong_type",        "wrong_type"],
    ["*",                "needs expiry",   "no exp",  "expiry_required",   "expiry_required",   "expiry_required"],
    ["revoked",          "*",              "*",       "link_revoked",      "link_revoked",      "link_revoked"],
    ["superseded",       "*",              "*",       "link_superseded",   "link_superseded",   "link_superseded"],
    ["used",             "*",              "*",       "link_already_used", "link_already_used", "link_already_used"],
    ["of another",       "*",              "*",       "unknown_link",      "unknown_link",      "unknown_link"],
    ["active",           "*",              "*",       "signed_in",         "signed_in",         "signed_in"],
    ["active, full",     "*",              "*",       "signed_in",         "signed_in",         "signed_in"],
    ["active, email taken", "*",           "*",       "signed_in",         "signed_in",         "email_in_use"],
    ["suspended",        "*",              "*",       "user_suspended",    "user_suspended",    "user_suspended"],
    ["ended",            "*",              "*",       "user_ended",        "user_ended",        "user_ended"],
    ["email of several", "*",              "*",       "ambiguous_payload", "signed_in",         "signed_in"],
    ["removed, link after", "no creation", "*",       "user_removed",      "user_removed",      "provisioning_off"],
    ["removed, link after", "*",           "*",       "user_removed",      "user_removed",      "provisioned"],
    ["removed since",    "*",              "*",       "user_removed",      "user_removed",      "user_removed"],
    ["removed before",   "no creation",    "*",       "user_removed",      "user_removed",      "provisioning_off"],
    ["removed before",   "*",              "*",       "user_removed",      "user_removed",      "provisioned"],
    ["unknown, email taken", "*",          "*",       "unknown_user",      "unknown_user",      "email_in_use"],
    ["unknown",          "no creation",    "*",       "unknown_user",      "unknown_user",      "provisioning_off"],
    ["unknown",          "*",              "*",       "unknown_user",      "unknown_user",      "provisioned"],
    ["unknown, full",    "no creation",    "*",       "unknown_user",      "unknown_user",      "provisioning_off"],
    ["unknown, full",    "*",              "*",       "unknown_user",      "unknown_user",      "no_seats"],
];

fn directories() -> Vec<(&'static str, DirectoryFacts)> {
    let full = Seats {
        used: 10,
        limit: Some(10),
    };
    let grace = Some(UserId::parse("grace", "id").unwrap());
    let (active, unknown) = (known(Some(Status::Active)), known(None));
    vec![
        ("active", active.clone()),
        (
            "active, full",
            DirectoryFacts {
                seats: full,
                ..active.clone()
            },
        ),
        (
            "active, email taken",
            DirectoryFacts {
                email_owner: grace.clone(),
                ..active.clone()
            },
        ),
        (
            "revoked",
            DirectoryFacts {
                link: LinkState::Revoked,
                ..active.clone()
            },
        ),
        (
            "superseded",
            DirectoryFacts {
                link: LinkState::Superseded,
                ..active.clone()
            },
        ),
        (
            "used",
            DirectoryFacts {
                link: LinkState::Used,
                ..active.clone()
            },
        ),
        (
            "of another",
            DirectoryFacts {
                link: LinkState::OfAnother,
                ..active
            },
        ),
        ("suspended", known(Some(Status::Suspended))),
        ("ended", known(Some(Status::Ended))),
        (
            "removed since",
            DirectoryFacts {
                removed_at: Some(second(-5)),
                ..unknown.clone()
            },
        ),
        (
            "removed, link after",
            DirectoryFacts {
                removed_at: Some(second(-5)),
                made_since_removal: true,
                ..unknown.clone()
            },
        ),
        (
            "email of several",
            DirectoryFacts {
                email_sharers: vec![
                    UserId::parse("ada", "id").unwrap(),
                    UserId::parse("eve", "id").unwrap(),
                ],
                ..known(Some(Status::Active))
            },
        ),
        (
            "removed before",
            DirectoryFacts {
                removed_at: Some(second(-5_000)),
                ..unknown.clone()
            },
        ),
        (
            "unknown, full",
            DirectoryFacts {
                seats: full,
                ..unknown.clone()
            },
        ),
        (
            "unknown, email taken",
            DirectoryFacts {
                email_owner: grace,
                ..unknown.clone()
            },
        ),
        ("unknown", unknown),
    ]
}

fn policies() -> [(&'static str, Policy); 5] {
    let policy = Policy::default();
    [
        ("usual", policy),
        (
            "auth off",
            Policy {
                external_auth: false,
                ..policy
            },
        ),
        (
            "needs expiry",
            Policy {
                require_expiry: true,
                ..policy
            },
        ),
        (
            "no creation",
            Policy {
                provisioning: false,
                ..policy
            },
        ),
        (
            "no refresh",
            Policy {
                refresh_profile: false,
                ..policy
            },
        ),
    ]
}

#[test]
fn every_combination_of_payload_directory_policy_and_time_has_its_verdict() {
    let (iat, exp) = (second(-60), second(3_600));
    let times = [
        ("valid", format!(r#""iat":{iat},"exp":{exp}"#)),
        (
            "expired",
            format!(r#""iat":{iat},"exp":{}"#, second(-3_600)),
        ),
        (
            "early",
            format!(r#""iat":{iat},"nbf":{},"exp":{exp}"#, second(600)),
        ),
        (
            "dated ahead",
            format!(r#""iat":{},"exp":{exp}"#, second(61)),
        ),
        (
            "other audience",
            format!(r#""iat":{iat},"exp":{exp},"aud":"elsewhere""#),
        ),
        ("other type", format!(r#""iat":{iat},"exp":{exp}"#)),
        ("no exp", format!(r#""iat":{iat}"#)),
    ];
    let url = BaseUrl::parse("https://chat.acme.example").unwrap();
    let mut used = vec![false; TABLE.len()];
    let mut wrong = Vec::new();
    let mut combinations = 0;
    for (directory, known) in directories() {
        for (policy_name, policy) in policies() {
            for (time, claims) in &times {
                let matches = |row: &[&str; 6]| {
                    [directory, policy_name, time]
                        .iter()
                        .zip(row)
                        .all(|(value, pattern)| *pattern == "*" || value == pattern)
                };
                let row = TABLE
                    .iter()
                    .position(matches)
                    .expect("every combination is in the table");
                used[row] = true;
                for (column, payload) in [EMAIL, ID, USER].into_iter().enumerate() {
                    let claims = format!(r#"{{{payload},"jti":"one","single_use":true,{claims}}}"#);
                    let header = match *time {
                        "other type" => r#"{"alg":"HS256","typ":"at+jwt"}"#,
                        _ => HEADER,
                    };
                    let rules = CodeRules {
                        require_expiry: policy.require_expiry,
                        audiences: Some(Audiences {
                            url: &url,
                            others: &[],
                        }),
                        ..RULES
                    };
                    let code = verify(&signed(header, &claims), &[&key()], rules, now());
                    let found = judge(code.as_ref(), policy, &known).code();
                    let expected = TABLE[row][3 + column];
                    combinations += 1;
                    if found != expected {
                        wrong.push(format!(
                            "{directory}, {policy_name}, {time}, {payload}: {found}, not {expected}"
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(combinations, 16 * 5 * 7 * 3);
    assert!(
        used.iter().all(|used| *used),
        "a row of the table is never used: {used:?}"
    );
}
