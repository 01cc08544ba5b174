//! Programs of others that read pictures.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns the texts of the QR codes that `zbarimg` finds, one per line.
pub(crate) fn read_qr_codes(pictures: &[PathBuf]) -> Vec<String> {
    let output = Command::new("zbarimg")
        .args(["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable"])
        .args(pictures)
        .output()
        .expect("zbarimg is installed: `cargo xtask test` does it");
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

/// Draws an SVG file with `librsvg`. Returns the path of the picture.
pub(crate) fn rasterised(svg: &Path) -> PathBuf {
    let png = svg.with_extension("svg.png");
    let status = Command::new("rsvg-convert")
        .arg(svg)
        .arg("--output")
        .arg(&png)
        .status()
        .expect("rsvg-convert is installed: `cargo xtask test` does it");
    assert!(status.success());
    png
}
