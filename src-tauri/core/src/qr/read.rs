use std::io::Cursor;

use image::imageops::{self, FilterType};
use image::{DynamicImage, GrayImage, ImageReader, Limits, RgbaImage};

use crate::{Error, ErrorCode, Result};

/// The largest side of a picture that is read, in pixels.
const MAX_SIDE_PX: u32 = 12_000;

/// Reads the text of the QR code in a PNG or JPEG file.
///
/// Fails with [`ErrorCode::InvalidPicture`] where the file is no picture, is too large, or shows
/// no QR code.
pub fn read_picture(bytes: &[u8]) -> Result<String> {
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|cause| unreadable().because(cause))?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE_PX);
    limits.max_image_height = Some(MAX_SIDE_PX);
    reader.limits(limits);
    let picture = reader
        .decode()
        .map_err(|cause| unreadable().because(cause))?;
    read_gray(&flattened(picture))
}

/// Reads the text of the QR code in raw pixels, four bytes each, as a clipboard holds them.
pub fn read_rgba(width: u32, height: u32, bytes: Vec<u8>) -> Result<String> {
    let picture = RgbaImage::from_raw(width, height, bytes).ok_or_else(unreadable)?;
    read_gray(&flattened(DynamicImage::ImageRgba8(picture)))
}

/// Grey on white: a transparent ground counts as paper, not as ink.
fn flattened(picture: DynamicImage) -> GrayImage {
    if !picture.color().has_alpha() {
        return picture.into_luma8();
    }
    let picture = picture.into_luma_alpha8();
    GrayImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [grey, alpha] = picture.get_pixel(x, y).0;
        let over_white =
            (u16::from(grey) * u16::from(alpha) + 255 * (255 - u16::from(alpha))) / 255;
        image::Luma([u8::try_from(over_white).unwrap_or(u8::MAX)])
    })
}

/// The side, in pixels, from which on a picture has more detail than a code needs, and more noise.
const LARGE_SIDE_PX: u32 = 1_400;

/// Looks for a QR code in the picture as it is and then, because noise hides what it shows, smoothed
/// and in another size.
fn read_gray(picture: &GrayImage) -> Result<String> {
    let refused = match read_once(picture) {
        Ok(text) => return Ok(text),
        Err(refused) => refused,
    };
    if let Ok(text) = read_once(&imageops::fast_blur(picture, 0.8)) {
        return Ok(text);
    }
    let (width, height) = picture.dimensions();
    let (width, height) = if width.max(height) > LARGE_SIDE_PX {
        (width / 2, height / 2)
    } else {
        (width * 2, height * 2)
    };
    let resized = imageops::resize(picture, width.max(1), height.max(1), FilterType::Triangle);
    read_once(&resized)
        .or_else(|_| read_once(&imageops::fast_blur(&resized, 1.2)))
        // What is wrong with the picture as it is.
        .map_err(|_| refused)
}

fn read_once(picture: &GrayImage) -> Result<String> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
        let at = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        picture
            .get_pixel_checked(at(x), at(y))
            .map_or(255, |pixel| pixel.0[0])
    });
    let grids = prepared.detect_grids();
    if grids.is_empty() {
        return Err(invalid(
            "The picture shows no QR code. Take it again, straight and whole.",
        ));
    }
    grids
        .iter()
        .find_map(|grid| grid.decode().ok())
        .map(|(_, text)| text)
        .ok_or_else(|| {
            invalid("The picture shows a QR code that cannot be read. Take it again, closer and sharper.")
        })
}

fn unreadable() -> Error {
    invalid(
        "This is not a picture that can be read. Use a PNG or a JPEG of at most 12,000 pixels a side.",
    )
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorCode::InvalidPicture, message)
}
