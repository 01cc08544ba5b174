//! Packages and build of the UI.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context as _, Result};

use crate::process::{program, root, run};
use crate::system;

/// Returns an npm command in the folder `ui`.
pub(crate) fn npm(arguments: &[&str]) -> Command {
    let name = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let mut command = program(name, arguments);
    command.current_dir(folder());
    command
}

/// Installs the packages of the UI, unless they match the lock file.
pub(crate) fn install() -> Result<()> {
    system::require_node()?;
    let lock = folder().join("package-lock.json");
    // npm writes this file last.
    let installed = folder().join("node_modules/.package-lock.json");
    if modified(&installed) >= modified(&lock) && installed.is_file() {
        return Ok(());
    }
    run(&mut npm(&["ci", "--no-audit", "--no-fund"]))
}

/// Builds the UI, unless nothing has changed since the last build.
pub(crate) fn build() -> Result<()> {
    install()?;
    let built = modified(&folder().join("dist/index.html"));
    let newest = newest(&folder()).context("the sources of the UI could not be listed")?;
    if built.is_some() && built >= newest {
        return Ok(());
    }
    run(&mut npm(&["run", "build"]))
}

fn folder() -> PathBuf {
    root().join("ui")
}

fn newest(folder: &Path) -> Result<Option<SystemTime>> {
    let mut newest = None;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.ends_with("node_modules") || path.ends_with("dist") {
            continue;
        }
        let found = if path.is_dir() {
            self::newest(&path)?
        } else {
            modified(&path)
        };
        newest = newest.max(found);
    }
    Ok(newest)
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .ok()
}
