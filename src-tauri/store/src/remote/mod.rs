//! The remote engine: a directory that another process holds, by its administration API.
//!
//! The other process decides, writes and records. Sessions are begun and kept by the gateway there,
//! so functions that only a gateway calls do nothing here.
//!
//! | concern | module |
//! |---|---|
//! | requests, answers and repeated attempts | `client` |
//! | the server: a local process, or a gateway on another computer | `server` |
//! | connection to the socket | `local` |
//! | connection to a gateway, and trust in its certificate | `gateway_tls` |
//! | the trait of a directory | `directory` |
//! | changes | `commands` |
//! | lists of users | `users` |
//! | sessions of a user | `sessions` |
//! | links of the ledger | `ledger` |
//! | the activity | `activity` |
//! | errors of a gateway | `failures` |
//! | settings, keys, links and state of a gateway | `gateway` |
//! | changes that the other process reports | `stream` |

mod activity;
mod client;
mod commands;
mod directory;
mod failures;
mod gateway;
mod gateway_tls;
mod ledger;
mod local;
mod server;
mod sessions;
mod snapshot;
mod stream;
mod users;

pub use gateway::RemoteGateway;

use std::path::Path;
use std::sync::Arc;

use hyper::Method;
use latchkey_core::activity::AuditContext;
use latchkey_core::admin::{About, CopyRequest, GatewayState, Link, LinkRequest};
use latchkey_core::ledger::GivenAs;
use latchkey_core::{Error, Result};

use self::client::{Call, Client};
use self::server::Server;
use crate::control;

/// A directory that another process holds.
#[derive(Debug)]
pub struct RemoteDirectory {
    client: Arc<Client>,
}

impl RemoteDirectory {
    /// Connects to the process that holds the directory of the instance in `folder`.
    ///
    /// Fails with [`Unreachable`](latchkey_core::ErrorCode::Unreachable) if it has no local socket, or does not answer.
    pub async fn local(folder: &Path) -> Result<Self> {
        let socket = control::socket(folder).ok_or_else(server::absent)?;
        let client = Client::start(Server::local(socket))?;
        let _: About = client.send(Call::greeting()).await?;
        Ok(Self::over(Arc::new(client)))
    }

    /// Returns the directory that a client reaches.
    fn over(client: Arc<Client>) -> Self {
        Self { client }
    }

    /// Returns the state of the gateway that the process runs.
    pub async fn gateway_state(&self) -> Result<GatewayState> {
        self.client.send(Call::new(Method::GET, "/gateway")).await
    }

    /// Makes a login link, which the process signs and records.
    pub async fn make_link(&self, wanted: &LinkRequest, by: &AuditContext) -> Result<Link> {
        self.client.send(link(wanted)?.by(by)).await
    }

    /// Gives a link of the ledger out again, which the process signs and records.
    pub async fn copy_link(&self, id: &str, given: GivenAs, by: &AuditContext) -> Result<Link> {
        self.client.send(ledger::copying(id, given)?.by(by)).await
    }

    /// Makes the link that a person has asked for, which the process signs and records.
    pub async fn grant_request(
        &self,
        number: u64,
        given: GivenAs,
        by: &AuditContext,
    ) -> Result<Link> {
        self.client.send(granting(number, given)?.by(by)).await
    }

    /// Asks the process that holds the directory to close it, because this one must hold it.
    ///
    /// Fails with [`DirectoryHeld`](latchkey_core::ErrorCode::DirectoryHeld) if that process needs it.
    pub async fn ask_to_give_way(&self) -> Result<()> {
        self.client.act(Call::new(Method::POST, "/give-way")).await
    }
}

/// Returns the call that makes a login link.
fn link(wanted: &LinkRequest) -> Result<Call> {
    Call::new(Method::POST, "/links").json(wanted)
}

/// Returns the call that makes the link that a person has asked for.
fn granting(number: u64, given: GivenAs) -> Result<Call> {
    Call::new(Method::POST, &format!("/requests/{number}/grant")).json(&CopyRequest { given })
}

/// Returns the error for what only a gateway does with its own directory.
fn of_a_gateway() -> Error {
    Error::internal("a gateway needs a directory of its own")
}
