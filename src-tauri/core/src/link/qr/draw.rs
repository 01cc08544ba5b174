//! Drawing of a QR code as SVG, PNG or text for a terminal.

use std::fmt::Write as _;
use std::io::Cursor;

use image::{GrayImage, ImageFormat};
use qrcode::Color;

use super::{QUIET_ZONE, Qr};
use crate::{Error, ErrorCode, Result};

/// Side of a module in a PNG, in pixels: twice what a phone needs, for printing and scaling.
pub const PNG_MODULE_PX: u32 = 8;

impl Qr {
    /// Returns the length of a side with both quiet zones, in modules.
    fn side(&self) -> u32 {
        self.width + 2 * QUIET_ZONE
    }

    fn is_dark(&self, x: u32, y: u32) -> bool {
        let inside = |at: u32| at.checked_sub(QUIET_ZONE).filter(|at| *at < self.width);
        let (Some(x), Some(y)) = (inside(x), inside(y)) else {
            return false;
        };
        self.modules.get((y * self.width + x) as usize) == Some(&Color::Dark)
    }

    /// Returns the dark modules as SVG path data in a view box of `modules + 2 * QUIET_ZONE`. A
    /// module is one unit wide, and a horizontal run of modules is one rectangle.
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = String::new();
        for y in 0..self.side() {
            let mut x = 0;
            while x < self.side() {
                let start = x;
                while self.is_dark(x, y) {
                    x += 1;
                }
                if x > start {
                    let run = x - start;
                    // Writing to a String does not fail.
                    let _ = write!(path, "M{start} {y}h{run}v1h-{run}z");
                }
                x += 1;
            }
        }
        path
    }

    /// Returns an SVG document, black on white, which scales to any size.
    #[must_use]
    pub fn svg(&self) -> String {
        let side = self.side();
        let px = side * PNG_MODULE_PX;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{px}\" height=\"{px}\" viewBox=\"0 0 {side} {side}\" \
             shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/>\
             <path d=\"{}\"/></svg>\n",
            self.path()
        )
    }

    /// Returns the code as grey pixels, with [`PNG_MODULE_PX`] pixels per module.
    #[must_use]
    pub fn picture(&self) -> GrayImage {
        let px = self.side() * PNG_MODULE_PX;
        let mut pixels = Vec::with_capacity((px * px) as usize);
        for y in 0..self.side() {
            let start = pixels.len();
            for x in 0..self.side() {
                let grey = if self.is_dark(x, y) { 0 } else { 255 };
                pixels.extend([grey; PNG_MODULE_PX as usize]);
            }
            let end = pixels.len();
            for _ in 1..PNG_MODULE_PX {
                pixels.extend_from_within(start..end);
            }
        }
        // Cannot fail, because the number of pixels matches the sides.
        GrayImage::from_raw(px, px, pixels).unwrap_or_default()
    }

    /// Returns a PNG file, black on white.
    pub fn png(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.picture()
            .write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)
            .map_err(|cause| {
                Error::new(
                    ErrorCode::InvalidPicture,
                    "The QR code could not be written as a PNG.",
                )
                .because(cause)
            })?;
        Ok(bytes)
    }

    /// Returns the QR code as text for a terminal, with two rows of modules per line. With
    /// `colours` it sets black and white itself, so that it scans on light and dark terminals.
    /// Without, light modules have the colour of the text, which suits a dark terminal.
    #[must_use]
    pub fn terminal_text(&self, colours: bool) -> String {
        // Colours 231 and 16 of the 256 are white and black in every colour scheme.
        let (begin, end) = if colours {
            ("\x1b[38;5;231;48;5;16m", "\x1b[0m")
        } else {
            ("", "")
        };
        let mut text = String::new();
        let side = self.side();
        for y in (0..side).step_by(2) {
            text.push_str(begin);
            for x in 0..side {
                let lower_dark = y + 1 >= side || self.is_dark(x, y + 1);
                text.push(match (self.is_dark(x, y), lower_dark) {
                    (false, false) => '█',
                    (false, true) => '▀',
                    (true, false) => '▄',
                    (true, true) => ' ',
                });
            }
            text.push_str(end);
            text.push('\n');
        }
        text
    }
}
