//! Dialogs of the system that ask for a file. They return `None` if the user cancels.

use std::path::{Path, PathBuf};

use tauri::{AppHandle, Runtime};
use tauri_plugin_dialog::{DialogExt as _, FileDialogBuilder, FilePath};
use tokio::sync::oneshot;

/// Function that is called with the file.
type Answer = Box<dyn FnOnce(Option<FilePath>) + Send>;

/// Asks for a file to write. `kind` is the name of the file's type and its extension, which is
/// added if the user names none.
pub(crate) async fn save<R: Runtime>(
    app: &AppHandle<R>,
    title: &str,
    name: &str,
    (kind, extension): (&str, &str),
) -> Option<PathBuf> {
    let mut path = ask(app, title, |dialog, answer| {
        dialog
            .set_file_name(format!("{name}.{extension}"))
            .add_filter(kind, &[extension])
            .save_file(answer);
    })
    .await?;
    if path.extension().is_none() {
        path.set_extension(extension);
    }
    Some(path)
}

/// Asks for an existing file.
pub(crate) async fn open<R: Runtime>(app: &AppHandle<R>, title: &str) -> Option<PathBuf> {
    ask(app, title, FileDialogBuilder::pick_file).await
}

/// Returns the name of a file that the user has chosen, without its folder.
pub(crate) fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

async fn ask<R: Runtime>(
    app: &AppHandle<R>,
    title: &str,
    show: impl FnOnce(FileDialogBuilder<R>, Answer),
) -> Option<PathBuf> {
    let (answer, answered) = oneshot::channel();
    let answer = Box::new(move |path| {
        // Fails if the window was closed, so that nobody waits for the answer.
        let _ = answer.send(path);
    });
    show(app.dialog().file().set_title(title), answer);
    answered.await.ok()??.into_path().ok()
}
