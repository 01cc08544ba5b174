//! Adding, changing and removing instances.

use std::sync::Arc;

use latchkey_core::instance::{Hosted, InstanceId, Name, Settings, SettingsChange};
use latchkey_core::link::BaseUrl;
use latchkey_store::home::{self, once_free};
use serde::Deserialize;
use tauri::State;
use ts_rs::TS;

use crate::commands::connections::after_change;
use crate::commands::instance::{Instance, InstanceRef, InstanceSettings, SecretSource};
use crate::preferences::Preferences;
use crate::studio::{at_home, now};
use crate::{Problem, Studio};

/// An instance to add.
#[derive(Debug, Deserialize, TS)]
pub struct NewInstance {
    /// Name for people. If it is empty, the host of the URL.
    pub name: String,
    /// URL of the application.
    pub url: String,
    /// Whether sign-ins are decided here or elsewhere.
    pub hosted: Hosted,
    /// Source of its signing key.
    pub secret: SecretSource,
}

/// Request to change the settings of an instance.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct InstanceUpdate {
    /// ID of the instance.
    pub instance: String,
    /// All of its settings.
    pub settings: InstanceSettings,
    /// Settings from which the administrator began. Only those that differ from `settings` are
    /// changed, so that changes by others in between are kept.
    pub before: InstanceSettings,
}

/// Adds an instance with its key. If the key cannot be stored, the instance is not added.
#[tauri::command]
pub async fn instance_add(
    studio: State<'_, Arc<Studio>>,
    request: NewInstance,
) -> Result<Instance, Problem> {
    at_home(studio, move |_, home| {
        let url = BaseUrl::typed(&request.url)?;
        let name = match request.name.trim() {
            "" => Name::parse(url.authority())?,
            name => Name::parse(name)?,
        };
        let settings = Settings::new(name, url, request.hosted);
        add(home, settings, request.secret.into())
    })
    .await
}

/// Adds the sample instance, with a generated key.
#[tauri::command]
pub async fn sample_instance_add(
    studio: State<'_, Arc<Studio>>,
    request: (),
) -> Result<Instance, Problem> {
    let () = request;
    at_home(studio, |_, home| {
        add(home, Settings::sample()?, home::SecretSource::Generate)
    })
    .await
}

/// Stores which instance is selected.
#[tauri::command]
pub async fn instance_select(
    studio: State<'_, Arc<Studio>>,
    request: InstanceRef,
) -> Result<(), Problem> {
    at_home(studio, move |_, home| {
        let instance = home.instances().get(&request.id()?)?;
        Preferences::select(home.data_dir(), &instance.id)
    })
    .await
}

/// Changes the settings of an instance.
#[tauri::command]
pub async fn instance_update(
    studio: State<'_, Arc<Studio>>,
    request: InstanceUpdate,
) -> Result<Instance, Problem> {
    at_home(studio, move |studio, home| {
        let id = InstanceId::parse(&request.instance)?;
        let before = SettingsChange::try_from(request.before)?;
        let change = SettingsChange::try_from(request.settings)?.without(&before);
        let changed = home.change_settings(&id, &change, None, &now())?;
        if changed.settings.hosted == Hosted::Elsewhere {
            studio.release(&id);
        }
        after_change(home, &changed.id)
    })
    .await
}

/// Removes an instance with its key, users and activity.
#[tauri::command]
pub async fn instance_remove(
    studio: State<'_, Arc<Studio>>,
    request: InstanceRef,
) -> Result<(), Problem> {
    at_home(studio, move |studio, home| {
        let id = request.id()?;
        studio.release(&id);
        // Work that had begun before may hold the directory for a moment.
        once_free(|| home.remove(&id))?;
        let forgotten = Preferences::change(home.data_dir(), |preferences| {
            preferences.gateways.remove(id.as_str());
        });
        if let Err(cause) = forgotten {
            // The instance is removed even if this cannot be stored.
            tracing::warn!(error = %cause.logged(), "the options of its gateway are still stored");
        }
        Ok(())
    })
    .await
}

fn add(
    home: &home::Home,
    settings: Settings,
    secret: home::SecretSource,
) -> latchkey_core::Result<Instance> {
    let added = home.add(settings, secret, &now())?;
    Preferences::select(home.data_dir(), &added.id)?;
    Ok(added.into())
}
