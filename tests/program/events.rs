//! Tests of the events that Studio sends to its page.

use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::instance::{InstanceId, Name};
use latchkey_store::home::{GATEWAY_HOLDER, Home};
use latchkey_store::keys::KeychainUse;
use serde_json::{Value, json};

use crate::boundary::{Boundary, activity_request, compose_request, new_user, users_request};
use crate::visitor::get;

/// Returns a Studio and the IDs of two instances: one hosted elsewhere and one hosted here.
fn listening() -> (Boundary, String, String) {
    let (boundary, elsewhere) = Boundary::with_instance();
    let sample = boundary.ask("sample_instance_add", Value::Null).unwrap();
    let here = sample["id"].as_str().unwrap().to_owned();
    boundary.listen();
    // Changes of instances are published after the first check of their files.
    boundary.told_until(&instances());
    (boundary, elsewhere, here)
}

fn activity(instance: &str) -> Value {
    json!({ "kind": "activity", "instance": instance })
}

fn instances() -> Value {
    json!({ "kind": "instances" })
}

/// Renames an instance as another process would.
fn rename_elsewhere(boundary: &Boundary, instance: &str, name: &str) {
    let home = Home::open(boundary.data_dir.path().to_owned(), KeychainUse::Never).unwrap();
    let by = AuditContext::new(Actor::CommandLine, jiff::Timestamp::now());
    let id = InstanceId::parse(instance).unwrap();
    let renamed = home.change(
        &id,
        |settings| {
            settings.name = Name::parse(name)?;
            Ok(())
        },
        None,
        &by,
    );
    renamed.unwrap();
}

fn titles(boundary: &Boundary, instance: &str) -> Vec<String> {
    let page = boundary.ask("activity", activity_request(instance));
    let page = page.unwrap();
    let entries = page["entries"].as_array().unwrap().iter();
    entries
        .map(|entry| entry["code"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_change_publishes_an_event_and_a_read_does_not() {
    let (boundary, elsewhere, here) = listening();
    boundary.ask("user_add", new_user(&here, "ada")).unwrap();
    boundary.told_until(&activity(&here));
    // A command that only reads publishes nothing. Otherwise the page, which reads after each
    // event, would read in an endless loop.
    boundary.ask("users", users_request(&here)).unwrap();
    boundary.ask("activity", activity_request(&here)).unwrap();
    boundary.ask("compose", compose_request(&here)).unwrap();
    boundary.ask("seats", json!({ "instance": here })).unwrap();
    rename_elsewhere(&boundary, &elsewhere, "Acme Inc");
    let told = boundary.told_until(&instances());
    assert!(!told.contains(&activity(&here)), "{told:?}");
}

#[test]
fn a_change_by_another_process_is_published_and_recorded() {
    let (boundary, _, here) = listening();
    boundary.ask("seats", json!({ "instance": here })).unwrap();
    rename_elsewhere(&boundary, &here, "Practice");
    let told = boundary.told_until(&instances());
    assert!(told.contains(&activity(&here)), "{told:?}");
    let start = boundary.ask("start", Value::Null).unwrap();
    let all = start["instances"].as_array().unwrap();
    assert!(all.iter().any(|one| one["name"] == "Practice"), "{all:?}");
    assert_eq!(titles(&boundary, &here)[0], "settings_changed");
}

#[test]
fn sign_ins_and_the_end_of_the_gateway_are_published() {
    let (boundary, _, here) = listening();
    let start = json!({ "instance": here, "ip": "127.0.0.1", "port": 0, "tls": { "kind": "off" } });
    let state = boundary.ask("gateway_start", start).unwrap();
    let url = state["running"]["url"].as_str().unwrap();
    boundary.told_until(&activity(&here));
    assert!(get(url, "/?externalAuthCode=no.code.here").starts_with("HTTP/1.1 403"));
    boundary.told_until(&activity(&here));
    boundary.ask("gateway_stop", Value::Null).unwrap();
    boundary.told_until(&json!({ "kind": "gateway" }));
    assert_eq!(
        titles(&boundary, &here)[..2],
        ["gateway_stopped", "malformed_code"]
    );
}

#[test]
fn a_gateway_of_another_program_is_named_until_it_ends_and_the_users_are_then_published() {
    let (boundary, _, here) = listening();
    let others = || boundary.ask("gateway", Value::Null).unwrap()["others"].clone();
    let seats = || boundary.ask("seats", json!({ "instance": here }));
    let gateway = json!({ "kind": "gateway" });
    // Closes the directory, so that another program can open it.
    let home = Home::open(boundary.data_dir.path().to_owned(), KeychainUse::Never).unwrap();
    let instance = home.instances().get(&InstanceId::parse(&here).unwrap());
    let instance = instance.unwrap();
    boundary.close();
    for (program, is_gateway) in [
        (GATEWAY_HOLDER, true),
        ("latchkey, the command line", false),
    ] {
        let held = home.directory(&instance, program).unwrap();
        let refused = seats().unwrap_err();
        assert_eq!(refused["code"], "directory_held");
        boundary.told_until(&gateway);
        let named = format!("{program} (process {})", std::process::id());
        let expected = json!([{ "instance": here, "program": named }]);
        assert_eq!(others(), if is_gateway { expected } else { json!([]) });

        drop(held);
        let told = boundary.told_until(&json!({ "kind": "users", "instance": here }));
        assert!(told.contains(&activity(&here)), "{told:?}");
        assert_eq!(others(), json!([]));
        assert_eq!(seats().unwrap()["used"], 0);
        boundary.close();
    }
}
