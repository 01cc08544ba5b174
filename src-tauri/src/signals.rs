//! Signals that end Studio: at the end of the desktop session, from a terminal, or by `kill`.

use tauri::{AppHandle, Runtime};

/// Ends Studio in order on such a signal. Otherwise the stop of the gateway would not be recorded,
/// and a copied link would stay on the clipboard.
#[cfg(unix)]
pub(crate) fn end_in_order<R: Runtime>(app: &AppHandle<R>) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        match told_to_end().await {
            Ok(()) => app.exit(0),
            Err(cause) => tracing::warn!(%cause, "signals cannot be received"),
        }
    });
}

#[cfg(unix)]
async fn told_to_end() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = hang_up.recv() => {}
    }
    Ok(())
}

/// Does nothing, because Windows closes the window itself.
#[cfg(not(unix))]
pub(crate) fn end_in_order<R: Runtime>(_: &AppHandle<R>) {}
