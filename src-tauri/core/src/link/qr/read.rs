//! Reading of QR codes in pictures.

use std::io::Cursor;

use image::{DynamicImage, GrayImage, ImageFormat, ImageReader, Limits, RgbaImage};

use super::find::{Budget, find};
use super::svg;
use crate::link::DEFAULT_PARAMETER;
use crate::protocol::code::recognize::recognize;
use crate::{Error, ErrorCode, Result};

/// Maximum side of a picture, in pixels.
const MAX_SIDE_PX: u32 = 12_000;
/// Maximum number of pixels of a picture: that of a camera of 64 megapixels.
const MAX_PIXELS: u64 = 65_000_000;
/// Maximum memory of a decoder, in bytes: eight for each of [`MAX_PIXELS`].
const MAX_DECODER_BYTES: u64 = MAX_PIXELS * 8;

/// Format of a picture, recognised by the first bytes of the file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Raster(ImageFormat),
    Svg,
    /// HEIC or AVIF, which are refused, because their decoders are large libraries in C.
    Heif,
}

impl Kind {
    fn of(bytes: &[u8]) -> Option<Self> {
        const HEIF_BRANDS: [&[u8]; 8] = [
            b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis",
        ];
        // Bytes 6 to 9 of a BMP are zero, unlike in a text that begins with 'BM'.
        let is_bmp = bytes.starts_with(b"BM") && bytes.get(6..10) == Some(&[0; 4]);
        if bytes.starts_with(b"\x89PNG") {
            Some(Self::Raster(ImageFormat::Png))
        } else if bytes.starts_with(b"\xff\xd8\xff") {
            Some(Self::Raster(ImageFormat::Jpeg))
        } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
            Some(Self::Raster(ImageFormat::Gif))
        } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            Some(Self::Raster(ImageFormat::WebP))
        } else if is_bmp {
            Some(Self::Raster(ImageFormat::Bmp))
        } else if bytes.get(4..8) == Some(b"ftyp")
            && bytes
                .get(8..12)
                .is_some_and(|brand| HEIF_BRANDS.contains(&brand))
        {
            Some(Self::Heif)
        } else if svg::is_svg(bytes) {
            Some(Self::Svg)
        } else {
            None
        }
    }
}

/// Returns whether a file is a picture, even of a format that [`read_picture`] refuses.
#[must_use]
pub fn is_picture(bytes: &[u8]) -> bool {
    Kind::of(bytes).is_some()
}

/// Reads the text of the QR code in a PNG, JPEG, WebP, GIF or BMP file, or in an SVG file of
/// [`super::Qr::svg`]. If there are several QR codes, returns those that contain an external auth
/// code, one per line.
///
/// The dimensions are checked before the picture is decoded, and the work is limited, so that a
/// picture of noise ends soon.
///
/// Fails with [`ErrorCode::InvalidPicture`] if the file is not a picture, is too large, or shows no
/// QR code.
pub fn read_picture(bytes: &[u8]) -> Result<String> {
    match Kind::of(bytes) {
        Some(Kind::Raster(format)) => read(decoded(bytes, format)?),
        Some(Kind::Svg) => {
            let picture = svg::drawn(bytes).ok_or_else(|| {
                invalid("This SVG was not drawn by Latchkey and cannot be read. Save it as a PNG.")
            })?;
            read(DynamicImage::ImageLuma8(picture))
        }
        Some(Kind::Heif) => Err(invalid(
            "HEIC and AVIF pictures cannot be read. Save the picture as a JPEG or a PNG, or take a \
             screenshot of it.",
        )),
        None => Err(invalid(
            "This is not a picture that can be read. Use a PNG, JPEG, WebP, GIF or BMP, or an SVG that \
             Latchkey drew.",
        )),
    }
}

/// Reads the text of the QR code in raw pixels of four bytes each, as on a clipboard.
pub fn read_rgba(width: u32, height: u32, bytes: Vec<u8>) -> Result<String> {
    check_size(width, height)?;
    let picture = RgbaImage::from_raw(width, height, bytes).ok_or_else(damaged)?;
    read(DynamicImage::ImageRgba8(picture))
}

fn decoded(bytes: &[u8], format: ImageFormat) -> Result<DynamicImage> {
    let reader = || ImageReader::with_format(Cursor::new(bytes), format);
    let (width, height) = reader()
        .into_dimensions()
        .map_err(|cause| damaged().because(cause))?;
    check_size(width, height)?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE_PX);
    limits.max_image_height = Some(MAX_SIDE_PX);
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    let mut reader = reader();
    reader.limits(limits);
    reader.decode().map_err(|cause| damaged().because(cause))
}

fn check_size(width: u32, height: u32) -> Result<()> {
    let pixels = u64::from(width) * u64::from(height);
    if width.max(height) <= MAX_SIDE_PX && pixels <= MAX_PIXELS {
        return Ok(());
    }
    Err(invalid(&format!(
        "The picture has {width} by {height} pixels, too many to be read. Cut it down to the QR code."
    )))
}

/// Searches a picture on white paper and, if it has transparent parts, on black paper. If there are
/// several QR codes, returns those that contain a code, one per line, or else the first.
fn read(picture: DynamicImage) -> Result<String> {
    let mut budget = Budget::default();
    let texts = if picture.color().has_alpha() {
        let picture = picture.into_luma_alpha8();
        let mut texts = find(&over(&picture, 255), holds_code, &mut budget);
        if !texts.iter().any(|text| holds_code(text)) {
            texts.extend(find(&over(&picture, 0), holds_code, &mut budget));
        }
        texts
    } else {
        find(&picture.into_luma8(), holds_code, &mut budget)
    };
    let with_code: Vec<&str> = texts
        .iter()
        .map(String::as_str)
        .filter(|text| holds_code(text))
        .collect();
    match texts.first() {
        Some(first) if with_code.is_empty() => Ok(first.clone()),
        Some(_) => Ok(with_code.join("\n")),
        None => Err(invalid(
            "The picture shows no QR code that can be read. Take it again: straight, whole, sharp and near.",
        )),
    }
}

/// Returns whether the text of a QR code contains an external auth code.
fn holds_code(text: &str) -> bool {
    recognize(text, DEFAULT_PARAMETER).is_ok()
}

/// Lays a transparent picture over paper of a grey value.
fn over(picture: &image::GrayAlphaImage, paper: u16) -> GrayImage {
    GrayImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [grey, alpha] = picture.get_pixel(x, y).0.map(u16::from);
        let over_paper = (grey * alpha + paper * (255 - alpha)) / 255;
        image::Luma([u8::try_from(over_paper).unwrap_or(u8::MAX)])
    })
}

fn damaged() -> Error {
    invalid("The picture is damaged or not whole. Save it again, as a PNG or a JPEG.")
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorCode::InvalidPicture, message)
}
