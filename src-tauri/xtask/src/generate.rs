//! The command `cargo xtask gen`.

use anyhow::{Context as _, Result};

use crate::process::{cargo, root, run};
use crate::system::{self, Purpose};
use crate::ui;

/// Writes the types of the UI, or only compares them. A test does so, because it has access to the
/// commands.
pub(crate) fn generate(check: bool) -> Result<()> {
    if !check {
        system::install(Purpose::Studio, false)?;
        ui::build()?;
    }
    let mut command = cargo(&[
        "test",
        "--quiet",
        "--locked",
        "--package",
        "latchkey-desktop",
        "--test",
        "program",
        "generated_types",
    ]);
    if !check {
        command.env(
            "LATCHKEY_TYPES_OUT",
            root().join("ui/src/generated/types.ts"),
        );
    }
    run(&mut command).context("the UI's types are not those of the commands; run `cargo xtask gen`")
}
