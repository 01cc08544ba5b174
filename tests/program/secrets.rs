//! Tests that the window and the disk never get a secret, except by the command that reveals it.

use latchkey_desktop_lib::schema;
use serde_json::{Value, json};

use crate::boundary::{
    Boundary, PASSPHRASE, SECRET, activity_request, compose_request, new_user, notes, users_request,
};

/// Returns the commands that were not called.
fn left_out(asked: &[(&str, Value)]) -> Vec<&'static str> {
    let names = schema::commands().into_iter().map(|command| command.name);
    names
        .filter(|name| !asked.iter().any(|(asked, _)| asked == name))
        .collect()
}

/// Returns settings that all differ from their defaults.
fn other_settings() -> Value {
    json!({
        "name": "Acme", "url": "https://chat.acme.example", "hosted": "elsewhere",
        "parameter": "externalAuthCode", "algorithm": "HS256", "lifetime": "7 days",
        "policy": { "external_auth": true, "require_expiry": false, "provisioning": true, "refresh_profile": true },
        "visiting": { "step": "confirm", "session": "1 day", "session_ends_with_link": false, "session_idle": "never", "return_to": ["https://app.acme.example"], "embed_in": ["https://www.acme.example"] },
        "retention": { "age": "30 days", "refusals": 1000, "links": "30 days" },
        "audiences": ["acme-chat"],
        "supersede": true,
        "message": "Dear {name},\n{link}",
    })
}

/// Returns a request for each command of TypingMind's users.
fn typingmind_requests(instance: &str) -> Vec<(&'static str, Value)> {
    let by_id = json!({ "instance": instance });
    vec![
        (
            "typingmind_connect",
            json!({ "instance": instance, "region": "http://127.0.0.1:9/api", "key": "tm-123" }),
        ),
        ("typingmind_sync", by_id.clone()),
        (
            "typingmind_users",
            json!({ "instance": instance, "search": "", "group": null, "sort_by": "email", "descending": false, "first": 0, "limit": 9 }),
        ),
        (
            "typingmind_user",
            json!({ "instance": instance, "id": "1" }),
        ),
        (
            "typingmind_user_of_link",
            json!({ "instance": instance, "id": "the-link" }),
        ),
        (
            "typingmind_user_add",
            json!({ "instance": instance, "email": "ada@yourcompany.com" }),
        ),
        (
            "typingmind_user_remove",
            json!({ "instance": instance, "id": "1" }),
        ),
        ("typingmind_disconnect", by_id.clone()),
    ]
}

/// Commands that end the instance or the window, return the secret, wait for a person, or start another
/// program.
const NOT_ASKED: [&str; 15] = [
    "instance_remove",
    "secret_reveal",
    "backup_save",
    "backup_command_copy",
    "backup_choose",
    "backup_restore",
    "qr_save",
    "link_qr_save",
    "import_choose",
    "users_export",
    "activity_export",
    "links_export",
    "gateway_file_choose",
    "log_folder_open",
    "close",
];

/// Returns a request for each command of connections to gateways.
fn connection_requests(instance: &str) -> Vec<(&'static str, Value)> {
    let by_id = json!({ "instance": instance });
    vec![
        ("connection_parts", json!({ "text": "latchkey://nowhere" })),
        (
            "instance_connect",
            json!({ "name": "", "by": { "kind": "text", "text": "latchkey://nowhere" } }),
        ),
        (
            "instance_reconnect",
            json!({ "instance": instance, "text": "latchkey://nowhere" }),
        ),
        ("instance_refresh", by_id.clone()),
        ("gateway_remote", by_id.clone()),
        ("certificate_seen", by_id.clone()),
        (
            "certificate_trust",
            json!({ "instance": instance, "fingerprint": "AA" }),
        ),
    ]
}

/// Returns a request for each command of imports and backups that asks no person.
fn transfer_requests(instance: &str) -> Vec<(&'static str, Value)> {
    let by_id = json!({ "instance": instance });
    vec![
        ("automatic_backups", by_id.clone()),
        (
            "automatic_backups_set",
            json!({ "instance": instance, "on": false }),
        ),
        ("import_close", Value::Null),
        ("save_cancel", Value::Null),
        ("import_next", by_id.clone()),
        (
            "import_dropped",
            json!({ "instance": instance, "name": "users.csv", "base64": "aWQKYWRhCg==" }),
        ),
        (
            "import_plan",
            json!({ "instance": instance, "update": false, "add_removed": false }),
        ),
        (
            "import_rows",
            json!({ "instance": instance, "action": null, "first": 0, "limit": 9 }),
        ),
    ]
}

/// Returns a request for each command of links that asks no person.
fn link_requests(instance: &str) -> Vec<(&'static str, Value)> {
    let by_id = json!({ "instance": instance });
    let query = json!({
        "search": "", "status": null, "user": null, "sort_by": "entered", "descending": true,
    });
    vec![
        (
            "links",
            json!({
                "instance": instance, "query": query, "place": { "kind": "first" }, "limit": 9,
            }),
        ),
        ("link_counts", by_id.clone()),
        ("link_requests", by_id),
        (
            "link_request_grant",
            json!({ "instance": instance, "number": 1 }),
        ),
        (
            "link_request_dismiss",
            json!({ "instance": instance, "number": 1 }),
        ),
        ("link", json!({ "instance": instance, "id": "unknown" })),
        (
            "link_copy",
            json!({ "instance": instance, "id": "unknown", "what": "link" }),
        ),
        (
            "links_revoke",
            json!({
                "instance": instance, "links": { "link": "unknown", "end_sessions": false },
            }),
        ),
    ]
}

/// Returns a request for each command of users.
fn user_requests(instance: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("users", users_request(instance)),
        ("user", json!({ "instance": instance, "id": "ada" })),
        ("user_add", new_user(instance, "ada")),
        (
            "user_edit",
            json!({
                "instance": instance, "id": "ada",
                "before": new_user(instance, "ada"), "after": new_user(instance, "ada"),
            }),
        ),
        ("user_suspend", json!({ "instance": instance, "id": "ada" })),
        (
            "user_reactivate",
            json!({ "instance": instance, "id": "ada" }),
        ),
        (
            "user_set_account_end",
            json!({ "instance": instance, "id": "ada", "ends": "14 days" }),
        ),
        (
            "user_sessions",
            json!({ "instance": instance, "id": "ada" }),
        ),
        (
            "session_end",
            json!({ "instance": instance, "id": "ada", "session": "0123456789ab" }),
        ),
        (
            "user_sign_out",
            json!({ "instance": instance, "id": "ada" }),
        ),
        ("user_remove", json!({ "instance": instance, "id": "ada" })),
    ]
}

/// Returns the requests about a link that is shown, by its revision.
fn compose_requests(instance: &str, revision: &Value) -> Vec<(&'static str, Value)> {
    vec![
        ("compose", compose_request(instance)),
        (
            "link_forecast",
            json!({ "instance": instance, "revision": revision }),
        ),
        (
            "link_sign",
            json!({
                "instance": instance, "revision": revision, "given": "link", "notes": notes(),
            }),
        ),
        (
            "copy",
            json!({
                "instance": instance, "revision": revision, "what": "link", "notes": notes(),
            }),
        ),
    ]
}

#[test]
fn only_the_revealing_command_returns_the_secret_and_only_once() {
    let (boundary, instance) = Boundary::with_instance();
    let by_id = json!({ "instance": instance });
    let preview = boundary.ask("compose", compose_request(&instance)).unwrap();
    let asked = [
        ("start", Value::Null),
        ("appearance_set", json!({ "theme": "dark" })),
        ("sample_instance_add", Value::Null),
        ("instance_select", by_id.clone()),
        (
            "instance_update",
            json!({ "instance": instance, "settings": other_settings(), "before": other_settings() }),
        ),
        ("secret_copy", by_id.clone()),
        ("secret_conceal", by_id.clone()),
        (
            "api_key_make",
            json!({ "instance": instance, "name": "CRM", "scopes": ["links"], "expires_in": "never" }),
        ),
        (
            "api_key_revoke",
            json!({ "instance": instance, "key": "CRM" }),
        ),
        (
            "inspect",
            json!({ "instance": instance, "source": { "kind": "text", "text": "a.b.c" } }),
        ),
        ("redeem", json!({ "instance": instance, "revision": 1 })),
        ("activity", activity_request(&instance)),
        (
            "activity_verify",
            json!({ "instance": instance, "expect": null }),
        ),
        ("seats", by_id.clone()),
        ("users_correct_times", json!({ "instance": instance })),
        ("seats_set", json!({ "instance": instance, "limit": 3 })),
        ("gateway", Value::Null),
        (
            "gateway_start",
            json!({ "instance": instance, "ip": "127.0.0.1", "port": 0, "tls": { "kind": "off" } }),
        ),
        ("gateway_stop", Value::Null),
        ("log_file", Value::Null),
        ("keys_create", json!({ "passphrase": "another passphrase" })),
        ("keys_unlock", json!({ "passphrase": PASSPHRASE })),
        ("keys_retry", Value::Null),
        ("keys_use_sealed_file", Value::Null),
        // Last, because these commands change or end the instance.
        (
            "secret_replace",
            json!({ "instance": instance, "secret": { "kind": "paste", "secret": SECRET } }),
        ),
        ("signing_key_links", by_id.clone()),
        (
            "signing_key_retire",
            json!({ "instance": instance, "key": "unknown", "retire_after": "now", "leaked": true }),
        ),
        ("keys_sealed", Value::Null),
        ("listen", json!({ "channel": "__CHANNEL__:7" })),
        ("close_asked", Value::Null),
        ("keys_start_anew", json!({ "passphrase": PASSPHRASE })),
        (
            "instance_add",
            json!({ "name": "B", "url": "https://b.example", "hosted": "here", "secret": { "kind": "paste", "secret": SECRET } }),
        ),
    ];
    let asked = [
        &compose_requests(&instance, &preview["revision"]),
        &link_requests(&instance),
        &user_requests(&instance),
        &connection_requests(&instance),
        &transfer_requests(&instance),
        &asked[..],
        &typingmind_requests(&instance),
    ]
    .concat();
    for (command, request) in &asked {
        let answer = boundary.ask(command, request.clone());
        let text = format!("{answer:?}");
        assert!(!text.contains(SECRET), "{command} answered with the secret");
        assert!(
            !text.contains(PASSPHRASE),
            "{command} answered with the passphrase"
        );
    }
    assert_eq!(left_out(&asked), NOT_ASKED);

    let revealed = boundary.ask("secret_reveal", by_id.clone()).unwrap();
    assert_eq!(revealed, json!({ "secret": SECRET }));
    let refused = boundary.ask("secret_reveal", by_id.clone()).unwrap_err();
    assert_eq!(refused["code"], "secret_concealed");
    let removed = boundary.ask("instance_remove", by_id).unwrap();
    assert!(!removed.to_string().contains(SECRET));
}

#[test]
fn the_secret_is_nowhere_on_disk_in_the_clear() {
    let (boundary, _) = Boundary::with_instance();
    let mut folders = vec![boundary.data_dir.path().to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let contents = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            assert!(!contents.contains(SECRET), "{}", path.display());
            assert!(!contents.contains(PASSPHRASE), "{}", path.display());
        }
    }
    assert!(files >= 3, "{files} files were looked at");
}
