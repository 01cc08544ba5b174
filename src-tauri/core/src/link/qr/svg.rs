//! Reading of QR codes in SVG documents. Only documents of [`super::Qr::svg`] are read. Others are
//! refused, because drawing them needs a whole renderer.

use image::{GrayImage, Luma};

use super::{PNG_MODULE_PX, QUIET_ZONE};

/// Number of modules on a side of the largest QR code (version 40), with both quiet zones.
const MAX_SIDE: u32 = 177 + 2 * QUIET_ZONE;

/// Returns whether a file begins like an SVG document.
pub(super) fn is_svg(bytes: &[u8]) -> bool {
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let start = start.trim_ascii_start();
    let start = start.get(..start.len().min(1_024)).unwrap_or_default();
    start.starts_with(b"<svg")
        || start.starts_with(b"<?xml") && memchr::memmem::find(start, b"<svg").is_some()
}

/// Draws the modules of an SVG document of [`super::Qr::svg`]. Returns `None` for any other
/// document.
pub(super) fn drawn(bytes: &[u8]) -> Option<GrayImage> {
    let document = std::str::from_utf8(bytes).ok()?;
    let (_, rest) = document.split_once("viewBox=\"0 0 ")?;
    let (view, rest) = rest.split_once('"')?;
    let (width, height) = view.split_once(' ')?;
    let side: u32 = width.parse().ok()?;
    if width != height || side > MAX_SIDE {
        return None;
    }
    let (_, rest) = rest.split_once("<path d=\"M")?;
    let (path, _) = rest.split_once("\"/>")?;
    let px = side * PNG_MODULE_PX;
    let mut picture = GrayImage::from_pixel(px, px, Luma([255]));
    for rectangle in path.split('M') {
        let (x, y, run) = run_of(rectangle)?;
        if y >= side || x.checked_add(run)? > side {
            return None;
        }
        for y in y * PNG_MODULE_PX..(y + 1) * PNG_MODULE_PX {
            for x in x * PNG_MODULE_PX..(x + run) * PNG_MODULE_PX {
                picture.put_pixel(x, y, Luma([0]));
            }
        }
    }
    Some(picture)
}

/// Parses one run of dark modules, as [`super::Qr::path`] writes it: `x yhRUNv1h-RUNz`.
fn run_of(rectangle: &str) -> Option<(u32, u32, u32)> {
    let (start, rest) = rectangle.split_once('h')?;
    let (x, y) = start.split_once(' ')?;
    let (run, rest) = rest.split_once("v1h-")?;
    (rest.strip_suffix('z')? == run).then_some(())?;
    Some((x.parse().ok()?, y.parse().ok()?, run.parse().ok()?))
}
