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

pub(crate) const SECRET: &str = "the-pasted-secret-of-the-instance-0123456789";
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

/// Returns the notes of a link that is given out.
pub(crate) fn notes() -> Value {
    json!({ "note": "", "supersedes": false, "short": false })
}

pub(crate) fn compose_request(instance: &str) -> Value {
    json!({
        "instance": instance,
        "who": { "kind": "email", "email": "ada@acme.example" },
        "expires_in": "7 days",
        "not_before": null,
        "uses": null,
        "anew": false,
    })
}

/// Returns a request for the whole activity.
pub(crate) fn activity_request(instance: &str) -> Value {
    json!({
        "instance": instance, "kind": null, "subject": null, "link": null, "text": "", "before": null, "limit": 9,
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
        .ask(
            "copy",
            json!({
                "instance": instance, "revision": 4_000_000, "what": "link", "notes": notes(),
            }),
        )
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
