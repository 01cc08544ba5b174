//! Tests of users, codes and the activity through the boundary.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::directory::Directory;
use latchkey_core::instance::InstanceId;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::NewUser;
use latchkey_gateway::{Administration, ControlSocket};
use latchkey_store::Wait as _;
use latchkey_store::home::Home;
use latchkey_store::keys::KeychainUse;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::boundary::{
    Boundary, PASSPHRASE, activity_request, compose_request, new_user, users_request,
};

/// Returns a Studio and an instance that is hosted here.
fn hosted_here() -> (Boundary, String) {
    let (boundary, _) = Boundary::with_instance();
    let instance = boundary.ask("sample_instance_add", Value::Null).unwrap();
    let id = instance["id"].as_str().unwrap().to_owned();
    (boundary, id)
}

#[test]
fn users_are_added_found_suspended_and_removed_through_the_boundary() {
    let (boundary, here) = hosted_here();
    let who = json!({ "instance": here, "id": "ada" });
    let added = boundary.ask("user_add", new_user(&here, "ada")).unwrap();
    assert_eq!(added["user"]["origin"], "added");
    assert!(added["metadata_json"].as_str().unwrap().contains("Ada"));
    let refused = boundary
        .ask("user_add", new_user(&here, "ada"))
        .unwrap_err();
    assert_eq!(
        (&refused["code"], &refused["field"]),
        (&json!("user_exists"), &json!("user.id"))
    );
    boundary.ask("user_add", new_user(&here, "grace")).unwrap();
    let mut page = users_request(&here);
    page["limit"] = json!(1);
    let first = boundary.ask("users", page.clone()).unwrap();
    assert_eq!(
        (&first["total"], &first["users"][0]["id"]),
        (&json!(2), &json!("ada"))
    );
    page["place"] = json!({ "kind": "after", "cursor": first["next"] });
    let second = boundary.ask("users", page.clone()).unwrap();
    assert_eq!(
        (&second["users"][0]["id"], &second["next"]),
        (&json!("grace"), &Value::Null)
    );
    page["place"] = json!({ "kind": "after", "cursor": "nonsense" });
    assert_eq!(
        boundary.ask("users", page).unwrap_err()["code"],
        "invalid_cursor"
    );

    let suspended = boundary.ask("user_suspend", who.clone()).unwrap();
    assert_eq!(suspended["user"]["status"], "suspended");
    let seats = boundary
        .ask("seats_set", json!({ "instance": here, "limit": 1 }))
        .unwrap();
    assert_eq!(seats, json!({ "used": 1, "limit": 1 }));
    let refused = boundary.ask("user_reactivate", who.clone()).unwrap_err();
    assert_eq!(refused["code"], "no_seats");
    boundary.ask("user_remove", who.clone()).unwrap();
    assert_eq!(
        boundary.ask("user", who).unwrap_err()["code"],
        "unknown_user"
    );
}

#[test]
fn a_guest_is_composed_for_and_the_end_of_an_account_is_changed_through_the_boundary() {
    let (boundary, here) = hosted_here();
    let mut request = compose_request(&here);
    request["account_ends"] = json!("14 days");
    let refused = boundary.ask("compose", request.clone()).unwrap_err();
    assert_eq!(refused["field"], "account_ends", "it names no new person");
    request["who"] = json!({
        "kind": "user", "id": "eve", "email": "", "metadata": { "kind": "fields", "fields": [] },
    });
    let preview = boundary.ask("compose", request.clone()).unwrap();
    let detail = preview["forecast"]["detail"].as_str().unwrap();
    let says_end = detail.contains("The account ends 14 days after the first sign-in.");
    assert!(says_end, "{detail}");
    request["account_ends"] = json!("");
    let refused = boundary.ask("compose", request).unwrap_err();
    assert_eq!(refused["field"], "account_ends");

    boundary.ask("user_add", new_user(&here, "ada")).unwrap();
    let set = |ends: Value| {
        let change = json!({ "instance": here, "id": "ada", "ends": ends });
        boundary.ask("user_set_account_end", change)
    };
    let before = Timestamp::now().as_second();
    let ends = set(json!("2 days")).unwrap()["user"]["ends_at"].as_i64();
    let days = 2 * 86_400;
    let is_then = ends.is_some_and(|at| (before + days..before + days + 60).contains(&at));
    assert!(is_then, "{ends:?}");
    assert_eq!(set(json!("")).unwrap_err()["field"], "ends_at");
    let removed = set(Value::Null).unwrap();
    assert_eq!(removed["user"]["ends_at"], Value::Null);
}

#[test]
fn a_code_is_inspected_and_only_what_was_inspected_last_is_redeemed() {
    let (boundary, here) = hosted_here();
    let mut request = compose_request(&here);
    request["who"] = json!({
        "kind": "user", "id": "ada", "email": "", "metadata": { "kind": "fields", "fields": [] },
    });
    let preview = boundary.ask("compose", request).unwrap();
    assert_eq!(preview["forecast"]["verdict"], "provisioned");
    assert_eq!(
        preview["forecast"]["title"],
        "Creates ada: seat 1, no limit"
    );
    let link: String = ["scheme", "authority", "before", "header"]
        .iter()
        .map(|part| preview["link"][*part].as_str().unwrap())
        .collect();
    let link = format!(
        "{link}.{}.{}",
        preview["link"]["claims"].as_str().unwrap(),
        preview["link"]["signature"].as_str().unwrap()
    );
    let inspect = |text: &str| {
        let source = json!({ "kind": "text", "text": text });
        boundary.ask("inspect", json!({ "instance": here, "source": source }))
    };
    let redeem = |revision: &Value| {
        boundary.ask("redeem", json!({ "instance": here, "revision": revision }))
    };
    let first = inspect(&link).unwrap();
    assert_eq!(
        (&first["found_in"], &first["forecast"]["user"]),
        (&json!("url"), &json!("ada"))
    );
    let second = inspect(&link).unwrap();
    assert_eq!(
        redeem(&first["revision"]).unwrap_err()["code"],
        "stale_inspection"
    );
    let redeemed = redeem(&second["revision"]).unwrap();
    assert_eq!(
        redeemed["forecast"]["title"],
        "Created ada: seat 1, no limit"
    );
    assert_eq!(redeemed["user"]["user"]["sign_ins"], 1);
    assert_eq!(redeemed["seats"], json!({ "used": 1, "limit": null }));
    assert_eq!(inspect(&link).unwrap()["forecast"]["title"], "Signs in ada");
    assert_eq!(
        inspect("nothing of the kind").unwrap_err()["code"],
        "no_code"
    );
}

#[test]
fn an_instance_that_is_hosted_elsewhere_has_no_users_here() {
    let (boundary, elsewhere) = Boundary::with_instance();
    let refused = boundary
        .ask("users", users_request(&elsewhere))
        .unwrap_err();
    assert_eq!(refused["code"], "hosted_elsewhere");
    let preview = boundary
        .ask("compose", compose_request(&elsewhere))
        .unwrap();
    let detail = preview["forecast"]["detail"].as_str().unwrap();
    assert!(detail.contains("no copy of its users here"), "{detail}");
    assert_eq!(preview["forecast"]["verdict"], Value::Null);
}

#[test]
fn another_program_reports_that_studio_holds_the_directory() {
    let (boundary, here) = hosted_here();
    boundary.ask("seats", json!({ "instance": here })).unwrap();
    let folder = boundary
        .data_dir
        .path()
        .join("instances")
        .join(&here)
        .join("directory");
    let refused = latchkey_store::EmbeddedDirectory::open(&folder, "another")
        .err()
        .unwrap();
    let holder = format!("Latchkey Studio (process {})", std::process::id());
    assert!(refused.message.contains(&holder), "{}", refused.message);
    let home = Home::open(boundary.data_dir.path().into(), KeychainUse::Never);
    let id = InstanceId::parse(&here).unwrap();
    let refused = home.unwrap().remove(&id).unwrap_err();
    assert!(refused.message.contains(&holder), "{}", refused.message);
    assert!(folder.exists(), "the folder stays while Studio uses it");
    // Studio holds only the directory of the selected instance, so that other programs can use the
    // others.
    boundary
        .ask("instance_remove", json!({ "instance": here }))
        .unwrap();
    assert!(!folder.exists());
}

#[test]
fn another_program_uses_the_directory_that_studio_holds_by_its_socket() {
    let (boundary, here) = hosted_here();
    boundary.ask("seats", json!({ "instance": here })).unwrap();
    let folder = boundary.data_dir.path();
    let home = Home::open(folder.into(), KeychainUse::Never).unwrap();
    let instance = home.instances().find(&here).unwrap();
    let reached = home.reach(&instance, "another").unwrap().directory();
    let by = AuditContext::new(Actor::CommandLine, Timestamp::now());
    reached.set_seat_limit(Some(7), &by).wait().unwrap();
    let seats = boundary.ask("seats", json!({ "instance": here })).unwrap();
    assert_eq!(seats["limit"], 7);
}

#[test]
fn studio_gives_the_directory_to_a_gateway_that_starts_and_uses_it_through_that() {
    let (boundary, here) = hosted_here();
    boundary.ask("user_add", new_user(&here, "ada")).unwrap();
    let folder = boundary.data_dir.path();
    let home = Home::open(folder.into(), KeychainUse::Never).unwrap();
    let instance = home.instances().find(&here).unwrap();
    home.ask_to_give_way(&instance).unwrap();
    let opened = (0..500).find_map(|_| {
        thread::sleep(Duration::from_millis(10));
        home.directory_to_serve(&instance, "latchkey serve").ok()
    });
    let directory = opened.unwrap();
    assert_eq!(directory.count().wait().unwrap(), 1);
    let refused = boundary
        .ask("seats", json!({ "instance": here }))
        .unwrap_err();
    assert_eq!(refused["code"], "directory_held");
    drop(directory);
    assert!(boundary.ask("seats", json!({ "instance": here })).is_ok());
}

#[test]
fn studio_keeps_the_directory_while_it_runs_the_gateway() {
    let (boundary, here) = hosted_here();
    let start = json!({ "instance": here, "ip": "127.0.0.1", "port": 0, "tls": { "kind": "off" } });
    boundary.ask("gateway_start", start).unwrap();
    let folder = boundary.data_dir.path();
    let home = Home::open(folder.into(), KeychainUse::Never).unwrap();
    let instance = home.instances().find(&here).unwrap();
    let refused = home.ask_to_give_way(&instance).unwrap_err();
    assert_eq!(refused.code, latchkey_core::ErrorCode::DirectoryHeld);
    boundary.ask("gateway_stop", Value::Null).unwrap();
}

#[test]
fn studio_shows_and_changes_the_users_of_a_gateway_that_another_program_runs_and_moves_no_such_instance()
 {
    let (boundary, here) = hosted_here();
    let folder = boundary.data_dir.path().join("instances").join(&here);
    let held = Arc::new(
        latchkey_store::EmbeddedDirectory::open(&folder.join("directory"), "latchkey serve")
            .unwrap(),
    );
    let by = AuditContext::new(Actor::CommandLine, Timestamp::now());
    let ada = NewUser::parse("ada", None, Metadata::default()).unwrap();
    held.add(&ada, &by).wait().unwrap();
    let runtime = Runtime::new().unwrap();
    let id = InstanceId::parse(&here).unwrap();
    let administration = {
        let home = Home::open(boundary.data_dir.path().into(), KeychainUse::Never).unwrap();
        let held: Arc<dyn Directory> = held.clone();
        Administration::new(Arc::new(home), &id, "latchkey serve", held, None)
    };
    let socket = ControlSocket::bind(&folder).unwrap();
    let socket = runtime
        .block_on(async { socket.serve(administration) })
        .unwrap();
    let users = boundary.ask("users", users_request(&here)).unwrap();
    assert_eq!(users["users"][0]["id"], "ada");
    boundary
        .ask("user_suspend", json!({ "instance": here, "id": "ada" }))
        .unwrap();
    assert_eq!(held.seats(jiff::Timestamp::now()).wait().unwrap().used, 0);
    let gateway = boundary.ask("gateway", Value::Null).unwrap();
    let program = gateway["others"][0]["program"].as_str().unwrap();
    assert!(program.starts_with("latchkey serve (process "), "{program}");
    let start = json!({ "instance": here, "ip": "127.0.0.1", "port": 1, "tls": { "kind": "off" } });
    let refused = boundary.ask("gateway_start", start).unwrap_err();
    assert_eq!(refused["code"], "directory_held", "{refused}");
    let moved = json!({ "instance": here, "passphrase": PASSPHRASE, "moves": true });
    let refused = boundary.ask("backup_save", moved).unwrap_err();
    assert_eq!(refused["code"], "directory_held", "{refused}");
    let message = refused["message"].as_str().unwrap();
    assert!(message.contains("End that program"), "{message}");
    assert!(message.starts_with(program), "{message}");
    // The other program ends, and Studio opens the directory itself.
    runtime.block_on(socket.end());
    drop(runtime);
    drop(held);
    let users = boundary.ask("users", users_request(&here)).unwrap();
    assert_eq!(users["users"][0]["status"], "suspended");
}

#[test]
fn the_activity_is_listed_newest_first_and_searched() {
    let (boundary, here) = hosted_here();
    boundary.ask("user_add", new_user(&here, "ada")).unwrap();
    let who = json!({ "instance": here, "id": "ada" });
    boundary.ask("user_sign_out", who).unwrap();
    let limit = json!({ "instance": here, "limit": 1 });
    boundary.ask("seats_set", limit).unwrap();
    boundary
        .ask("secret_reveal", json!({ "instance": here }))
        .unwrap();
    let codes = |request: Value| -> Vec<String> {
        let page = boundary.ask("activity", request).unwrap();
        let entries = page["entries"].as_array().unwrap().iter();
        entries
            .map(|entry| entry["code"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = [
        "secret_shown",
        "seat_limit_set",
        "signed_out",
        "added",
        "instance_made",
    ];
    assert_eq!(codes(activity_request(&here)), all);
    let mut request = activity_request(&here);
    request["subject"] = json!("ada");
    assert_eq!(codes(request), ["signed_out", "added"]);
    let mut request = activity_request(&here);
    request["kind"] = json!("refusal");
    assert!(codes(request).is_empty());
    let mut request = activity_request(&here);
    request["limit"] = json!(2);
    let first = boundary.ask("activity", request.clone()).unwrap();
    assert_eq!(first["entries"][0]["actor"], "Studio");
    request["before"] = first["before"].clone();
    assert_eq!(codes(request), all[2..4]);
}

#[test]
fn a_dropped_file_is_planned_imported_in_batches_and_closed() {
    let (boundary, here) = hosted_here();
    boundary.ask("user_add", new_user(&here, "ada")).unwrap();
    let rows: Vec<String> = (0..300).map(|number| format!("user-{number}\n")).collect();
    let rows = rows.concat();
    let csv = format!("id,team\nada,Care\nada,\n{rows}").replace("user-0\n", "user-0,R\n");
    let dropped =
        json!({ "instance": here, "name": "people.csv", "base64": BASE64_STANDARD.encode(csv) });
    let planned = boundary.ask("import_dropped", dropped).unwrap();
    assert_eq!(
        planned["counts"],
        json!({ "add": 300, "change": 0, "same": 0, "keep": 1, "problem": 1 })
    );
    let choices = json!({ "instance": here, "update": true, "add_removed": false });
    let planned = boundary.ask("import_plan", choices).unwrap();
    assert_eq!(planned["counts"]["change"], 1);
    let request = |action: Value, first: usize| json!({ "instance": here, "action": action, "first": first, "limit": 200 });
    let problems = boundary
        .ask("import_rows", request(json!("problem"), 0))
        .unwrap();
    assert_eq!(problems[0]["number"], 3);
    assert!(
        problems[0]["problem"]
            .as_str()
            .unwrap()
            .contains("same person as row 2")
    );
    let last = boundary
        .ask("import_rows", request(Value::Null, 301))
        .unwrap();
    assert_eq!(
        (last.as_array().unwrap().len(), &last[0]["id"]),
        (1, &json!("user-299"))
    );

    let instance = json!({ "instance": here });
    let next = || boundary.ask("import_next", instance.clone()).unwrap();
    let first = next();
    // The change is in the first batch, too.
    assert_eq!(
        (&first["added"], &first["changed"]),
        (&json!(249), &json!(1))
    );
    assert_eq!(
        boundary.ask("seats", instance.clone()).unwrap()["used"],
        250
    );
    assert_eq!(next()["added"], 300);
    let ended = next();
    assert_eq!(
        (&ended["ended"], &ended["passed"]),
        (&json!(true), &json!(302))
    );
    boundary.ask("import_close", Value::Null).unwrap();
    let refused = boundary.ask("import_next", instance).unwrap_err();
    assert_eq!(refused["code"], "invalid_import");
}

/// Code for ada@b.example that no key of a test has signed.
const UNVERIFIED: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJlbWFpbCI6ImFkYUBiLmV4YW1wbGUiLCJleHAiOjQxMDI0NDQ4MDB9.MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA";

#[test]
fn a_code_is_read_although_the_gateway_that_has_its_key_cannot_be_asked() {
    let (boundary, id) = Boundary::with_instance();
    let file = boundary.data_dir.path().join("instances").join(&id);
    let file = file.join("instance.json");
    boundary.close();
    let mut stored: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    stored["hosted"] = json!("gateway");
    stored["connection"] = json!({
        "url": "https://admin.acme.example:8789/",
        "instance": "acme",
        "fingerprint": null,
        "key_id": "x",
        "key": null,
    });
    std::fs::write(&file, stored.to_string()).unwrap();
    let link = format!("https://chat.acme.example/?externalAuthCode={UNVERIFIED}");
    let source = json!({ "kind": "text", "text": link });
    let shown = boundary
        .ask("inspect", json!({ "instance": id, "source": source }))
        .unwrap();
    assert!(
        shown["claims_json"]
            .as_str()
            .unwrap()
            .contains("ada@b.example")
    );
    assert_eq!(shown["forecast"]["title"], "Not checked");
    assert_eq!(shown["unasked"]["code"], "key_refused", "{shown}");
}
