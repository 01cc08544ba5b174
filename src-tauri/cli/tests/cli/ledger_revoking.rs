//! Revoking links on the command line.

use jiff::{SignedDuration, Timestamp};
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::protocol::claims::{Claims, Registered};
use latchkey_core::protocol::code::{Algorithm, sign};
use latchkey_core::protocol::payload::{ExistingId, Payload};
use latchkey_core::secret::{Secret, SigningKey};
use latchkey_core::sign_in::redeem;
use latchkey_core::verdict::Verdict;
use latchkey_store::Wait as _;
use latchkey_store::home::Home;
use latchkey_store::keys::KeychainUse;
use serde_json::json;

use crate::ledger::{done, elsewhere, id, link, links, listed};
use crate::run::{SECRET, hosted_here, in_folder, until};

#[test]
fn links_for_an_address_that_nobody_has_are_listed_and_revoked_by_it() {
    for (folder, code, counted) in [
        (hosted_here("https://a.b"), 0, "stopped"),
        (elsewhere(), 1, "marked"),
    ] {
        let at = folder.path();
        let made = id(&link(at, &["--email", "ada@acme.example"]));
        link(at, &["--id", "7"]);
        let of = |more: &[&str]| {
            let listed = listed(at, &[&["--user", "Ada@acme.example"], more].concat());
            let ids = listed.iter().map(id);
            ids.collect::<Vec<_>>()
        };
        assert_eq!(of(&[]), std::slice::from_ref(&made));
        let text = links(at, &["list", "--search", &made]).out;
        assert_eq!(text.split('\t').nth(1), Some("ada@acme.example"));
        let revoke = ["--json", "revoke", "--user", "ada@acme.example"];
        let revoked = links(at, &revoke);
        assert_eq!((revoked.code, &revoked.json()[counted]), (code, &json!(1)));
        assert_eq!(of(&["--status", "revoked"]), [made]);
        assert_eq!(listed(at, &["--works", "yes"]).len(), 1);
    }
}

#[test]
fn revoking_the_links_of_nobody_says_so_and_changes_nothing() {
    for folder in [hosted_here("https://a.b"), elsewhere()] {
        let at = folder.path();
        link(at, &["--user-id", "ada", "--metadata", "name=Ada Lovelace"]);
        let entries = ["activity", "list", "--instance", "here"];
        let before = done(at, &entries);
        for nobody in ["eve", "Ada Lovelace", "eve@acme.example"] {
            let revoke = ["revoke", "--user", nobody];
            let refused = links(at, &[&["--json"], &revoke[..]].concat()).refusal();
            let expected = (1, "unknown_user".to_owned(), Some("user".to_owned()));
            assert_eq!(refused, expected, "{nobody}");
            let text = links(at, &revoke);
            let said = format!("No user has the ID or the address '{nobody}'");
            assert!(text.err.contains(&said), "{}", text.err);
            assert!(text.out.is_empty(), "{}", text.out);
        }
        assert_eq!(done(at, &entries), before);
        assert_eq!(listed(at, &["--works", "yes"]).len(), 1);
    }
}

#[test]
fn links_of_a_removed_user_are_revoked_and_new_ones_work() {
    let folder = hosted_here("https://a.b");
    let at = folder.path();
    let user = |command: &str| {
        done(
            at,
            &["users", "--instance", "here", command, "ada", "--yes"],
        )
    };
    user("add");
    let old = id(&link(at, &["--id", "ada"]));
    user("remove");
    user("add");
    let new = id(&link(at, &["--id", "ada"]));
    let states = |more: &[&str]| {
        let listed = listed(at, more);
        let states = listed.iter().map(|link| (id(link), link["status"].clone()));
        states.collect::<Vec<_>>()
    };
    // Links of the same second are in no order that matters.
    let all = states(&[]);
    let (new, old) = ((new, json!("not_used")), (old, json!("revoked")));
    assert!(all.contains(&new) && all.contains(&old), "{all:?}");
    assert_eq!(all.len(), 2);
    assert_eq!(states(&["--works", "yes"]), [new]);
}

#[test]
fn links_of_a_key_are_revoked_when_it_retires_also_while_nothing_runs() {
    let folder = hosted_here("https://a.b");
    let at = folder.path();
    let old = id(&link(at, &["--id", "1"]));
    let keys = |more: &[&str]| done(at, &[&["keys"], more, &["--instance", "here"]].concat());
    keys(&["rotate", "--retire-after", "2s"]);
    let new = id(&link(at, &["--id", "2"]));
    let status = |id: &str| listed(at, &["--search", id])[0]["status"].clone();
    until("the key has retired", || status(&old) == "revoked");
    assert_eq!(status(&new), "not_used");
    let key = keys(&["list"])["signing_keys"][0]["id"].clone();
    keys(&["rotate", "--retire-after", "30d"]);
    assert_eq!(status(&new), "not_used");
    keys(&["retire", key.as_str().unwrap()]);
    assert_eq!(status(&new), "revoked");
    // A key that is replaced at once has retired, too.
    let last = id(&link(at, &["--id", "3"]));
    keys(&["rotate", "--retire-after", "now"]);
    assert_eq!(status(&last), "revoked");
    let refused = links(at, &["--json", "copy", &last]).refusal();
    assert_eq!(refused.1, "not_copyable");
}

#[test]
fn a_link_that_was_used_up_stays_so_and_nothing_is_left_to_take_back() {
    let folder = hosted_here("https://a.b");
    let at = folder.path();
    let made = link(at, &["--user-id", "ada", "--uses", "1"]);
    let redeem = [
        "redeem",
        "--instance",
        "here",
        made["link"].as_str().unwrap(),
    ];
    assert_eq!(in_folder(at, &redeem).code, 0);
    let once = id(&made);
    let revoke = |more: &[&str]| links(at, &[&["revoke", &once], more].concat());
    let said = revoke(&[]);
    let expected = format!(
        "{once} was used up before, so nothing was left to take back. No new link can be asked for with it any more."
    );
    assert_eq!((said.code, said.out.trim()), (0, &*expected));
    let said = revoke(&["--end-sessions"]).out;
    let expected = format!(
        "{once} was used up before. Any sessions that began with it have ended. No new link can be asked for with it any more."
    );
    assert_eq!(said.trim(), expected);
    let json = revoke(&["--json"]).json();
    assert_eq!(
        (&json["stopped"], &json["links"][0]["before"]),
        (&json!(0), &json!("used_up"))
    );
    assert_eq!(listed(at, &[])[0]["status"], "used_up");
    let revoke = ["revoke", "--user", "ada"];
    assert!(links(at, &revoke).out.contains("none of them worked"));
    assert_eq!(listed(at, &[])[0]["status"], "used_up");
}

#[test]
fn links_are_revoked_only_by_ids_that_can_be_kept_and_by_keys_that_are_known() {
    for folder in [hosted_here("https://a.b"), elsewhere()] {
        let at = folder.path();
        let key = link(at, &["--user-id", "ada"]);
        let key = done(at, &["links", "--instance", "here", "show", &id(&key)])["link"]["key"]
            .as_str()
            .unwrap()
            .to_owned();
        for (arguments, said) in [
            (["revoke", "--key", "nobody"], "no signing key with this ID"),
            (["revoke", "--key", ""], "no signing key with this ID"),
            // One ID of a key in 64 begins so.
            (
                ["revoke", "--key", "-nobody"],
                "no signing key with this ID",
            ),
            (["revoke", "", "--json"], "1 to 1024 bytes"),
            (["revoke", &"x".repeat(1025), "--json"], "1 to 1024 bytes"),
        ] {
            let refused = links(at, &arguments);
            assert_eq!(refused.code, 1, "{arguments:?}: {}", refused.out);
            assert!(refused.err.contains(said), "{}", refused.err);
        }
        assert_eq!(listed(at, &["--works", "yes"]).len(), 1);
        let revoked = links(at, &["revoke", "--key", &key]);
        let status = listed(at, &[])[0]["status"].clone();
        let is_revoked = ["revoked", "marked_revoked"].contains(&status.as_str().unwrap());
        assert!(is_revoked, "{status}: {}", revoked.err);
    }
}

#[test]
fn a_mistyped_id_revokes_nothing_unless_it_is_called_unknown() {
    for (folder, code) in [(hosted_here("https://a.b"), 0), (elsewhere(), 1)] {
        let at = folder.path();
        let made = id(&link(at, &["--user-id", "ada"]));
        for ids in [&["mistyped"][..], &[&made, "mistyped"]] {
            let revoke = [&["revoke"], ids].concat();
            let (_, error, field) = links(at, &[&["--json"], &revoke[..]].concat()).refusal();
            assert_eq!((&*error, field.as_deref()), ("unknown_link", Some("link")));
            let said = links(at, &revoke).err;
            assert!(
                said.contains("'mistyped'") && said.contains("--unknown"),
                "{said}"
            );
            let works = listed(at, &["--works", "yes"]);
            assert_eq!(works.len(), 1, "nothing is half done");
            assert_eq!(listed(at, &[]).len(), 1);
        }
        let revoked = links(at, &["revoke", "theirs", "--unknown"]);
        assert_eq!(revoked.code, code, "{}", revoked.err);
        assert_eq!(listed(at, &["--status", "revoked"]).len(), 1);
    }
}

#[test]
fn revoking_says_what_it_has_changed() {
    let folder = hosted_here("https://a.b");
    let at = folder.path();
    let made = id(&link(at, &["--user-id", "ada"]));
    let revoke = |more: &[&str]| {
        let ran = links(at, &[&["revoke"], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out.trim().to_owned()
    };
    assert_eq!(
        revoke(&[&made, &made, "foreign", "--unknown"]),
        format!(
            "Revoked {made}, which worked until now.\nforeign is not in the list. A code with this id is refused from now on."
        )
    );
    assert_eq!(
        revoke(&[&made, "--end-sessions"]),
        format!(
            "Revoked {made}, which was revoked before. Any sessions that began with it have ended."
        )
    );
    for _ in 0..2 {
        link(at, &["--user-id", "ada"]);
    }
    assert_eq!(
        revoke(&["--user", "ada"]),
        "Revoked all links of ada; 2 of them worked until now."
    );
    assert_eq!(
        revoke(&["--user", "ada"]),
        "Revoked all links of ada; none of them worked."
    );
    assert_eq!(
        revoke(&["--user", "ada", "--end-sessions"]),
        "Revoked all links of ada; none of them worked. Any sessions that began with them have ended."
    );
    let activity = in_folder(at, &["activity", "list", "--instance", "here"]).out;
    let mut rows = activity.lines().filter(|row| row.contains("\trevoked\t"));
    assert!(
        rows.any(|row| row.ends_with(&format!("link {made}"))),
        "{activity}"
    );
    let key = listed(at, &[])[0]["key"].as_str().unwrap().to_owned();
    link(at, &["--id", "7"]);
    let with_key =
        format!("Revoked all links with the signing key {key}; 1 of them worked until now.");
    assert_eq!(revoke(&["--key", &key]), with_key);
    let many = done(
        at,
        &[
            "links",
            "revoke",
            "--instance",
            "here",
            "--before",
            "2020-01-01",
        ],
    );
    assert_eq!(
        many,
        json!({ "before": "2020-01-01T00:00:00Z", "stopped": 0, "end_sessions": false, "works_elsewhere": false })
    );
    let future = links(at, &["--json", "revoke", "--before", "2999-01-01"]).refusal();
    assert_eq!(
        future,
        (1, "invalid_setting".to_owned(), Some("before".to_owned()))
    );
    assert_eq!(links(at, &["revoke"]).code, 2);
    assert_eq!(links(at, &["revoke", "a", "--user", "ada"]).code, 2);
}

#[test]
fn a_link_that_a_revocation_does_not_reach_is_not_passed_over_in_silence() {
    let folder = hosted_here("https://a.b");
    let at = folder.path();
    let add = ["users", "--instance", "here", "add", "kim"];
    assert_eq!(in_folder(at, &add).code, 0);
    // The clock was right when another system made the code and it was used, and is set back since.
    let by = AuditContext::new(
        Actor::CommandLine,
        Timestamp::now() + SignedDuration::from_hours(1),
    );
    let claims = Claims {
        payload: Payload::Id(ExistingId::parse("kim", false).unwrap()),
        registered: Registered {
            id: Some("foreign".into()),
            issued_at: Some(by.at.as_second()),
            ..Registered::default()
        },
    };
    let key = SigningKey::from_text(&Secret::new(SECRET.into())).unwrap();
    let code = sign(&claims, &key, Algorithm::HS256).unwrap();
    let home = Home::open(at.into(), KeychainUse::Never).unwrap();
    let here = home.instances().find("here").unwrap();
    let verdict = {
        let directory = home.directory(&here, "the test").unwrap();
        let (keys, settings) = ([&key], &here.settings);
        let redeemed = redeem(code.expose(), settings, &keys, &*directory, &by);
        redeemed.wait().unwrap()
    };
    assert!(matches!(verdict, Verdict::SignedIn { .. }), "{verdict:?}");
    let revoked = links(at, &["revoke", "--user", "kim"]);
    assert_eq!(revoked.code, 0, "{}", revoked.err);
    assert!(
        revoked.out.contains("none of them worked"),
        "{}",
        revoked.out
    );
    assert!(
        revoked.err.contains("1 of them still works."),
        "{}",
        revoked.err
    );
    let by_id = links(at, &["revoke", "foreign"]);
    assert_eq!((by_id.code, &*by_id.err), (0, ""));
    let again = links(at, &["revoke", "--user", "kim"]);
    assert_eq!((again.code, &*again.err), (0, ""));
}

#[test]
fn revoking_at_an_instance_elsewhere_claims_nothing_that_is_not_so() {
    let folder = elsewhere();
    let at = folder.path();
    let made = id(&link(at, &["--user-id", "ada"]));
    let revoked = links(at, &["revoke", &made]);
    assert_eq!(revoked.code, 1);
    assert_eq!(
        revoked.out.trim(),
        format!("Marked {made} as revoked in the list.")
    );
    let said = "chat.example decides who signs in and does not know this list, so the codes still work there.";
    assert!(revoked.err.contains(said), "{}", revoked.err);
    assert!(
        revoked.err.contains("instance set here --secret-file FILE"),
        "{}",
        revoked.err
    );
    assert!(!revoked.err.contains("users remove"), "{}", revoked.err);
    let person = "To stop the links of one person, except those that create the person, remove the person there.";
    assert!(revoked.err.contains(person), "{}", revoked.err);
    assert_eq!(
        listed(at, &["--status", "revoked"])[0]["status"],
        "marked_revoked"
    );
    let shown = links(at, &["show", &made]).out;
    assert!(shown.contains("state         marked as revoked"), "{shown}");
    assert!(shown.contains("\nmarked        "), "{shown}");
    let again = links(at, &["revoke", &made]).out;
    assert!(
        again.contains("as revoked in the list, as it was before"),
        "{again}"
    );
    let again = links(at, &["--json", "revoke", &made]).json();
    let before = &again["links"][0]["before"];
    assert_eq!(
        (before, &again["marked"]),
        (&json!("marked_revoked"), &json!(0))
    );
    let copied = links(at, &["copy", &made]).err;
    assert!(
        copied.contains("This link was revoked, so it cannot"),
        "{copied}"
    );
    let json = links(at, &["--json", "revoke", "--user", "ada"]);
    assert_eq!(
        (json.code, &json.json()["works_elsewhere"]),
        (1, &json!(true))
    );
    let ended = links(at, &["--json", "revoke", "--user", "ada", "--end-sessions"]);
    let expected = (
        1,
        "hosted_elsewhere".to_owned(),
        Some("end-sessions".to_owned()),
    );
    assert_eq!(ended.refusal(), expected);
    let list = links(at, &["list"]);
    assert!(
        list.err.contains("does not report sign-ins"),
        "{}",
        list.err
    );
    let superseding = [
        "--json",
        "link",
        "--instance",
        "here",
        "--id",
        "1",
        "--supersede",
    ];
    let refused = in_folder(at, &superseding).refusal();
    assert_eq!(
        refused,
        (
            1,
            "hosted_elsewhere".to_owned(),
            Some("supersede".to_owned())
        )
    );
    assert_eq!(listed(at, &[]).len(), 1, "a refused link is not entered");
}
