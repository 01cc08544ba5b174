//! Packages of others from npm, `PyPI` and crates.io, for tests of codes, pictures and the gateway.

use std::path::PathBuf;

use anyhow::Result;

use crate::pinned;
use crate::process::{root, target};

/// WebDriver of Firefox. Debian packages only the browser.
const GECKODRIVER: (&str, &str) = ("geckodriver", "0.37.1");

/// Returns the folder of the packages, below Cargo's target folder.
pub(crate) fn folder() -> PathBuf {
    target().join("interop")
}

/// Installs the packages at their pinned versions, unless they are installed.
pub(crate) fn install() -> Result<()> {
    let (pins, node) = (root().join("tests/interop"), folder().join("node"));
    pinned::npm(&pins, &node)?;
    pinned::copy(&pins, &node, &["peer.mjs"])?;
    pinned::pip(&pins, &folder().join("python"))?;
    pinned::pip(&pins.join("api"), &folder().join("api"))?;
    let (name, version) = GECKODRIVER;
    pinned::program(name, version, &folder().join(name))
}
