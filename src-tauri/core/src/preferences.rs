//! What Studio remembers from one start to the next, apart from instances: the look, and which
//! instance was last worked on. Losing it loses nothing.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorCode, Result, files};

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the system is.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

/// Studio's memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// Light or dark.
    pub theme: Theme,
    /// The id of the instance that was last worked on.
    pub current: Option<String>,
}

impl Preferences {
    /// Reads them; what cannot be read counts as never set.
    #[must_use]
    pub fn load(data_dir: &Path) -> Self {
        files::read(&path(data_dir))
            .ok()
            .flatten()
            .and_then(|contents| serde_json::from_slice(&contents).ok())
            .unwrap_or_default()
    }

    /// Writes them.
    pub fn save(&self, data_dir: &Path) -> Result<()> {
        let contents = serde_json::to_vec_pretty(self).map_err(|cause| {
            Error::new(ErrorCode::Storage, "The preferences could not be written.").because(cause)
        })?;
        files::replace(&path(data_dir), &contents)
    }
}

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("studio.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences_are_kept_and_damaged_ones_count_as_never_set() {
        let folder = tempfile::tempdir().unwrap();
        let preferences = Preferences {
            theme: Theme::Dark,
            current: Some("acme".into()),
        };
        preferences.save(folder.path()).unwrap();
        assert_eq!(Preferences::load(folder.path()), preferences);
        std::fs::write(path(folder.path()), "{").unwrap();
        assert_eq!(Preferences::load(folder.path()), Preferences::default());
    }
}
