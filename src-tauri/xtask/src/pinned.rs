//! Installation of packages from npm, `PyPI` and crates.io at their pinned versions, into folders
//! below Cargo's target folder. npm and pip also check their hashes.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::process::{cargo, pip_install, run};

/// Installs the packages of `package-lock.json` in `pins` into `folder`, unless they are installed.
/// Runs no scripts of packages.
pub(crate) fn npm(pins: &Path, folder: &Path) -> Result<()> {
    let files = ["package.json", "package-lock.json"];
    // npm writes this file last.
    let is_whole = folder.join("node_modules/.package-lock.json").is_file();
    if is_whole && !changed(pins, folder, &files)? {
        return Ok(());
    }
    copy(pins, folder, &files)?;
    let mut npm = crate::ui::npm(&["ci", "--no-audit", "--no-fund", "--ignore-scripts"]);
    run(npm.current_dir(folder))
}

/// Installs the packages of `requirements.txt` in `pins` into `folder`, unless they are installed.
pub(crate) fn pip(pins: &Path, folder: &Path) -> Result<()> {
    if !changed(pins, folder, &["requirements.txt"])? {
        return Ok(());
    }
    fs::remove_dir_all(folder).ok();
    run(&mut pip_install(folder, &pins.join("requirements.txt")))?;
    copy(pins, folder, &["requirements.txt"])
}

/// Builds a program of crates.io with its locked dependencies and installs it into `folder`, unless
/// it is installed.
pub(crate) fn program(name: &str, version: &str, folder: &Path) -> Result<()> {
    // Cargo writes this file last.
    let installed = fs::read_to_string(folder.join(".crates.toml")).unwrap_or_default();
    if installed.contains(&format!("\"{name} {version} ")) {
        return Ok(());
    }
    let mut install = cargo(&["install", "--locked", "--debug", "--quiet", "--root"]);
    install.arg(folder).arg(format!("{name}@={version}"));
    run(&mut install)
}

/// Copies files from one folder to another.
pub(crate) fn copy(from: &Path, to: &Path, names: &[&str]) -> Result<()> {
    fs::create_dir_all(to)?;
    for name in names {
        let file = from.join(name);
        fs::copy(&file, to.join(name))
            .with_context(|| format!("{} could not be copied", file.display()))?;
    }
    Ok(())
}

fn changed(from: &Path, to: &Path, names: &[&str]) -> Result<bool> {
    for name in names {
        let file = from.join(name);
        let wanted = fs::read(&file).with_context(|| format!("{} is missing", file.display()))?;
        if fs::read(to.join(name)).ok() != Some(wanted) {
            return Ok(true);
        }
    }
    Ok(false)
}
