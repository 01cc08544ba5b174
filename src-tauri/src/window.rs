//! The window of Studio. A second start brings it to the front, a crash of its web process loads it
//! again, and closing it asks first while a gateway is open.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;

use tauri::plugin::TauriPlugin;
use tauri::{AppHandle, Builder, Manager as _, RunEvent, Runtime, WebviewWindow, WindowEvent, Wry};

use crate::Studio;

/// Label of the window in Tauri's configuration.
const LABEL: &str = "main";

/// Returns the plugin that ends a second Studio with the same data folder, and brings the window of
/// the first to the front.
///
/// Without a session bus the window is not brought to the front. The lock file of the data folder
/// still ends the second Studio. `own_folder` is the folder that replaces the platform's own. Only
/// on Linux can the plugin distinguish folders, so with such a folder it is left out on other
/// systems.
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

/// Keeps the window open if closing it would end a gateway. The page then asks the administrator.
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

/// Loads the page again when its web process ends, because the window would stay blank.
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

    /// Minimum lifetime of a web process whose page is loaded again. It prevents an endless loop.
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

/// Loads the page again when its web process ends, because the window would stay blank.
#[cfg(target_os = "macos")]
pub(crate) fn reload_when_its_process_ends(builder: Builder<Wry>) -> Builder<Wry> {
    builder.on_web_content_process_terminate(|webview| {
        let reloaded = webview.reload();
        tracing::error!(?reloaded, "the process of the page has ended");
    })
}

/// Does nothing, because `WebView2` itself shows a page that loads the page again.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub(crate) fn reload_when_its_process_ends(builder: Builder<Wry>) -> Builder<Wry> {
    builder
}
