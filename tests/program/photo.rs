//! Simulated photographs of a QR code on a screen by a phone: turned, nearer or farther, from the
//! side, unevenly lit, and compressed as JPEG.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{GrayImage, Luma};

/// Parameters of a photograph.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shot {
    pub(crate) degrees: f64,
    pub(crate) scale: f64,
    /// Relative reduction of the far side.
    pub(crate) tilt: f64,
    pub(crate) quality: u8,
}

/// Takes a photograph with a wide grey margin.
pub(crate) fn photograph(picture: &GrayImage, shot: Shot) -> Vec<u8> {
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    let side = (width * shot.scale * 1.7) as u32;
    let middle = f64::from(side) / 2.0;
    let (sin, cosine) = shot.degrees.to_radians().sin_cos();
    let mut noise = 1_u32;
    let taken = GrayImage::from_fn(side, side, |x, y| {
        let (x, y) = (f64::from(x) - middle, f64::from(y) - middle);
        let distance = 1.0 + shot.tilt * (x * cosine + y * sin) / middle;
        let (x, y) = (x * distance / shot.scale, y * distance / shot.scale);
        let from_x = x * cosine + y * sin + width / 2.0;
        let from_y = y * cosine - x * sin + height / 2.0;
        let inside = from_x >= 0.0 && from_y >= 0.0 && from_x < width && from_y < height;
        let bright = if inside {
            f64::from(picture.get_pixel(from_x as u32, from_y as u32).0[0])
        } else {
            150.0
        };
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let grain = f64::from(noise >> 24) / 255.0 * 24.0 - 12.0;
        // Neither black nor white, and darker towards one side.
        let lit = 30.0 + bright * 0.75 + x / width * 20.0 + grain;
        Luma([lit.clamp(0.0, 255.0) as u8])
    });
    jpeg(&taken, shot.quality)
}

pub(crate) fn jpeg(picture: &GrayImage, quality: u8) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut bytes, quality)
        .encode_image(picture)
        .unwrap();
    bytes.into_inner()
}
