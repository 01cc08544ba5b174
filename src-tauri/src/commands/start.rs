//! The state that the window reads at its start.

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

/// State at the start of the window.
#[derive(Clone, Debug, Serialize, TS)]
pub struct Start {
    /// Version of Latchkey.
    pub version: String,
    /// Path of the data folder.
    pub data_dir: String,
    /// All readable instances in the order of their names.
    pub instances: Vec<Instance>,
    /// Errors of the instances that cannot be read.
    pub problems: Vec<Problem>,
    /// ID of the instance that was selected last, if it still exists.
    pub current: Option<String>,
    /// State of the key store.
    pub key_store: KeyStore,
    /// Appearance of Studio.
    pub appearance: Appearance,
    /// Options with which gateways were last started.
    pub gateways: Vec<GatewayStart>,
}

/// Opens the data folder and returns its state.
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
