//! The command `cargo xtask run`.

use anyhow::Result;

use crate::process::{cargo, run as start};
use crate::system::{self, Purpose};
use crate::ui;

/// Installs everything that is missing in a fresh clone, builds the UI and opens the window.
pub(crate) fn run(yes: bool, release: bool, arguments: &[String]) -> Result<()> {
    system::require_node()?;
    system::install(Purpose::Studio, yes)?;
    ui::build()?;
    let mut command = cargo(&[
        "run",
        "--locked",
        "--package",
        "latchkey-desktop",
        "--bin",
        "latchkey-studio",
    ]);
    if release {
        command.arg("--release");
    }
    if !arguments.is_empty() {
        command.arg("--").args(arguments);
    }
    start(&mut command)
}
