//! The file that Studio imports users from, between its preview and the end of the import.

use std::sync::Mutex;

use latchkey_core::import::Import;
use latchkey_core::instance::InstanceId;
use latchkey_core::{Error, ErrorCode, Result};

use crate::lock::locked;

/// A file with its plan.
pub(crate) struct OpenImport {
    pub(crate) instance: InstanceId,
    /// Name of the file.
    pub(crate) file: String,
    pub(crate) import: Import,
}

/// The open file, if there is one.
#[derive(Default)]
pub(crate) struct Imports(Mutex<Option<OpenImport>>);

impl Imports {
    /// Opens a file in place of an earlier one.
    pub(crate) fn open(&self, opened: OpenImport) {
        *locked(&self.0) = Some(opened);
    }

    /// Closes the file.
    pub(crate) fn close(&self) {
        *locked(&self.0) = None;
    }

    /// Does work with the file of an instance.
    ///
    /// Fails with [`ErrorCode::InvalidImport`] if the instance has no open file.
    pub(crate) fn with<T>(
        &self,
        instance: &InstanceId,
        work: impl FnOnce(&mut OpenImport) -> Result<T>,
    ) -> Result<T> {
        let mut opened = locked(&self.0);
        let opened = opened.as_mut().filter(|open| open.instance == *instance);
        work(opened.ok_or_else(|| {
            let message = "The file is no longer open. Choose it again.";
            Error::new(ErrorCode::InvalidImport, message).about("file")
        })?)
    }
}
