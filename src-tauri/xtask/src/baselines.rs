//! Servers beside which the gateway is measured: one in Node, one in Django.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::pinned;
use crate::process::{output, program, root, run, target};

/// Returns the folder of the servers, below Cargo's target folder.
pub(crate) fn folder() -> PathBuf {
    target().join("baselines")
}

/// Installs the servers at their pinned versions, unless they are installed.
pub(crate) fn install() -> Result<()> {
    let sources = root().join("tests/bench/gateway");
    let (pins, node) = (sources.join("node"), folder().join("node"));
    pinned::npm(&pins, &node)?;
    pinned::copy(&pins, &node, &["server.js"])?;
    compile(&node.join("node_modules/better-sqlite3"))?;
    let (pins, django) = (sources.join("django"), folder().join("django"));
    pinned::pip(&pins, &django)?;
    pinned::copy(&pins, &django, &["server.py", "gunicorn.conf.py"])
}

/// Compiles `better-sqlite3` from the sources in its package, whose hash is pinned. A downloaded
/// binary would have no pinned hash.
fn compile(package: &Path) -> Result<()> {
    if package.join("build/Release/better_sqlite3.node").is_file() {
        return Ok(());
    }
    println!("better-sqlite3 is being compiled, which takes a minute or two");
    let log = folder().join("better-sqlite3.log");
    let mut npm = crate::ui::npm(&["run", "--silent", "build-release"]);
    npm.current_dir(package)
        .stdout(File::options().append(true).create(true).open(&log)?)
        .stderr(File::options().append(true).open(&log)?);
    // Node's headers are usually installed with it. Otherwise node-gyp downloads them.
    let prefix = output(&mut program(
        "node",
        &[
            "--print",
            "require('path').resolve(process.execPath, '../..')",
        ],
    ))?;
    let prefix = Path::new(prefix.trim());
    if prefix.join("include/node/node_api.h").is_file() {
        npm.env("npm_config_nodedir", prefix);
    }
    run(&mut npm).with_context(|| format!("the output of the compiler is in {}", log.display()))
}
