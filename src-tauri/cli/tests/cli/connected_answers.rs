//! Tests of answers of a gateway on another computer, which must be those that a command gives here.

use std::path::Path;

use crate::connected::{Connected, at};

/// Returns exit code, error code and field of a command that is refused.
fn refusal(folder: &Path, arguments: &[&str]) -> (i32, String, Option<String>) {
    at(folder, &[&["--json"], arguments].concat(), "").refusal()
}

#[test]
fn an_error_of_the_gateway_names_the_option_as_an_error_here_does() {
    let connected = Connected::new();
    let (server, client) = (connected.server.path(), connected.client.path());
    let ended = ["--user-id", "x", "--account-ends", "2020-01-01"];
    for (folder, instance) in [(server, "here"), (client, "server")] {
        let link = [&["link", "--instance", instance], &ended[..]].concat();
        let (code, error, field) = refusal(folder, &link);
        assert_eq!((code, error.as_str()), (1, "invalid_time"), "{instance}");
        assert_eq!(field.as_deref(), Some("account-ends"), "{instance}");
    }
    connected.serving.end();
}
