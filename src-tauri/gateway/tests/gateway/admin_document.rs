//! Comparison of the administration API with its `OpenAPI` description, by tools of others.

use std::path::PathBuf;
use std::sync::Arc;

use latchkey_core::instance::scope::Scope;
use latchkey_core::link::BaseUrl;
use latchkey_gateway::{Certificate, Handle, Listener, serve_admin, serve_locally};
use serde_json::Value;
#[cfg(unix)]
use tokio::net::{TcpListener, UnixStream};

use crate::admin_api::{add, with_stored_key};
use crate::administering::Administered;
use crate::document::{Suite, python, schemathesis};

#[test]
fn the_description_is_valid() {
    let site = Administered::new();
    let key = site.key("admin", &[Scope::Admin]);
    let document = site.ask("GET", "/openapi.json", &key, &Value::Null).body;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
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
fn schemathesis_finds_no_violation_and_no_failure_on_the_network() {
    let site = with_stored_key();
    let key = site.key("admin", &[Scope::Admin]);
    add(&site, "ada");
    let folder = tempfile::tempdir().unwrap();
    let (listener, url) = (
        Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap(),
        BaseUrl::parse("https://localhost").unwrap(),
    );
    let (address, handle) = (listener.address().unwrap(), Handle::default());
    let certificate = Certificate::self_signed(folder.path(), &url, address).unwrap();
    let serving = site.runtime.spawn(serve_admin(
        Arc::clone(&site.gateway),
        Arc::clone(&site.administration),
        listener,
        certificate,
        handle.clone(),
    ));
    schemathesis(
        &format!("https://{address}/admin/v1/openapi.json"),
        &key,
        Suite::ADMINISTRATION_WITH_A_KEY,
    );
    handle.shut_down();
    site.runtime.block_on(serving).unwrap().unwrap();
}

#[cfg(unix)]
#[test]
fn schemathesis_finds_no_violation_and_no_failure_on_the_local_socket() {
    let site = with_stored_key();
    add(&site, "ada");
    let folder = site.home.instances().folder(&site.id);
    let (address, served) = site.runtime.block_on(async {
        let served = serve_locally(Arc::clone(&site.administration)).unwrap();
        let socket = latchkey_store::control::socket(&folder).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(forward(listener, socket));
        (address, served)
    });
    schemathesis(
        &format!("http://{address}/admin/v1/openapi.json"),
        "none",
        Suite::ADMINISTRATION,
    );
    site.runtime.block_on(served.end());
}

/// Forwards connections to a local socket.
#[cfg(unix)]
async fn forward(listener: TcpListener, socket: PathBuf) {
    while let Ok((mut client, _)) = listener.accept().await {
        let socket = socket.clone();
        tokio::spawn(async move {
            if let Ok(mut server) = UnixStream::connect(socket).await {
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            }
        });
    }
}
