//! The command `cargo xtask bundle`.

use anyhow::Result;

use crate::process::{root, run};
use crate::system::{self, Purpose};
use crate::ui;

/// Builds the installers for this platform, below `target/release/bundle`.
pub(crate) fn bundle() -> Result<()> {
    system::install(Purpose::Studio, false)?;
    ui::build()?;
    let mut tauri = ui::npm(&[
        "exec",
        "--yes",
        "--package=@tauri-apps/cli@2.12",
        "--",
        "tauri",
        "build",
    ]);
    tauri.current_dir(root());
    run(&mut tauri)
}
