//! Closing the window while its gateway is open.

use std::sync::Arc;

use serde::Serialize;
use tauri::{AppHandle, Runtime, State};
use ts_rs::TS;

use crate::studio::blocking;
use crate::{Problem, Studio};

/// What closing the window ends.
#[derive(Clone, Debug, Serialize, TS)]
pub struct CloseAsked {
    /// The instance whose gateway is open, by id.
    pub instance: String,
    /// Number of people who are signed in there and lose access.
    pub people: u32,
}

/// Answers when somebody wants to close the window while a gateway is open. `null`: the gateway has
/// ended by then.
#[tauri::command]
pub async fn close_asked(
    studio: State<'_, Arc<Studio>>,
    request: (),
) -> Result<Option<CloseAsked>, Problem> {
    let () = request;
    studio.closing().asked().await;
    blocking(studio, |studio| {
        let running = studio.running();
        Ok::<_, Problem>(running.as_ref().map(|running| CloseAsked {
            instance: running.instance.as_str().to_owned(),
            people: running.sign_ins(),
        }))
    })
    .await
}

/// Stops the gateway and ends Studio.
#[tauri::command]
pub async fn close<R: Runtime>(
    app: AppHandle<R>,
    studio: State<'_, Arc<Studio>>,
    request: (),
) -> Result<(), Problem> {
    let () = request;
    blocking(studio, |studio| {
        // It waits for visitors who are being served, which the window's own thread must not.
        studio.stop_gateway();
        Ok::<_, Problem>(())
    })
    .await?;
    app.exit(0);
    Ok(())
}
