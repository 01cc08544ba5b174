//! The system's dialogs that ask a person for a file. `None`: they closed it.

use std::path::PathBuf;

use tauri::{AppHandle, Runtime};
use tauri_plugin_dialog::{DialogExt as _, FileDialogBuilder, FilePath};
use tokio::sync::oneshot;

/// What is called with the file.
type Answer = Box<dyn FnOnce(Option<FilePath>) + Send>;

/// Asks where a file is to be written. `kind` is what it is and its extension, which it gets where the
/// person names none.
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

/// Asks for a file that is there.
pub(crate) async fn open<R: Runtime>(app: &AppHandle<R>, title: &str) -> Option<PathBuf> {
    ask(app, title, FileDialogBuilder::pick_file).await
}

async fn ask<R: Runtime>(
    app: &AppHandle<R>,
    title: &str,
    show: impl FnOnce(FileDialogBuilder<R>, Answer),
) -> Option<PathBuf> {
    let (answer, answered) = oneshot::channel();
    let answer = Box::new(move |path| {
        // Nobody listens any more where the window was closed.
        let _ = answer.send(path);
    });
    show(app.dialog().file().set_title(title), answer);
    answered.await.ok()??.into_path().ok()
}
