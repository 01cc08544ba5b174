//! How Studio looks.

use std::sync::Arc;

use crate::preferences::{self, Preferences};
use serde::{Deserialize, Serialize};
use tauri::State;
use ts_rs::TS;

use crate::studio::at_home;
use crate::{Problem, Studio};

/// Light or dark; `system` follows the computer.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the computer is.
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

/// How Studio looks.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, TS)]
pub struct Appearance {
    /// Light or dark.
    pub theme: Theme,
}

impl From<preferences::Theme> for Theme {
    fn from(theme: preferences::Theme) -> Self {
        match theme {
            preferences::Theme::System => Self::System,
            preferences::Theme::Light => Self::Light,
            preferences::Theme::Dark => Self::Dark,
        }
    }
}

impl From<Theme> for preferences::Theme {
    fn from(theme: Theme) -> Self {
        match theme {
            Theme::System => Self::System,
            Theme::Light => Self::Light,
            Theme::Dark => Self::Dark,
        }
    }
}

/// Remembers how Studio looks.
#[tauri::command]
pub async fn appearance_set(
    studio: State<'_, Arc<Studio>>,
    request: Appearance,
) -> Result<(), Problem> {
    at_home(studio, move |_, home| {
        Preferences::change(home.data_dir(), |preferences| {
            preferences.theme = request.theme.into();
        })
    })
    .await
}
