//! The one window: brought to the front, loaded again when its web process ends, and closed only after
//! an administrator has agreed to what that ends.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;

use tauri::plugin::TauriPlugin;
use tauri::{AppHandle, Builder, Manager as _, RunEvent, Runtime, WebviewWindow, WindowEvent, Wry};

use crate::Studio;

/// The label of the window in Tauri's configuration.
const LABEL: &str = "main";

/// Brings the window of the first Studio to the front when a second one starts with the same data
/// folder, and ends the second one.
///
/// Without a session bus nothing is brought to the front; the lock file of the data folder keeps the
/// second one out all the same. `own_folder` is the folder that was asked for in place of the
/// platform's own. Only on Linux can the plugin tell folders apart, so elsewhere it is left out there.
pub(crate) fn single_instance<R: Runtime>(own_folder: Option<&Path>) -> Option<TauriPlugin<R>> {
    let builder = tauri_plugin_single_instance::Builder::new()
        .callback(|app: &AppHandle<R>, _, _| bring_to_front(app));
    match own_folder {
        None => Some(builder.build()),
        Some(folder) if cfg!(target_os = "linux") => {
            let mut hasher = DefaultHasher::new();
            std::path::absolute(folder)
                .unwrap_or_else(|_| folder.to_owned())
                .hash(&mut hasher);
            let id = format!("app.latchkey.studio.folder{:016x}", hasher.finish());
            Some(builder.dbus_id(id).build())
        }
        Some(_) => None,
    }
}

fn bring_to_front<R: Runtime>(app: &AppHandle<R>) {
    let Some(window) = app.get_webview_window(LABEL) else {
        return;
    };
    let shown = window
        .unminimize()
        .and_then(|()| window.show())
        .and_then(|()| window.set_focus());
    if let Err(cause) = shown {
        tracing::warn!(%cause, "the window could not be brought to the front");
    }
}

/// Keeps the window open where closing it would end a gateway, and has the page ask.
pub(crate) fn ask_before_closing<R: Runtime>(
    app: &AppHandle<R>,
    event: &RunEvent,
    studio: &Studio,
) {
    let RunEvent::WindowEvent {
        label,
        event: WindowEvent::CloseRequested { api, .. },
        ..
    } = event
    else {
        return;
    };
    if label == LABEL && studio.running().is_some() && studio.events().ask_to_close() {
        api.prevent_close();
        bring_to_front(app);
    }
}

/// Loads the page again when the process that shows it ends: the window would stay blank.
#[cfg(target_os = "linux")]
pub(crate) fn reload_when_its_process_ends(builder: Builder<Wry>) -> Builder<Wry> {
    builder.setup(|app| {
        if let Some(window) = app.get_webview_window(LABEL) {
            watch_process(&window)?;
        }
        Ok(())
    })
}

#[cfg(target_os = "linux")]
fn watch_process(window: &WebviewWindow) -> tauri::Result<()> {
    use std::cell::Cell;
    use std::time::{Duration, Instant};

    use webkit2gtk::WebViewExt as _;

    /// A page that ends its process again at once is not loaded a third time.
    const LEAST_LIFE: Duration = Duration::from_secs(2);

    window.with_webview(|webview| {
        let reloaded = Cell::new(None::<Instant>);
        webview
            .inner()
            .connect_web_process_terminated(move |view, reason| {
                let lived = reloaded.get().is_none_or(|at| at.elapsed() > LEAST_LIFE);
                tracing::error!(?reason, again = lived, "the process of the page has ended");
                if lived {
                    reloaded.set(Some(Instant::now()));
                    view.reload();
                }
            });
    })
}

/// Loads the page again when the process that shows it ends: the window would stay blank.
#[cfg(target_os = "macos")]
pub(crate) fn reload_when_its_process_ends(builder: Builder<Wry>) -> Builder<Wry> {
    builder.on_web_content_process_terminate(|webview| {
        let reloaded = webview.reload();
        tracing::error!(?reloaded, "the process of the page has ended");
    })
}

/// `WebView2` shows a page of its own that loads the page again.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub(crate) fn reload_when_its_process_ends(builder: Builder<Wry>) -> Builder<Wry> {
    builder
}
