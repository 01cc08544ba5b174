//! Comparison of the API with its `OpenAPI` description, by tools of others.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::api_client::with_key;
use crate::serving::Running;
use crate::site::Site;

/// Returns a command for Python with the packages that `cargo xtask test` installs.
pub(crate) fn python() -> Command {
    let packages = std::env::var_os("LATCHKEY_INTEROP").unwrap();
    let mut command = Command::new("python3");
    command
        .env("PYTHONPATH", PathBuf::from(packages).join("api"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

pub(crate) fn document(site: &Site) -> Value {
    let answer = site.get("/api/openapi.json", &[]);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    serde_json::from_str(&answer.body).unwrap()
}

#[test]
fn the_openapi_description_is_valid_and_has_every_path() {
    let (site, _) = with_key();
    let document = document(&site);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    assert_eq!(
        paths,
        [
            "/api/v1/inspect",
            "/api/v1/links",
            "/api/v2/users",
            "/api/v2/users/{id}"
        ]
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("openapi.json");
    std::fs::write(&file, document.to_string()).unwrap();
    let validator = python()
        .args(["-m", "openapi_spec_validator"])
        .arg(&file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&validator.stdout).into_owned();
    assert!(validator.status.success() && said.contains("OK"), "{said}");
}

#[test]
fn schemathesis_finds_no_violation_and_no_failure() {
    let (mut site, key) = with_key();
    site.limits = latchkey_gateway::ClientLimits::default();
    let running = Running::new(&site);
    schemathesis(
        &format!("http://{}/api/openapi.json", running.address),
        &key,
        Suite::OTHER_SYSTEMS,
    );
    running.end();
}

/// Requests that schemathesis sends.
#[derive(Clone, Copy)]
pub(crate) struct Suite {
    /// Further arguments.
    arguments: &'static [&'static str],
}

impl Suite {
    pub(crate) const OTHER_SYSTEMS: Self = Self { arguments: &[] };

    /// Everything but the stream of changes, which does not end.
    pub(crate) const ADMINISTRATION: Self = Self {
        arguments: &[
            "--exclude-path",
            "/admin/v1/changes",
            "--max-examples",
            "30",
        ],
    };

    /// Everything but the stream of changes, and revoking API keys, because the key of the requests
    /// is among them. Wrong pairing codes would lock the address out. The certificate is self-signed.
    pub(crate) const ADMINISTRATION_WITH_A_KEY: Self = Self {
        arguments: &[
            "--exclude-path",
            "/admin/v1/changes",
            "--exclude-path",
            "/admin/v1/api-keys/{id}",
            "--exclude-path",
            "/admin/v1/pairings",
            "--max-examples",
            "30",
            "--tls-verify",
            "false",
        ],
    };
}

/// Compares an API with its description. Fails if an answer violates it, or has status 5xx.
pub(crate) fn schemathesis(description: &str, key: &str, suite: Suite) {
    let folder = tempfile::tempdir().unwrap();
    let found = python()
        .current_dir(folder.path())
        .args(["-m", "schemathesis.cli"])
        .arg("--config-file")
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/interop/api/schemathesis.toml"
        ))
        .arg("run")
        .arg(description)
        .args(suite.arguments)
        .env("LATCHKEY_API_KEY", key)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&found.stdout).into_owned();
    assert!(
        found.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&found.stderr)
    );
}
