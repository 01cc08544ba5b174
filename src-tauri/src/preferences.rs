//! Preferences that Studio stores besides instances: the appearance, the selected instance, and the
//! options of gateways. If the file is lost, nothing else is lost.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use latchkey_core::instance::InstanceId;
use latchkey_core::{Error, Result};
use latchkey_store::files;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Light or dark theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// The theme of the system.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

/// Use of https.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Tls {
    /// No https.
    Off,
    /// A self-signed certificate. Browsers warn of it.
    SelfSigned,
    /// A certificate from files in PEM.
    Files {
        /// Path of the certificate with its chain.
        certificate: String,
        /// Path of the private key.
        key: String,
    },
}

/// Options with which a gateway was last started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GatewayStart {
    /// Address on which it listened.
    pub listen: SocketAddr,
    /// Use of https.
    pub tls: Tls,
}

/// Preferences of Studio.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Preferences {
    /// Light or dark theme.
    pub theme: Theme,
    /// ID of the instance that was selected last.
    pub current: Option<String>,
    /// Options with which gateways were last started, by the ID of their instance.
    pub gateways: BTreeMap<String, GatewayStart>,
}

/// Held while the preferences are read and changed.
static TURN: Mutex<()> = Mutex::new(());

impl Preferences {
    /// Reads the preferences. Unreadable ones have their defaults.
    #[must_use]
    pub(crate) fn load(data_dir: &Path) -> Self {
        files::read(&path(data_dir))
            .ok()
            .flatten()
            .and_then(|contents| serde_json::from_slice(&contents).ok())
            .unwrap_or_default()
    }

    /// Changes the preferences. Concurrent changes do not overwrite each other.
    pub(crate) fn change(data_dir: &Path, change: impl FnOnce(&mut Self)) -> Result<()> {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let before = Self::load(data_dir);
        let mut preferences = before.clone();
        change(&mut preferences);
        if preferences == before {
            return Ok(());
        }
        preferences.save(data_dir)
    }

    /// Stores which instance is selected.
    pub(crate) fn select(data_dir: &Path, id: &InstanceId) -> Result<()> {
        Self::change(data_dir, |preferences| {
            preferences.current = Some(id.as_str().to_owned());
        })
    }

    fn save(&self, data_dir: &Path) -> Result<()> {
        let contents = serde_json::to_vec_pretty(self).map_err(Error::internal)?;
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
        let gateway = GatewayStart {
            listen: "192.168.1.20:9000".parse().unwrap(),
            tls: Tls::Files {
                certificate: "/etc/a.pem".into(),
                key: "/etc/a.key".into(),
            },
        };
        let wanted = Preferences {
            theme: Theme::Dark,
            current: Some("acme".into()),
            gateways: BTreeMap::from([("acme".into(), gateway)]),
        };
        Preferences::change(folder.path(), |preferences| *preferences = wanted.clone()).unwrap();
        assert_eq!(Preferences::load(folder.path()), wanted);
        std::fs::write(path(folder.path()), r#"{"theme":"light"}"#).unwrap();
        let older = Preferences::load(folder.path());
        assert_eq!((older.theme, older.gateways.len()), (Theme::Light, 0));
        std::fs::write(path(folder.path()), "{").unwrap();
        assert_eq!(Preferences::load(folder.path()), Preferences::default());
    }

    #[test]
    fn concurrent_changes_are_not_lost() {
        let folder = tempfile::tempdir().unwrap();
        let start = GatewayStart {
            listen: "127.0.0.1:8787".parse().unwrap(),
            tls: Tls::Off,
        };
        std::thread::scope(|scope| {
            for one in 0..16 {
                let (folder, start) = (folder.path(), start.clone());
                scope.spawn(move || {
                    Preferences::change(folder, |preferences| {
                        preferences.gateways.insert(format!("i{one}"), start);
                    })
                    .unwrap();
                });
            }
        });
        assert_eq!(Preferences::load(folder.path()).gateways.len(), 16);
    }
}
