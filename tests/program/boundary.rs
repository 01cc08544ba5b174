//! Tests of the boundary between window and Rust: which commands the window may call, and which
//! data it never gets. The commands, the capability and the configuration are the real ones. Only
//! the window is Tauri's mock.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use latchkey_desktop_lib::{Studio, context, schema, with_commands};
use latchkey_store::keys::KeychainUse;
use serde_json::{Value, json};
use tauri::ipc::{CallbackFn, InvokeBody, InvokeResponseBody};
use tauri::test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder};
use tauri::webview::InvokeRequest;
use tauri::{App, WebviewWindow, WebviewWindowBuilder};
use tempfile::TempDir;

const SECRET: &str = "the-pasted-secret-of-the-instance-0123456789";
pub(crate) const PASSPHRASE: &str = "correct horse battery";

pub(crate) struct Boundary {
    _app: App<MockRuntime>,
    window: WebviewWindow<MockRuntime>,
    stranger: WebviewWindow<MockRuntime>,
    studio: Arc<Studio>,
    told: Arc<Mutex<Vec<Value>>>,
    pub(crate) data_dir: Arc<TempDir>,
}

impl Boundary {
    pub(crate) fn new() -> Self {
        Self::at(Arc::new(tempfile::tempdir().unwrap()))
    }

    /// Starts a Studio with a data folder that another Studio may use, too.
    pub(crate) fn at(data_dir: Arc<TempDir>) -> Self {
        let folder = data_dir.path().to_owned();
        let studio = Arc::new(Studio::new(Some(folder), KeychainUse::Never));
        let mut context = context();
        // The test makes the window itself, below, to keep a handle of it.
        context.config_mut().app.windows.clear();
        let told = Arc::<Mutex<Vec<Value>>>::default();
        let hears = Arc::clone(&told);
        let builder = mock_builder().channel_interceptor(move |_, _, _, body| {
            if let InvokeResponseBody::Json(event) = body {
                let event = serde_json::from_str(event).unwrap();
                hears.lock().unwrap().push(event);
            }
            true
        });
        let app = with_commands(builder, Arc::clone(&studio))
            .plugin(tauri_plugin_dialog::init())
            .build(context)
            .unwrap();
        let window = |label| {
            WebviewWindowBuilder::new(&app, label, tauri::WebviewUrl::default())
                .build()
                .unwrap()
        };
        Self {
            window: window("main"),
            stranger: window("stranger"),
            _app: app,
            studio,
            told,
            data_dir,
        }
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "every caller creates the value in place"
    )]
    pub(crate) fn ask(&self, command: &str, request: Value) -> Result<Value, Value> {
        invoke(&self.window, command, &request)
    }

    /// Releases the data folder and its directories for other processes until the next command.
    pub(crate) fn close(&self) {
        self.studio.close();
    }

    /// Starts receiving the events for the page.
    pub(crate) fn listen(&self) {
        self.ask("listen", json!({ "channel": "__CHANNEL__:7" }))
            .unwrap();
    }

    /// Returns the events since the last call, up to the first `awaited`.
    pub(crate) fn told_until(&self, awaited: &Value) -> Vec<Value> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let mut told = self.told.lock().unwrap();
            if let Some(at) = told.iter().position(|event| event == awaited) {
                return told.drain(..=at).collect();
            }
            assert!(Instant::now() < deadline, "{awaited} is not told: {told:?}");
            drop(told);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Returns a Studio and an instance with a pasted secret in a sealed file.
    pub(crate) fn with_instance() -> (Self, String) {
        let boundary = Self::new();
        boundary
            .ask("keys_create", json!({ "passphrase": PASSPHRASE }))
            .unwrap();
        let instance = boundary
            .ask(
                "instance_add",
                json!({
                    "name": "Acme",
                    "url": "https://chat.acme.example",
                    "hosted": "elsewhere",
                    "secret": { "kind": "paste", "secret": SECRET },
                }),
            )
            .unwrap();
        let id = instance["id"].as_str().unwrap().to_owned();
        (boundary, id)
    }
}

fn invoke(
    window: &WebviewWindow<MockRuntime>,
    command: &str,
    request: &Value,
) -> Result<Value, Value> {
    let request = InvokeRequest {
        cmd: command.to_owned(),
        callback: CallbackFn(0),
        error: CallbackFn(1),
        url: if cfg!(windows) {
            "http://tauri.localhost"
        } else {
            "tauri://localhost"
        }
        .parse()
        .unwrap(),
        body: InvokeBody::Json(json!({ "request": request })),
        headers: tauri::http::HeaderMap::default(),
        invoke_key: INVOKE_KEY.to_owned(),
    };
    get_ipc_response(window, request).map(|body| body.deserialize().unwrap())
}

pub(crate) fn compose_request(instance: &str) -> Value {
    json!({
        "instance": instance,
        "who": { "kind": "email", "email": "ada@acme.example" },
        "expires_in": "7 days",
        "not_before": null,
        "single_use": false,
        "anew": false,
    })
}

/// Returns a request for the whole activity.
pub(crate) fn activity_request(instance: &str) -> Value {
    json!({
        "instance": instance, "kind": null, "subject": null, "text": "", "before": null, "limit": 9,
    })
}

pub(crate) fn users_request(instance: &str) -> Value {
    json!({
        "instance": instance,
        "query": { "search": "", "status": null, "origin": null, "sort_by": "id", "descending": false },
        "place": { "kind": "first" },
        "limit": 100,
    })
}

pub(crate) fn new_user(instance: &str, id: &str) -> Value {
    json!({
        "instance": instance, "id": id, "email": "",
        "metadata": { "kind": "fields", "fields": [["name", "Ada"]] },
    })
}

#[test]
fn a_window_without_the_capability_is_refused_every_command() {
    let boundary = Boundary::new();
    for command in schema::commands() {
        let refused = invoke(&boundary.stranger, command.name, &Value::Null).unwrap_err();
        let refused = refused.to_string();
        assert!(
            refused.contains("not allowed"),
            "{}: {refused}",
            command.name
        );
    }
    assert!(
        std::fs::read_dir(boundary.data_dir.path())
            .unwrap()
            .next()
            .is_none(),
        "and nothing was done"
    );
}

#[test]
fn the_window_with_the_capability_gets_a_response() {
    let boundary = Boundary::new();
    let start = boundary.ask("start", Value::Null).unwrap();
    assert_eq!(start["instances"], json!([]));
    assert_eq!(start["key_store"]["kind"], "sealed_file");
    assert_eq!(start["key_store"]["state"], "new");
}

#[test]
fn help_names_the_log_file_of_today() {
    let boundary = Boundary::new();
    let file = boundary.ask("log_file", Value::Null).unwrap();
    let path = Path::new(file["path"].as_str().unwrap());
    assert_eq!(
        path.parent().unwrap(),
        boundary.data_dir.path().join("logs")
    );
    let today = jiff::Timestamp::now().strftime("studio.%F.log").to_string();
    assert_eq!(path.file_name().unwrap().to_str(), Some(&*today));
}

#[test]
fn the_window_with_the_capability_may_call_every_command() {
    let boundary = Boundary::new();
    for command in schema::commands() {
        // No command accepts this request. A command that is not allowed is refused before its
        // request is read.
        let refused = boundary.ask(command.name, json!("nothing"));
        let refused = refused.unwrap_err().to_string();
        assert!(
            !refused.contains("not allowed"),
            "{}: {refused}",
            command.name
        );
    }
}

#[test]
fn no_command_of_tauri_itself_is_granted() {
    let boundary = Boundary::new();
    for command in [
        "plugin:event|listen",
        "plugin:webview|create_webview_window",
        "plugin:window|set_title",
        "plugin:path|resolve_directory",
        "plugin:dialog|save",
        "plugin:dialog|open",
    ] {
        assert!(boundary.ask(command, Value::Null).is_err(), "{command}");
    }
}

#[test]
fn the_csp_is_strict() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tauri.conf.json");
    let config: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let security = &config["app"]["security"];
    let csp = security["csp"].as_str().unwrap();
    let directives: Vec<(&str, BTreeSet<&str>)> = csp
        .split(';')
        .map(|directive| {
            let (name, sources) = directive.trim().split_once(' ').unwrap();
            (name, sources.split(' ').collect())
        })
        .collect();
    let sources = |name: &str| {
        let directive = directives.iter().find(|(directive, _)| *directive == name);
        directive
            .unwrap_or_else(|| panic!("{name} is missing"))
            .1
            .clone()
    };
    assert_eq!(sources("default-src"), BTreeSet::from(["'none'"]));
    assert_eq!(sources("script-src"), BTreeSet::from(["'self'"]));
    assert_eq!(sources("style-src"), BTreeSet::from(["'self'"]));
    for name in ["base-uri", "form-action", "frame-ancestors", "object-src"] {
        assert_eq!(sources(name), BTreeSet::from(["'none'"]), "{name}");
    }
    assert!(!csp.contains("unsafe"), "{csp}");
    assert!(
        !csp.contains("https:"),
        "nothing is loaded from a network: {csp}"
    );
    assert!(
        security.get("devCsp").is_none()
            && security
                .get("dangerousDisableAssetCspModification")
                .is_none()
    );
    assert_eq!(security["freezePrototype"], true);
    assert_eq!(config["app"]["withGlobalTauri"], false);
}

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
        "retention": { "age": "30 days", "refusals": 1000 },
        "audiences": ["acme-chat"],
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
const NOT_ASKED: [&str; 12] = [
    "instance_remove",
    "secret_reveal",
    "backup_save",
    "backup_command_copy",
    "backup_choose",
    "backup_restore",
    "qr_save",
    "import_choose",
    "users_export",
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
            "user_sign_out",
            json!({ "instance": instance, "id": "ada" }),
        ),
        ("user_remove", json!({ "instance": instance, "id": "ada" })),
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
        ("compose", compose_request(&instance)),
        (
            "link_forecast",
            json!({ "instance": instance, "revision": preview["revision"] }),
        ),
        (
            "link_sign",
            json!({ "instance": instance, "revision": preview["revision"] }),
        ),
        (
            "copy",
            json!({ "revision": preview["revision"], "what": "link" }),
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

#[test]
fn an_error_crosses_the_boundary_as_code_message_and_field() {
    let (boundary, instance) = Boundary::with_instance();
    let mut request = compose_request(&instance);
    request["who"] = json!({ "kind": "email", "email": "ada" });
    let refused = boundary.ask("compose", request).unwrap_err();
    assert_eq!(refused["code"], "invalid_payload");
    assert_eq!(refused["field"], "email");
    assert!(
        refused["message"]
            .as_str()
            .unwrap()
            .contains("email address")
    );
    assert_eq!(refused.as_object().unwrap().len(), 3);
    let stale = boundary
        .ask("copy", json!({ "revision": 4_000_000, "what": "link" }))
        .unwrap_err();
    assert_eq!(stale["code"], "stale_preview");
}

#[test]
fn an_instance_survives_a_restart_and_a_wrong_passphrase_changes_nothing() {
    let (boundary, instance) = Boundary::with_instance();
    boundary.studio.close();
    let data_dir = boundary.data_dir.path().to_owned();
    let again = Arc::new(Studio::new(Some(data_dir), KeychainUse::Never));
    let mut context = context();
    context.config_mut().app.windows.clear();
    let app = with_commands(mock_builder(), again).build(context).unwrap();
    let window = WebviewWindowBuilder::new(&app, "main", tauri::WebviewUrl::default())
        .build()
        .unwrap();
    let start = invoke(&window, "start", &Value::Null).unwrap();
    assert_eq!(start["current"], json!(instance));
    assert_eq!(start["key_store"]["state"], "locked");
    let locked = invoke(&window, "compose", &compose_request(&instance)).unwrap_err();
    assert_eq!(locked["code"], "keys_locked");
    let wrong = invoke(&window, "keys_unlock", &json!({ "passphrase": "wrong" })).unwrap_err();
    assert_eq!(
        (&wrong["code"], &wrong["field"]),
        (&json!("wrong_passphrase"), &json!("passphrase"))
    );
    let opened = invoke(&window, "keys_unlock", &json!({ "passphrase": PASSPHRASE })).unwrap();
    assert_eq!(opened["state"], "ready");
    assert!(invoke(&window, "compose", &compose_request(&instance)).is_ok());
}

#[test]
fn a_second_studio_says_that_the_first_is_open_and_never_that_the_gateway_is_off() {
    let (first, id) = Boundary::with_instance();
    let second = Boundary::at(Arc::clone(&first.data_dir));
    let asked = [
        ("start", Value::Null),
        ("compose", compose_request(&id)),
        ("keys_unlock", json!({ "passphrase": PASSPHRASE })),
    ];
    for (command, request) in asked {
        let refused = second.ask(command, request).unwrap_err();
        assert_eq!(refused["code"], "already_open", "{command}");
        let folder = first.data_dir.path().display().to_string();
        let message = refused["message"].as_str().unwrap();
        assert!(message.contains(&folder), "{message}");
    }
    let refused = second.ask("gateway", Value::Null).unwrap_err();
    assert_eq!(refused["code"], "already_open");
    // After the first Studio is closed, the second can open the data folder.
    first.studio.close();
    second.ask("start", Value::Null).unwrap();
}
