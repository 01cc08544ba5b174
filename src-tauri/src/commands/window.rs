//! Events for the page, and closing the window while its gateway is open.

use latchkey_store::Wait as _;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tauri::ipc::JavaScriptChannelId;
use tauri::{AppHandle, Runtime, State, Webview};
use ts_rs::TS;

use crate::delivery::begin_delivery;
use crate::studio::{at_home, blocking};
use crate::{Problem, Studio};

/// The page's end of a channel.
#[derive(Deserialize, TS)]
pub struct Listener {
    /// The channel in Tauri's text form.
    #[ts(type = "string")]
    pub channel: JavaScriptChannelId,
}

/// Consequences of closing the window.
#[derive(Clone, Debug, Serialize, TS)]
pub struct CloseAsked {
    /// ID of the instance whose gateway is open.
    pub instance: String,
    /// Number of people who are signed in there and would lose access.
    #[ts(type = "number")]
    pub people: u64,
}

/// Starts sending events to the page, in place of an earlier page.
#[tauri::command]
pub async fn listen<R: Runtime>(
    webview: Webview<R>,
    studio: State<'_, Arc<Studio>>,
    request: Listener,
) -> Result<(), Problem> {
    let channel = request.channel.channel_on(webview);
    begin_delivery(&studio, channel);
    Ok(())
}

/// Returns the consequences of closing the window. `None` if the gateway has already ended.
#[tauri::command]
pub async fn close_asked(
    studio: State<'_, Arc<Studio>>,
    request: (),
) -> Result<Option<CloseAsked>, Problem> {
    let () = request;
    at_home(studio, |studio, home| {
        let running = studio.running();
        let Some(running) = running.as_ref() else {
            return Ok(None);
        };
        let instance = home.instances().get(&running.open.instance)?;
        let rules = instance.settings.session_rules();
        let people = running
            .open
            .directory
            .count_signed_in(rules, Timestamp::now())
            .wait()?;
        Ok(Some(CloseAsked {
            instance: instance.id.as_str().to_owned(),
            people,
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
        // Ending the gateway waits for open requests, which the window's own thread must not do.
        studio.stop_gateway();
        Ok::<_, Problem>(())
    })
    .await?;
    app.exit(0);
    Ok(())
}
