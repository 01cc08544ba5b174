//! `cargo xtask bench`.

use anyhow::Result;

use crate::process::{cargo, run};
use crate::system::{self, Purpose};
use crate::window::Display;
use crate::{baselines, interop, ui};

/// Builds with optimisation and prints the tables.
pub(crate) fn bench(tables: &[String]) -> Result<()> {
    system::install(Purpose::Tests, true)?;
    ui::build()?;
    interop::install()?;
    if tables.is_empty() || tables.iter().any(|table| "gateway load".contains(table)) {
        baselines::install()?;
    }
    let display = Display::start()?;
    for (package, name) in [
        ("latchkey-core", "directory"),
        ("latchkey-gateway", "gateway"),
        ("latchkey-desktop", "ratios"),
    ] {
        let mut command = cargo(&[
            "bench",
            "--locked",
            "--package",
            package,
            "--features",
            "bench",
            "--bench",
            name,
            "--",
        ]);
        command.args(tables);
        command
            .env("LATCHKEY_INTEROP", interop::folder())
            .env("LATCHKEY_BASELINES", baselines::folder())
            .env("DISPLAY", display.name());
        run(&mut command)?;
    }
    Ok(())
}
