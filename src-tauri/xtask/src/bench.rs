//! The command `cargo xtask bench`.

use anyhow::{Result, bail};

use crate::process::{cargo, run};
use crate::system::{self, Purpose};
use crate::window::Display;
use crate::{baselines, interop, ui};

/// A program that measures.
struct Bench {
    package: &'static str,
    name: &'static str,
    /// Tables that it prints.
    tables: &'static [&'static str],
}

const BENCHES: [Bench; 3] = [
    Bench {
        package: "latchkey-store",
        name: "directory",
        tables: &["writers", "million", "links", "ways"],
    },
    Bench {
        package: "latchkey-gateway",
        name: "gateway",
        tables: &["gateway load", "gateway crowd"],
    },
    Bench {
        package: "latchkey-desktop",
        name: "ratios",
        tables: &["codes", "pictures", "start", "size", "paint", "idle"],
    },
];

/// Builds the programs that print the wanted tables with optimisation, and runs them. Runs all
/// programs if no table is named.
pub(crate) fn bench(wanted: &[String]) -> Result<()> {
    let is_wanted =
        |table: &str| wanted.is_empty() || wanted.iter().any(|text| table.contains(text));
    let benches: Vec<&Bench> = BENCHES
        .iter()
        .filter(|bench| bench.tables.iter().any(|table| is_wanted(table)))
        .collect();
    if benches.is_empty() {
        let tables: Vec<&str> = BENCHES
            .iter()
            .flat_map(|bench| bench.tables)
            .copied()
            .collect();
        bail!("there is no such table; there are: {}", tables.join(", "));
    }
    system::install(Purpose::Tests, true)?;
    ui::build()?;
    interop::install()?;
    if is_wanted("gateway load") {
        baselines::install()?;
    }
    let display = Display::start()?;
    for Bench { package, name, .. } in benches {
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
        command.args(wanted);
        command
            .env("LATCHKEY_INTEROP", interop::folder())
            .env("LATCHKEY_BASELINES", baselines::folder())
            .env("DISPLAY", display.name());
        run(&mut command)?;
    }
    Ok(())
}
