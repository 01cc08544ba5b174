//! Client of the API for other systems.

use axum::http::StatusCode;
use jiff::Timestamp;
use latchkey_core::instance::api_key::{ApiKey, NewApiKey};
use serde_json::Value;

use crate::site::{Answer, Site};

/// Returns an instance with an API key, and the key.
pub(crate) fn with_key() -> (Site, String) {
    let mut site = Site::new();
    let (key, secret) = ApiKey::generate(&NewApiKey::new("CRM"), Timestamp::now()).unwrap();
    site.api_keys.push(key);
    (site, secret.expose().to_owned())
}

/// A client with a key of an instance.
pub(crate) struct Client {
    pub(crate) site: Site,
    pub(crate) key: String,
}

impl Client {
    pub(crate) fn new() -> Self {
        let (site, key) = with_key();
        Self { site, key }
    }

    pub(crate) fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        let headers = [
            ("x-api-key", self.key.as_str()),
            ("content-type", "application/json"),
        ];
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.site.ask(method, path, &headers, &body)
    }

    /// Sends a request that must succeed, and returns its body.
    pub(crate) fn done(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.ask(method, path, body);
        assert_eq!(
            answer.status,
            StatusCode::OK,
            "{method} {path}: {}",
            answer.body
        );
        assert_eq!(answer.header("content-type"), Some("application/json"));
        serde_json::from_str(&answer.body).unwrap()
    }

    /// Sends a request that must be refused. Returns the status, the code and the field.
    pub(crate) fn refused(&self, method: &str, path: &str, body: &Value) -> (u16, Value, Value) {
        refusal(&self.ask(method, path, body))
    }
}

/// Returns the status, the code and the field of a refusal.
pub(crate) fn refusal(answer: &Answer) -> (u16, Value, Value) {
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json"),
        "{}",
        answer.body
    );
    let problem: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(problem["status"], answer.status.as_u16());
    assert!(
        problem["detail"].as_str().unwrap().ends_with('.'),
        "{problem}"
    );
    (
        answer.status.as_u16(),
        problem["code"].clone(),
        problem["field"].clone(),
    )
}
