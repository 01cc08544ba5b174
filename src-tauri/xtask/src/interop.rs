//! What others wrote: the packages from npm and `PyPI` that codes, pictures and the gateway are checked
//! against.

use std::path::PathBuf;

use anyhow::Result;

use crate::pinned;
use crate::process::{root, target};

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
    pinned::pip(&pins.join("api"), &folder().join("api"))
}
