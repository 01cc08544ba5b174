//! What the window needs to know first.

use std::sync::Arc;

use crate::preferences::Preferences;
use serde::Serialize;
use tauri::State;
use ts_rs::TS;

use crate::commands::appearance::Appearance;
use crate::commands::gateway::GatewayStart;
use crate::commands::instance::Instance;
use crate::commands::keys::KeyStore;
use crate::studio::at_home;
use crate::{Problem, Studio};

/// What there is at the start.
#[derive(Clone, Debug, Serialize, TS)]
pub struct Start {
    /// Latchkey's version.
    pub version: String,
    /// Where everything is kept.
    pub data_dir: String,
    /// All instances that can be read, by name.
    pub instances: Vec<Instance>,
    /// What is wrong with the others.
    pub problems: Vec<Problem>,
    /// The instance that was last worked on, if it is still there.
    pub current: Option<String>,
    /// Where the signing keys are.
    pub key_store: KeyStore,
    /// How Studio looks.
    pub appearance: Appearance,
    /// How gateways were started last.
    pub gateways: Vec<GatewayStart>,
}

/// Opens the data folder and says what is in it.
#[tauri::command]
pub async fn start(studio: State<'_, Arc<Studio>>, request: ()) -> Result<Start, Problem> {
    let () = request;
    at_home(studio, |_, home| {
        let listing = home.instances().list()?;
        let preferences = Preferences::load(home.data_dir());
        let instances: Vec<Instance> = listing.instances.into_iter().map(Into::into).collect();
        let remembered = preferences
            .current
            .filter(|current| instances.iter().any(|instance| instance.id == *current));
        Ok(Start {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            data_dir: home.data_dir().display().to_string(),
            current: remembered.or_else(|| instances.first().map(|instance| instance.id.clone())),
            instances,
            problems: listing.problems.into_iter().map(Into::into).collect(),
            key_store: home.keys().state().into(),
            appearance: Appearance {
                theme: preferences.theme,
            },
            gateways: preferences
                .gateways
                .into_iter()
                .map(|(instance, start)| GatewayStart::remembered(instance, start))
                .collect(),
        })
    })
    .await
}
