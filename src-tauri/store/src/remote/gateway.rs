//! A gateway on another computer: settings, keys, links and state of its instance, by its
//! administration API. Its users are a [`RemoteDirectory`].

use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use latchkey_core::Result;
use latchkey_core::admin::{
    About, ApiKeyRequest, ApiKeys, ConnectionString, Fingerprint, GatewayState, GatewayUrl,
    InspectRequest, InstanceRecord, Judged, Link, LinkRequest, MadeApiKey, Paired, PairingRequest,
    RedemptionRequest, RetirementRequest, RotationRequest, SigningKeys, SigningKeysChanged,
};
use latchkey_core::inspect::{RefusedCode, Report};
use latchkey_core::instance::api_key::NewApiKey;
use latchkey_core::instance::{InstanceId, SettingsChange};
use latchkey_core::ledger::GivenAs;
use latchkey_core::secret::{KeyRotation, Secret, SecretSource};
use latchkey_core::verdict::Verdict;

use super::RemoteDirectory;
use super::client::{Call, Client, encoded};
use super::server::{self, Server};

/// Timeout of a question that shows whether the gateway answers.
const SOON: Duration = Duration::from_secs(5);

/// A gateway on another computer. It is not asked before the first call, and one that was out of
/// reach is used again as soon as it answers.
#[derive(Clone, Debug)]
pub struct RemoteGateway {
    client: Arc<Client>,
}

impl RemoteGateway {
    /// Prepares the connection. `pin` is the fingerprint of the certificate; without one, the
    /// operating system must trust it. Without an `instance`, any one is accepted.
    pub fn new(
        url: &GatewayUrl,
        pin: Option<Fingerprint>,
        key: &Secret,
        instance: Option<&InstanceId>,
    ) -> Result<Self> {
        let server = Server::gateway(url.clone(), pin, Some(key), instance.cloned())?;
        Ok(Self {
            client: Arc::new(Client::start(server)?),
        })
    }

    /// Exchanges the pairing code of a connection string for an API key.
    pub async fn pair(string: &ConnectionString) -> Result<Paired> {
        let (url, pin) = (string.url.clone(), string.fingerprint);
        let client = Client::start(Server::gateway(url, pin, None, None)?)?;
        let code = PairingRequest {
            code: string.pair.clone(),
            instance: Some(string.instance.as_str().to_owned()),
        };
        client
            .send(Call::new(Method::POST, "/pairings").json(&code)?)
            .await
    }

    /// Returns the fingerprint of the certificate at an address, whether or not it is trusted. No
    /// request is sent.
    pub async fn seen_fingerprint(url: &GatewayUrl) -> Result<Fingerprint> {
        let (sender, seen) = tokio::sync::oneshot::channel();
        let url = url.clone();
        // The caller may have no runtime.
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let found = runtime
                .map_err(latchkey_core::Error::internal)
                .and_then(|runtime| runtime.block_on(server::seen_fingerprint(&url)));
            // It fails if nobody waits for the answer any more.
            let _ = sender.send(found);
        };
        std::thread::Builder::new()
            .name("latchkey-fingerprint".into())
            .spawn(work)
            .map_err(latchkey_core::Error::internal)?;
        seen.await.map_err(latchkey_core::Error::internal)?
    }

    /// Returns the users of the instance.
    #[must_use]
    pub fn directory(&self) -> RemoteDirectory {
        RemoteDirectory::over(Arc::clone(&self.client))
    }

    /// Returns the description of the gateway.
    pub async fn about(&self) -> Result<About> {
        self.client.about(SOON).await.cloned()
    }

    /// Returns the state of the gateway. Fails soon if it does not answer. Only this asks a gateway
    /// again that has refused the key.
    pub async fn state(&self) -> Result<GatewayState> {
        let call = Call::new(Method::GET, "/gateway").within(SOON);
        self.client.send(call.despite_refusal()).await
    }

    /// Returns the instance with its settings.
    pub async fn settings(&self) -> Result<InstanceRecord> {
        self.client.send(Call::new(Method::GET, "/settings")).await
    }

    /// Changes settings.
    pub async fn change(&self, change: &SettingsChange) -> Result<InstanceRecord> {
        let call = Call::new(Method::PATCH, "/settings").json(change)?;
        self.client.send(call).await
    }

    /// Returns the signing keys that verify.
    pub async fn signing_keys(&self) -> Result<SigningKeys> {
        self.client
            .send(Call::new(Method::GET, "/signing-keys"))
            .await
    }

    /// Makes a new signing key the active one. Asks for no secret, because nobody would see it.
    pub async fn rotate(&self, rotation: KeyRotation) -> Result<SigningKeysChanged> {
        let rotation = RotationRequest {
            without_secret: matches!(rotation.source, SecretSource::Generate),
            ..RotationRequest::from(rotation)
        };
        let call = Call::new(Method::POST, "/signing-keys/rotations").json(&rotation)?;
        self.client.send(call).await
    }

    /// Retires a signing key by its ID. Asks for no secret, because nobody would see it.
    pub async fn retire_key(
        &self,
        id: &str,
        request: RetirementRequest,
    ) -> Result<SigningKeysChanged> {
        let request = RetirementRequest {
            without_secret: request.leaked,
            ..request
        };
        let path = format!("/signing-keys/{}/retirement", encoded(id));
        let call = Call::new(Method::POST, &path).json(&request)?;
        self.client.send(call).await
    }

    /// Returns the API keys, and those that wait for their clients.
    pub async fn api_keys(&self) -> Result<ApiKeys> {
        self.client.send(Call::new(Method::GET, "/api-keys")).await
    }

    /// Makes an API key.
    pub async fn make_api_key(&self, new: &NewApiKey) -> Result<MadeApiKey> {
        let call = Call::new(Method::POST, "/api-keys").json(&ApiKeyRequest::from(new))?;
        self.client.send(call).await
    }

    /// Revokes an API key by its ID.
    pub async fn revoke_api_key(&self, id: &str) -> Result<()> {
        let path = format!("/api-keys/{}", encoded(id));
        self.client.act(Call::new(Method::DELETE, &path)).await
    }

    /// Makes a login link, which the gateway signs and records.
    pub async fn make_link(&self, wanted: &LinkRequest) -> Result<Link> {
        self.client.send(super::link(wanted)?).await
    }

    /// Has the gateway sign a link of its ledger again and record that.
    pub async fn copy_link(&self, id: &str, given: GivenAs) -> Result<Link> {
        self.client.send(super::ledger::copying(id, given)?).await
    }

    /// Has the gateway make the link that a person has asked for, and record that.
    pub async fn grant_request(&self, number: u64, given: GivenAs) -> Result<Link> {
        self.client.send(super::granting(number, given)?).await
    }

    /// Has the gateway verify a code and redeem it, without a session. Returns the reason if the
    /// code by itself is refused.
    pub async fn redeem(&self, code: &str) -> Result<std::result::Result<Verdict, RefusedCode>> {
        let request = RedemptionRequest {
            code: Some(Secret::new(code.to_owned())),
            ..RedemptionRequest::default()
        };
        let call = Call::new(Method::POST, "/redemptions").json(&request)?;
        let judged: Judged = self.client.send(call).await?;
        judged.of_gateway()
    }

    /// Inspects a text with a code. The report does not quote a code that the gateway has not
    /// signed.
    pub async fn inspect(&self, text: &str) -> Result<Report> {
        let text = InspectRequest {
            text: Secret::new(text.to_owned()),
        };
        let call = Call::new(Method::POST, "/inspections")
            .only_asks()
            .json(&text)?;
        self.client.send(call).await
    }
}
