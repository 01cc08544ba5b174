//! Start, maintenance and end of a gateway.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use latchkey_core::Result;
use latchkey_core::activity::{Actor, AuditContext, EventData};
use tokio::time::sleep;

use crate::certificate::Certificate;
use crate::gateway::Gateway;
use crate::listening::Listening;
use crate::router::router;
use crate::serve::{Handle, Listener, serve};

/// Interval at which counted refusals are recorded.
const RECORD_INTERVAL: Duration = Duration::from_secs(2);
/// Number of maintenance rounds after which the activity is pruned.
const ROUNDS_PER_PRUNE: u32 = 30;
/// Pause between two pruned batches, in which sign-ins can use the disk.
const BATCH_PAUSE: Duration = Duration::from_millis(50);

/// Serves visitors until `handle` ends it. Records the start and the end as done by `actor`,
/// records counted refusals and the end of accounts, and prunes the activity.
///
/// Serves also if the disk is full and the start cannot be recorded. Fails with the errors of
/// [`serve`].
pub async fn run(
    gateway: Arc<Gateway>,
    listener: Listener,
    certificate: Option<Certificate>,
    handle: Handle,
    actor: Actor,
) -> Result<()> {
    let socket = listener.address()?;
    let address = socket.to_string();
    let record = async |data: EventData| {
        let by = AuditContext::new(actor.clone(), Timestamp::now());
        gateway.directory.record(data.into(), &by).await
    };
    let started = EventData::GatewayStarted {
        address: address.clone(),
    };
    if let Err(cause) = record(started).await {
        tracing::warn!(error = %cause.logged(), "the start of the gateway is not recorded");
        gateway.note_failure();
    }
    gateway.set_listening(Some(Listening {
        address: socket,
        fingerprint: certificate
            .as_ref()
            .map(|certificate| certificate.fingerprint().to_owned()),
        started_at: Timestamp::now(),
        since: Instant::now(),
    }));
    let serving = serve(router(Arc::clone(&gateway)), listener, certificate, handle);
    let ended = tokio::select! {
        ended = serving => ended,
        never = gateway.run_maintenance(&actor) => match never {},
    };
    gateway.set_listening(None);
    gateway.refusal_log.finish();
    // The gateway ends even if its end cannot be recorded.
    if let Err(cause) = record(EventData::GatewayStopped { address }).await {
        tracing::error!(error = %cause.logged(), "the end of the gateway is not recorded");
    }
    ended
}

impl Gateway {
    /// Runs until it is dropped. Every two seconds it records counted refusals and the end of
    /// accounts, and tests whether the directory works again after a failure. Once a minute it prunes the activity and the ledger.
    async fn run_maintenance(&self, actor: &Actor) -> Infallible {
        loop {
            for _ in 0..ROUNDS_PER_PRUNE {
                sleep(RECORD_INTERVAL).await;
                self.refusal_log.round();
                self.retry(actor).await;
                let now = Timestamp::now();
                if let Err(cause) = self.directory.record_counted(now).await {
                    tracing::warn!(error = %cause.logged(), "refusals that were counted are not recorded yet");
                }
                if let Err(cause) = self.directory.end_due_accounts(now).await {
                    tracing::warn!(error = %cause.logged(), "the end of accounts is not recorded yet");
                }
            }
            if let Err(cause) = self.prune().await {
                tracing::warn!(error = %cause.logged(), "the activity and the ledger are not pruned");
            }
            if let Err(cause) = self.prune_sessions().await {
                tracing::warn!(error = %cause.logged(), "expired sessions were not deleted");
            }
        }
    }

    async fn prune(&self) -> Result<()> {
        let retention = self.config().await?.settings.retention;
        let now = Timestamp::now();
        while self.directory.prune(retention, now).await? {
            sleep(BATCH_PAUSE).await;
        }
        Ok(())
    }
}
