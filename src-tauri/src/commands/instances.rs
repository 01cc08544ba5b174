//! The applications that people sign in to.

use std::sync::Arc;

use latchkey_core::instance::{Hosted, InstanceId, Name, Settings, SettingsChange};
use latchkey_core::link::BaseUrl;
use latchkey_store::home;
use serde::Deserialize;
use tauri::State;
use ts_rs::TS;

use crate::commands::instance::{Instance, InstanceRef, InstanceSettings, SecretSource};
use crate::preferences::Preferences;
use crate::studio::{at_home, now};
use crate::{Problem, Studio};

/// An instance to connect.
#[derive(Debug, Deserialize, TS)]
pub struct NewInstance {
    /// For people; the URL's host where it is empty.
    pub name: String,
    /// Where people open the application.
    pub url: String,
    /// Who decides.
    pub hosted: Hosted,
    /// Where its signing key comes from.
    pub secret: SecretSource,
}

/// An instance and what it is to become.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct InstanceUpdate {
    /// The id.
    pub instance: String,
    /// All of its settings.
    pub settings: InstanceSettings,
}

/// Connects an instance: it and its key are there afterwards, or neither is.
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

/// Remembers which instance is worked on.
#[tauri::command]
pub async fn instance_select(
    studio: State<'_, Arc<Studio>>,
    request: InstanceRef,
) -> Result<(), Problem> {
    at_home(studio, move |_, home| {
        let instance = home.instances().get(&request.id()?)?;
        select(home, &instance.id)
    })
    .await
}

/// Changes an instance's settings.
#[tauri::command]
pub async fn instance_update(
    studio: State<'_, Arc<Studio>>,
    request: InstanceUpdate,
) -> Result<Instance, Problem> {
    at_home(studio, move |studio, home| {
        let id = InstanceId::parse(&request.instance)?;
        let change = SettingsChange::try_from(request.settings)?;
        let changed = home.change(&id, |settings| change.apply(settings), None, &now())?;
        if changed.settings.hosted == Hosted::Elsewhere {
            studio.release(&id);
        }
        Ok(changed.into())
    })
    .await
}

/// Removes an instance with its key and all that is kept for it.
#[tauri::command]
pub async fn instance_remove(
    studio: State<'_, Arc<Studio>>,
    request: InstanceRef,
) -> Result<(), Problem> {
    at_home(studio, move |studio, home| {
        let id = request.id()?;
        studio.release(&id);
        home.remove(&id)?;
        let forgotten = Preferences::change(home.data_dir(), |preferences| {
            preferences.gateways.remove(id.as_str());
        });
        if let Err(cause) = forgotten {
            // It is gone all the same.
            tracing::warn!(error = %cause.logged(), "how its gateway was started is still remembered");
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
    select(home, &added.id)?;
    Ok(added.into())
}

fn select(home: &home::Home, id: &InstanceId) -> latchkey_core::Result<()> {
    Preferences::change(home.data_dir(), |preferences| {
        preferences.current = Some(id.as_str().to_owned());
    })
}
