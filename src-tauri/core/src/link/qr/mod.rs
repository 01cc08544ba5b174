//! The login link as a QR code (ISO/IEC 18004), for the camera of a phone.

mod content;
mod draw;
mod find;
mod read;
mod svg;

use qrcode::bits::{Bits, encode_auto};
use qrcode::{Color, EcLevel, QrCode, Version};
use serde::Serialize;

pub use content::{kind_of, without_code};
pub use draw::PNG_MODULE_PX;
pub use read::{is_picture, read_picture, read_rgba};

use crate::error::Warning;
use crate::link::BaseUrl;
use crate::{Error, ErrorCode, Result};

/// Width of the white border that a reader needs, in modules.
pub const QUIET_ZONE: u32 = 4;

/// Last version that any phone reads, even from a bad screen.
const LAST_EASY: i16 = 10;
/// Last version that phones read at the first try. Above it, some must come closer or try again.
const LAST_FAIR: i16 = 12;
/// Last version that is made. It is the maximum of SMART Health Cards, above which phones fail.
const LAST_DENSE: i16 = 22;

/// Error correction level: the share of a code that may be damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "ts", ts(rename = "QrLevel"))]
pub enum Level {
    /// 7 %.
    L,
    /// 15 %, the default.
    M,
}

impl Level {
    const fn ec_level(self) -> EcLevel {
        match self {
            Self::L => EcLevel::L,
            Self::M => EcLevel::M,
        }
    }
}

/// QR code of a login link. It contains a code, so `Debug` does not print it.
#[derive(Clone)]
pub struct Qr {
    modules: Vec<Color>,
    width: u32,
    version: i16,
    level: Level,
}

impl std::fmt::Debug for Qr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Qr")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl Qr {
    /// Encodes a URL with error correction M, or with L if that makes the code easier to read by a
    /// whole class.
    ///
    /// Fails with [`ErrorCode::QrTooDense`] above version 22.
    pub fn for_url(url: &str) -> Result<Self> {
        let fitted = |level: Level| {
            let bits = encode_auto(url.as_bytes(), level.ec_level()).ok()?;
            Some((Class::of(bits.version()), level, bits))
        };
        // The size is checked before the code is drawn, which takes much longer.
        let at_m = fitted(Level::M);
        let class = |fitted: &Option<(Class, Level, Bits)>| {
            fitted
                .as_ref()
                .map_or(Class::TooDense, |(class, ..)| *class)
        };
        let mut chosen = at_m;
        if class(&chosen) > Class::Easy {
            let at_l = fitted(Level::L);
            if class(&at_l) < class(&chosen) {
                chosen = at_l;
            }
        }
        chosen
            .filter(|(class, ..)| *class != Class::TooDense)
            .and_then(|(_, level, bits)| draw(bits, level))
            .ok_or_else(|| too_dense(url))
    }

    /// Returns the version, from 1 to 22.
    #[must_use]
    pub fn version(&self) -> i16 {
        self.version
    }

    /// Returns the number of modules on a side, without the quiet zone.
    #[must_use]
    pub fn modules(&self) -> u32 {
        self.width
    }

    /// Returns the error correction level.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level
    }

    /// Returns a warning about scanning the code, if it is dense.
    #[must_use]
    pub fn density_warning(&self) -> Option<Warning> {
        (Class::of(Version::Normal(self.version)) == Class::Dense).then(|| {
            Warning::new(
                "dense_qr",
                format!(
                    "Version {} is dense: show it large and hold the phone close. Less metadata makes it lighter.",
                    self.version
                ),
            )
        })
    }

    /// Returns all warnings about scanning the code of a link to `url`.
    #[must_use]
    pub fn warnings(&self, url: &BaseUrl) -> Vec<Warning> {
        let loopback = url.is_loopback().then(|| {
            Warning::new(
                "loopback_qr",
                "The QR code leads to this computer itself, which a phone cannot open.",
            )
        });
        self.density_warning().into_iter().chain(loopback).collect()
    }
}

/// Class of versions by how well phones read them, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Easy,
    Fair,
    Dense,
    TooDense,
}

impl Class {
    fn of(version: Version) -> Self {
        let version = number(version);
        if version <= LAST_EASY {
            Self::Easy
        } else if version <= LAST_FAIR {
            Self::Fair
        } else if version <= LAST_DENSE {
            Self::Dense
        } else {
            Self::TooDense
        }
    }
}

fn number(version: Version) -> i16 {
    match version {
        Version::Normal(number) | Version::Micro(number) => number,
    }
}

fn draw(bits: Bits, level: Level) -> Option<Qr> {
    let code = QrCode::with_bits(bits, level.ec_level()).ok()?;
    Some(Qr {
        width: u32::try_from(code.width()).ok()?,
        version: number(code.version()),
        modules: code.into_colors(),
        level,
    })
}

fn too_dense(url: &str) -> Error {
    Error::new(
        ErrorCode::QrTooDense,
        format!(
            "The link has {} characters, too many for a QR code that phones read. Leave out some metadata, \
             or send the link as text.",
            url.chars().count()
        ),
    )
    .about("metadata")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn qr(bytes: usize) -> Result<Qr> {
        Qr::for_url(&"x".repeat(bytes))
    }

    #[test]
    fn error_correction_is_l_only_if_that_helps_reading() {
        // Byte capacities of ISO/IEC 18004. At M: version 10 holds 213, 12 holds 287, 22 holds 779.
        // At L: 9 holds 230, 10 holds 271, 11 holds 321, 12 holds 367, 19 holds 792, 22 holds 1003.
        for (bytes, version, level) in [
            (213, 10, Level::M),
            (214, 9, Level::L),
            (271, 10, Level::L),
            (272, 12, Level::M),
            (287, 12, Level::M),
            (288, 11, Level::L),
            (367, 12, Level::L),
            (368, 15, Level::M),
            (779, 22, Level::M),
            (780, 19, Level::L),
            (1003, 22, Level::L),
        ] {
            let qr = qr(bytes).expect("a code");
            assert_eq!(
                (qr.version(), qr.level()),
                (version, level),
                "{bytes} bytes"
            );
        }
        assert_eq!(
            qr(1004).err().map(|refused| refused.code),
            Some(ErrorCode::QrTooDense)
        );
        assert_eq!(
            qr(5000).err().map(|refused| refused.code),
            Some(ErrorCode::QrTooDense)
        );
    }

    #[test]
    fn a_dense_code_warns_from_version_13_on() {
        assert!(qr(367).unwrap().density_warning().is_none());
        assert!(qr(368).unwrap().density_warning().is_some());
    }

    #[test]
    fn every_drawing_is_read_back() {
        let url = "https://chat.yourcompany.com/?externalAuthCode=eyJ.é.x";
        let qr = Qr::for_url(url).unwrap();
        assert_eq!(read_picture(&qr.png().unwrap()).unwrap(), url);
        assert!(qr.svg().contains(&qr.path()));
        let side = qr.modules() + 2 * QUIET_ZONE;
        let text = qr.terminal_text(false);
        assert_eq!(text.lines().count(), (side as usize).div_ceil(2));
        assert!(
            text.lines()
                .all(|line| line.chars().count() == side as usize)
        );
    }

    #[test]
    fn a_picture_without_a_qr_code_says_so() {
        let mut png = Vec::new();
        image::GrayImage::from_pixel(64, 64, image::Luma([255]))
            .write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png)
            .unwrap();
        let refused = read_picture(&png).unwrap_err();
        assert_eq!(refused.code, ErrorCode::InvalidPicture);
        assert!(
            refused.message.contains("no QR code"),
            "{}",
            refused.message
        );
        assert!(read_picture(b"not a picture").is_err());
    }
}
