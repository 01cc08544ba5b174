//! Tests of what is known of the users at TypingMind.

use jiff::Timestamp;
use latchkey_core::ErrorCode;
use latchkey_core::directory::Search;
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::{ExistingId, NewUser, Payload};
use latchkey_core::secret::Secret;
use latchkey_core::typingmind::{
    CopyQuery, CopySort, CopySortBy, Region, UserCopy, known, parse_key, parse_listing, problem_in,
};

const AT: i64 = 1_795_705_400;

fn copy(answer: &str) -> UserCopy {
    UserCopy::of_listing(AT, parse_listing(answer.as_bytes()).unwrap())
}

fn sample() -> UserCopy {
    copy(
        r#"{ "data": [
            { "id": "20", "email": "Ada@Acme.example", "createdAt": "2026-11-01T10:00:00.000Z",
              "groups": [{ "id": "g2", "name": "support" }, { "id": "g1", "name": "Sales" }] },
            { "id": 3, "email": "bob@bücher.example", "plan": "pro", "groups": null },
            { "id": "x1", "email": null, "createdAt": 17 },
            { "id": "100", "email": "carla@acme.example", "groups": [{ "id": "g1" }, "odd"] }
        ] }"#,
    )
}

fn ids(copy: &UserCopy, query: &CopyQuery, by: CopySortBy, descending: bool) -> Vec<String> {
    let page = copy.page(query, CopySort { by, descending }, 0, 99);
    page.users.iter().map(|user| user.id.clone()).collect()
}

#[test]
fn an_answer_needs_only_ids_and_new_members_are_ignored() {
    let copy = sample();
    let groups: Vec<&str> = copy
        .groups()
        .iter()
        .map(|group| group.name.as_str())
        .collect();
    assert_eq!(groups, ["Sales", "support"]);
    let carla = copy.by_id("100").unwrap();
    assert_eq!(copy.groups_of(carla).count(), 1);
    let odd = copy.by_id("x1").unwrap();
    assert_eq!((odd.email.as_deref(), odd.created_at), (None, None));
}

#[test]
fn an_answer_that_cannot_be_used_says_why() {
    for (answer, why) in [
        ("", "ends in the middle"),
        (r#"{"data":["#, "ends in the middle"),
        ("<html>", "not JSON"),
        ("[]", "other types"),
        ("{}", "no list 'data'"),
        (r#"{"data":null}"#, "no list 'data'"),
        (
            r#"{"data":[{"id":"1"},{"email":"a@b.c"}]}"#,
            "user 2 in it has no 'id'",
        ),
        (r#"{"data":[{"id":""}]}"#, "user 1"),
        (r#"{"data":[{"id":1.5}]}"#, "user 1"),
        (r#"{"data":[1]}"#, "other types"),
    ] {
        let refused = parse_listing(answer.as_bytes()).unwrap_err();
        assert_eq!(refused.code, ErrorCode::UnexpectedAnswer, "{answer}");
        assert!(refused.message.contains(why), "{answer}: {refused}");
    }
}

#[test]
fn users_without_the_sorted_value_come_last_in_both_directions() {
    let copy = sample();
    let all = CopyQuery::default();
    for (by, descending, expected) in [
        (CopySortBy::Email, false, ["20", "3", "100", "x1"]),
        (CopySortBy::Email, true, ["100", "3", "20", "x1"]),
        (CopySortBy::Id, false, ["3", "20", "100", "x1"]),
        (CopySortBy::Id, true, ["x1", "100", "20", "3"]),
    ] {
        assert_eq!(
            ids(&copy, &all, by, descending),
            expected,
            "{by:?} {descending}"
        );
    }
    for descending in [false, true] {
        assert_eq!(ids(&copy, &all, CopySortBy::Created, descending)[0], "20");
    }
}

#[test]
fn a_search_finds_addresses_in_unicode_and_in_punycode() {
    let copy = sample();
    let found = |text: &str| {
        let search = Search::new(text);
        let query = CopyQuery {
            search,
            group: None,
        };
        ids(&copy, &query, CopySortBy::Id, false)
    };
    for text in ["BÜCHER", "xn--bcher-kva", "bob example", "3"] {
        assert_eq!(found(text), ["3"], "{text}");
    }
    assert!(found("bob acme").is_empty());
}

#[test]
fn the_user_of_a_code_is_found_by_address_or_typingminds_id_only() {
    let now = Timestamp::from_second(AT + 180).unwrap();
    let email = |text: &str| Email::parse(text, "email").unwrap();
    let user = |id: &str, email: Option<&str>| {
        Payload::User(NewUser::parse(id, email, Metadata::default()).unwrap())
    };
    let id = |id: &str| Payload::Id(ExistingId::parse(id, false).unwrap());
    for (payload, exists, sentence) in [
        (
            Payload::Email(email("ADA@acme.example")),
            Some(true),
            "ADA@acme.example exists there, as of 3 minutes ago.",
        ),
        (
            Payload::Email(email("bob@xn--bcher-kva.example")),
            Some(true),
            "bob@xn--bcher-kva.example exists there, as of 3 minutes ago.",
        ),
        (
            Payload::Email(email("eve@acme.example")),
            Some(false),
            "eve@acme.example does not exist there, as of 3 minutes ago.",
        ),
        (
            id("100"),
            Some(true),
            "The user with TypingMind's ID 100 exists there, as of 3 minutes ago.",
        ),
        (
            id("7"),
            Some(false),
            "The user with TypingMind's ID 7 does not exist there, as of 3 minutes ago.",
        ),
        // A user.id is not TypingMind's ID, even if they are equal.
        (
            user("100", None),
            None,
            "Whether 100 exists there is not known: TypingMind's API does not tell this ID.",
        ),
        (
            user("100", Some("ada@acme.example")),
            Some(true),
            "ada@acme.example exists there, as of 3 minutes ago. Whether 100 exists there is not known: TypingMind's API does not tell this ID.",
        ),
        (
            user("eve", Some("eve@acme.example")),
            None,
            "eve@acme.example does not exist there, as of 3 minutes ago. Whether eve exists there is not known: TypingMind's API does not tell this ID.",
        ),
    ] {
        let known = known(&payload, &sample(), now);
        assert_eq!((known.exists, known.sentence.as_str()), (exists, sentence));
    }
}

#[test]
fn a_copy_follows_what_an_administrator_does() {
    let added = parse_listing(
        br#"{"data":[{"id":"5","email":"eve@acme.example","groups":[{"id":"g9","name":"New"}]}]}"#,
    );
    let copy = sample().with(added.unwrap().remove(0)).without("20");
    let eve = copy
        .by_email(&Email::parse("Eve@acme.example", "email").unwrap())
        .unwrap();
    assert_eq!(copy.groups_of(eve).next().unwrap().name, "New");
    assert!(copy.by_id("20").is_none());
    assert!(
        copy.by_email(&Email::parse("ada@acme.example", "email").unwrap())
            .is_none()
    );
    let carla = copy.by_id("100").unwrap();
    assert_eq!(copy.groups_of(carla).next().unwrap().id, "g1");
    assert_eq!((copy.at, copy.users().len()), (AT, 4));
}

#[test]
fn a_region_is_one_of_typingminds_or_a_proxy_with_an_encrypted_address() {
    let url = |text: &str| {
        text.parse::<Region>()
            .map(|region| region.api_url().to_owned())
    };
    assert_eq!(url("us").unwrap(), "https://api.typingmind.com/api");
    assert_eq!(url("eu").unwrap(), "https://api.eu.typingmind.com/api");
    assert_eq!(
        url("https://proxy.example/a/").unwrap(),
        "https://proxy.example/a"
    );
    assert!(url("http://localhost:8080/api").is_ok());
    for refused in [
        "http://proxy.example",
        "https://u:p@proxy.example",
        "https://a.b/?c",
        "US",
        "",
    ] {
        let refused = url(refused).unwrap_err();
        assert_eq!(
            refused.field.as_deref(),
            Some("typingmind_region"),
            "{refused}"
        );
    }
}

#[test]
fn a_key_is_freed_of_what_copying_adds_and_a_text_that_is_no_key_is_refused() {
    let parsed = |text: &str| parse_key(&Secret::new(text.to_owned()));
    let key = parsed("\u{feff} tm-1\u{200b}23\r\n").unwrap();
    assert_eq!(key.expose(), "tm-123");
    for text in ["", " \n", "two words", "schlüssel", &"a".repeat(513)] {
        let refused = parsed(text).unwrap_err();
        assert_eq!(refused.field.as_deref(), Some("typingmind_key"), "{text}");
    }
}

#[test]
fn the_reason_of_a_refusal_never_has_the_key() {
    let key = Secret::new("tm-123".to_owned());
    let reason = |answer: &str| problem_in(answer.as_bytes(), &key);
    assert_eq!(
        reason(r#"{"message":"no tm-123"}"#).as_deref(),
        Some("no [redacted]")
    );
    assert_eq!(reason(r#"{"error":"exists"}"#).as_deref(), Some("exists"));
    assert_eq!(reason(r#"{"message":{}}"#), None);
    assert_eq!(reason("<html>"), None);
    let long = format!(r#"{{"message":"{}"}}"#, "a".repeat(1000));
    assert_eq!(reason(&long).unwrap().len(), 200);
}
