//! The appearance of Studio.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tauri::State;
use ts_rs::TS;

use crate::preferences::{Preferences, Theme};
use crate::studio::at_home;
use crate::{Problem, Studio};

/// Appearance of Studio.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, TS)]
pub struct Appearance {
    /// Light or dark theme.
    pub theme: Theme,
}

/// Stores the appearance of Studio.
#[tauri::command]
pub async fn appearance_set(
    studio: State<'_, Arc<Studio>>,
    request: Appearance,
) -> Result<(), Problem> {
    at_home(studio, move |_, home| {
        Preferences::change(home.data_dir(), |preferences| {
            preferences.theme = request.theme;
        })
    })
    .await
}
