//! What others wrote: the packages from npm and `PyPI` that codes and pictures are checked against.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::process::{pip_install, root, run, target};

/// Where the packages are, below Cargo's target folder.
pub(crate) fn folder() -> PathBuf {
    target().join("interop")
}

/// Installs them at their pinned versions, unless they are there.
pub(crate) fn install() -> Result<()> {
    let pins = root().join("tests/interop");
    let node = folder().join("node");
    if changed(&pins, &node, &["package.json", "package-lock.json"])? {
        copy(&pins, &node, &["package.json", "package-lock.json"])?;
        let mut npm = crate::ui::npm(&["ci", "--no-audit", "--no-fund", "--ignore-scripts"]);
        run(npm.current_dir(&node))?;
    }
    // A program finds its packages beside itself.
    copy(&pins, &node, &["peer.mjs"])?;
    for (name, requirements) in [("python", "requirements.txt"), ("api", "api.txt")] {
        let packages = folder().join(name);
        if changed(&pins, &packages, &[requirements])? {
            fs::remove_dir_all(&packages).ok();
            run(&mut pip_install(&packages, &pins.join(requirements)))?;
            copy(&pins, &packages, &[requirements])?;
        }
    }
    Ok(())
}

fn changed(from: &Path, to: &Path, names: &[&str]) -> Result<bool> {
    for name in names {
        let wanted = fs::read(from.join(name))
            .with_context(|| format!("tests/interop/{name} is missing"))?;
        if fs::read(to.join(name)).ok() != Some(wanted) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn copy(from: &Path, to: &Path, names: &[&str]) -> Result<()> {
    fs::create_dir_all(to)?;
    for name in names {
        fs::copy(from.join(name), to.join(name))
            .with_context(|| format!("tests/interop/{name} could not be copied"))?;
    }
    Ok(())
}
