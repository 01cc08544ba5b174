//! Latchkey Studio: a window over `latchkey-core`.
//!
//! The page calls commands. A command passes its request on to core or store, on a thread that may
//! block. It returns a type of core, or a type that is declared beside the command if its shape
//! differs. The types of the UI are generated from these ([`schema`]).
//!
//! Studio contains no rules; they are in core. It opens no socket, except that of the gateway, which
//! an administrator starts and visitors use.

mod clipboard;
#[macro_use]
mod command_list;
pub mod commands;
mod delivery;
mod dialogs;
pub mod events;
mod gateway;
mod hints;
mod lock;
mod open_directory;
mod open_import;
pub mod preferences;
mod previews;
mod problem;
pub mod schema;
mod signals;
mod studio;
mod task;
mod window;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use latchkey_store::keys::KeychainUse;
use tauri::{Builder, Context, RunEvent, Runtime};

pub use problem::Problem;
pub use studio::Studio;

/// Opens the window, and returns when it is closed.
#[must_use]
pub fn run() -> ExitCode {
    let folder = std::env::var_os("LATCHKEY_DATA_DIR")
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from);
    let studio = Arc::new(Studio::new(
        folder.clone(),
        KeychainUse::from_setting(std::env::var("LATCHKEY_KEYCHAIN").ok().as_deref()),
    ));
    let _log = latchkey_log::to_file_and_stderr(studio.log_file().ok().as_ref());
    let single = window::single_instance(folder.as_deref());
    let mut builder = Builder::default();
    if let Some(single) = single {
        // Must come first, because it ends a second Studio.
        builder = builder.plugin(single);
    }
    let builder = with_commands(builder, Arc::clone(&studio)).plugin(tauri_plugin_dialog::init());
    match window::reload_when_its_process_ends(builder).build(context()) {
        Ok(app) => {
            signals::end_in_order(app.handle());
            app.run(move |app, event| {
                window::ask_before_closing(app, &event, &studio);
                if matches!(event, RunEvent::Exit) {
                    studio.clipboard().clear_if_ours();
                    studio.close();
                }
            });
            ExitCode::SUCCESS
        }
        Err(cause) => {
            tracing::error!(%cause, "the window could not be opened");
            ExitCode::FAILURE
        }
    }
}

/// Adds the commands over `studio` to a builder, for the runtime of the window or of a test.
#[must_use]
pub fn with_commands<R: Runtime>(builder: Builder<R>, studio: Arc<Studio>) -> Builder<R> {
    builder.manage(studio).invoke_handler(schema::handler())
}

/// Returns Tauri's configuration, the capabilities and the built UI.
#[must_use]
pub fn context<R: Runtime>() -> Context<R> {
    tauri::generate_context!()
}
