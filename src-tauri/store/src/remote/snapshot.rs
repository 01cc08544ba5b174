//! A snapshot of a directory that another process holds.

use async_trait::async_trait;
use hyper::Method;
use latchkey_core::Result;
use latchkey_core::admin::{SnapshotBegun, SnapshotRows};
use latchkey_core::directory::{Row, Snapshot};

use super::client::{self, Call, Client};

/// A snapshot that the other process reads.
pub(super) struct RemoteSnapshot {
    client: Client,
    path: String,
    has_more: bool,
}

impl RemoteSnapshot {
    pub(super) async fn begin(client: &Client) -> Result<Self> {
        let begun: SnapshotBegun = client.send(Call::new(Method::POST, "/snapshots")).await?;
        Ok(Self {
            client: client.clone(),
            path: format!("/snapshots/{}", client::encoded(&begun.snapshot)),
            has_more: true,
        })
    }
}

#[async_trait]
impl Snapshot for RemoteSnapshot {
    async fn next(&mut self) -> Result<Option<Vec<Row>>> {
        if !self.has_more {
            return Ok(None);
        }
        let call = Call::new(Method::POST, &format!("{}/next", self.path));
        let part: SnapshotRows = self.client.send(call).await?;
        self.has_more = !part.rows.is_empty();
        Ok(self.has_more.then_some(part.rows))
    }
}

impl Drop for RemoteSnapshot {
    fn drop(&mut self) {
        if self.has_more {
            // The other process also ends it by itself, a minute later.
            let _ = self
                .client
                .send_unanswered(Call::new(Method::DELETE, &self.path));
        }
    }
}
