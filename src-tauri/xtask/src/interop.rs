//! Packages of others that codes, pictures and the gateway are checked against: from npm, `PyPI` and
//! crates.io.

use std::path::PathBuf;

use anyhow::Result;

use crate::pinned;
use crate::process::{root, target};

/// Firefox's WebDriver. Debian has the browser and not the driver.
const GECKODRIVER: (&str, &str) = ("geckodriver", "0.37.1");

/// Where the packages are, below Cargo's target folder.
pub(crate) fn folder() -> PathBuf {
    target().join("interop")
}

/// Installs them at their pinned versions, unless they are there.
pub(crate) fn install() -> Result<()> {
    let (pins, node) = (root().join("tests/interop"), folder().join("node"));
    pinned::npm(&pins, &node)?;
    pinned::copy(&pins, &node, &["peer.mjs"])?;
    pinned::pip(&pins, &folder().join("python"))?;
    pinned::pip(&pins.join("api"), &folder().join("api"))?;
    let (name, version) = GECKODRIVER;
    pinned::program(name, version, &folder().join(name))
}
