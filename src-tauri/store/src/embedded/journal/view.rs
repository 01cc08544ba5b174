//! Views of the current rows: the pending ones, and those of the tree.

use std::collections::BTreeSet;
use std::sync::RwLockReadGuard;

use serde::de::DeserializeOwned;

use super::super::errors::storage;
use super::super::rows::decoded;
use super::pending::Pending;
use latchkey_core::Result;

/// A view of the current rows. They do not change while it is held.
pub(in crate::embedded) struct View<'a> {
    pub(super) tree: &'a sled::Db,
    pub(super) pending: RwLockReadGuard<'a, Pending>,
}

impl View<'_> {
    pub(in crate::embedded) fn read<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>> {
        let bytes = match self.pending.rows.get(key) {
            Some(bytes) => bytes.clone(),
            None => self.tree.get(key).map_err(storage)?,
        };
        bytes.map(|bytes| decoded(&bytes)).transpose()
    }

    /// Returns whether a row is pending.
    pub(in crate::embedded) fn is_pending(&self, key: &[u8]) -> bool {
        self.pending.rows.contains_key(key)
    }

    /// Returns the pending rows whose keys begin with `prefix`. A removed row has no value.
    pub(in crate::embedded) fn pending_rows(
        &self,
        prefix: &[u8],
    ) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let rows = self.pending.rows.iter();
        let found = rows.filter(move |(key, _)| key.starts_with(prefix));
        found.map(|(key, value)| (key.as_slice(), value.as_deref()))
    }

    /// Returns the keys that begin with `prefix` of rows that are not pending as removed.
    pub(in crate::embedded) fn carried_keys(
        &self,
        prefix: &[u8],
    ) -> impl Iterator<Item = Result<Vec<u8>>> {
        let keys = self.tree.scan_prefix(prefix).keys();
        let keys = keys.map(|key| key.map(|key| key.to_vec()).map_err(storage));
        keys.filter(|key| match key {
            Ok(key) => self.pending.rows.get(key).is_none_or(Option::is_some),
            Err(_) => true,
        })
    }

    /// Returns all keys that begin with `prefix`.
    pub(in crate::embedded) fn all_keys(&self, prefix: &[u8]) -> Result<BTreeSet<Vec<u8>>> {
        let mut found: BTreeSet<Vec<u8>> = self.pending_keys(prefix).map(<[u8]>::to_vec).collect();
        for key in self.carried_keys(prefix) {
            found.insert(key?);
        }
        Ok(found)
    }

    /// Returns the keys of pending rows that begin with `prefix`.
    pub(in crate::embedded) fn pending_keys(&self, prefix: &[u8]) -> impl Iterator<Item = &[u8]> {
        let rows = self.pending.rows.iter();
        let there = rows.filter(move |(key, value)| value.is_some() && key.starts_with(prefix));
        there.map(|(key, _)| key.as_slice())
    }
}
