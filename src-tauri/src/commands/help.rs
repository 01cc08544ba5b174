//! The log, for an administrator who needs help.

use std::sync::Arc;

use jiff::Timestamp;
use latchkey_core::{Error, ErrorCode, Result};
use serde::Serialize;
use tauri::State;
use ts_rs::TS;

use crate::studio::blocking;
use crate::{Problem, Studio};

/// File of the log.
#[derive(Clone, Debug, Serialize, TS)]
pub struct LogFile {
    /// Path of today's file.
    pub path: String,
}

/// Returns the file of the log.
#[tauri::command]
pub async fn log_file(studio: State<'_, Arc<Studio>>, request: ()) -> Result<LogFile, Problem> {
    let () = request;
    blocking(studio, |studio| {
        let path = studio.log_file()?.path(Timestamp::now());
        Ok::<_, Error>(LogFile {
            path: path.display().to_string(),
        })
    })
    .await
}

/// Opens the folder of the log in the file manager.
#[tauri::command]
pub async fn log_folder_open(studio: State<'_, Arc<Studio>>, request: ()) -> Result<(), Problem> {
    let () = request;
    blocking(studio, |studio| {
        let log = studio.log_file()?;
        let folder = log.folder();
        open::that_detached(folder).map_err(|cause| {
            let folder = folder.display();
            let message = format!("No file manager could be started. Open {folder} yourself.");
            Error::new(ErrorCode::Internal, message).because(cause)
        })
    })
    .await
}
