//! Tests of picture files: formats and limits.

use std::io::Cursor;
#[cfg(target_os = "linux")]
use std::{fs, time::Duration};

use image::{DynamicImage, GrayImage, ImageFormat, Luma, LumaA};
use latchkey_core::ErrorCode;
use latchkey_core::link::qr::{Qr, is_picture, read_picture, read_rgba};

const URL: &str = "https://chat.yourcompany.com/?externalAuthCode=eyJhbGciOiJIUzI1NiJ9.e30.abc";

fn qr() -> Qr {
    Qr::for_url(URL).unwrap()
}

fn file(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn text_in(bytes: &[u8]) -> String {
    read_picture(bytes).unwrap_or_else(|refused| refused.message.clone())
}

fn refusal(bytes: &[u8]) -> String {
    let refused = read_picture(bytes).unwrap_err();
    assert_eq!(refused.code, ErrorCode::InvalidPicture);
    refused.message.clone()
}

#[test]
fn png_jpeg_webp_gif_and_bmp_are_read() {
    for format in [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::WebP,
        ImageFormat::Gif,
        ImageFormat::Bmp,
    ] {
        let picture = DynamicImage::ImageLuma8(qr().picture());
        let bytes = file(&picture.to_rgb8().into(), format);
        assert!(is_picture(&bytes), "{format:?}");
        assert_eq!(text_in(&bytes), URL, "{format:?}");
    }
}

#[test]
fn an_svg_that_latchkey_drew_is_read_and_another_says_what_to_do() {
    let svg = qr().svg();
    assert!(is_picture(svg.as_bytes()));
    assert_eq!(text_in(svg.as_bytes()), URL);
    let with_head = format!("\u{feff}<?xml version=\"1.0\"?>\n{svg}");
    assert_eq!(text_in(with_head.as_bytes()), URL);
    for other in [
        "<svg xmlns=\"http://www.w3.org/2000/svg\"><circle r=\"4\"/></svg>".to_owned(),
        svg.replace("v1h", "v2h"),
        svg.replacen("M4 4h7", "M4 4h4000000000", 1),
        svg.replacen("viewBox=\"0 0 ", "viewBox=\"0 0 9", 1),
    ] {
        assert!(
            refusal(other.as_bytes()).contains("Save it as a PNG"),
            "{other}"
        );
    }
}

#[test]
fn heic_and_avif_are_refused_with_what_to_do() {
    for brand in ["heic", "mif1", "avif"] {
        let bytes = [b"\0\0\0\x18ftyp", brand.as_bytes(), &[0; 40]].concat();
        assert!(is_picture(&bytes));
        assert!(refusal(&bytes).contains("JPEG or a PNG"), "{brand}");
    }
}

#[test]
fn texts_are_no_pictures() {
    for text in [
        "BMxyzxyzxyzxyz",
        "<script src=x></script>",
        "<?xml version=\"1.0\"?><a/>",
        "eyJ.e30.x",
        "",
    ] {
        assert!(!is_picture(text.as_bytes()), "{text}");
    }
}

#[test]
fn transparent_pictures_are_read_with_dark_and_with_light_ink() {
    for ink in [0, 255] {
        let drawn = qr().picture();
        let picture = image::GrayAlphaImage::from_fn(drawn.width(), drawn.height(), |x, y| {
            let is_dark = drawn.get_pixel(x, y).0[0] == 0;
            LumaA([ink, if is_dark { 255 } else { 0 }])
        });
        let bytes = file(&picture.into(), ImageFormat::Png);
        assert_eq!(text_in(&bytes), URL, "ink {ink}");
    }
}

/// Returns a PNG file that has only a header with the size of the picture.
fn png_of(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = file(
        &DynamicImage::ImageLuma8(GrayImage::new(1, 1)),
        ImageFormat::Png,
    );
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let checksum = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 * (sum & 1))
        })
    })
}

#[test]
fn a_picture_that_is_too_large_is_refused_by_its_dimensions_before_it_is_decoded() {
    for (width, height) in [
        (12_000, 12_000),
        (12_001, 1),
        (1, 60_000),
        (2_000_000, 2_000_000),
    ] {
        let message = refusal(&png_of(width, height));
        assert!(
            message.contains(&format!("{width} by {height} pixels")),
            "{message}"
        );
    }
    // A size within the limits is accepted, and then the rest of the file is missing.
    assert!(refusal(&png_of(4_000, 3_000)).contains("damaged"));
    assert!(read_rgba(12_001, 1, vec![0; 48_004]).is_err());
}

/// Returns the processor time of this thread, so that other programs do not count.
#[cfg(target_os = "linux")]
fn worked() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanoseconds = text.split_whitespace().next().unwrap();
    Duration::from_nanos(nanoseconds.parse().unwrap())
}

/// Core has no clock, so it limits the work in units of its own. The limit of this test is many
/// times the normal duration.
#[test]
#[cfg(target_os = "linux")]
fn a_screen_of_noise_and_a_screen_of_finder_patterns_end_soon() {
    let mut state = 1_u32;
    let noise = GrayImage::from_fn(1_366, 768, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Luma([(state >> 24) as u8])
    });
    let patterns = GrayImage::from_fn(2_000, 2_000, |x, y| {
        let from_middle = (x % 9).abs_diff(4).max((y % 9).abs_diff(4));
        Luma([if [0, 1, 3].contains(&from_middle) {
            0
        } else {
            255
        }])
    });
    for (name, picture) in [("noise", noise), ("patterns", patterns)] {
        let bytes = file(&picture.into(), ImageFormat::Png);
        let before = worked();
        assert!(refusal(&bytes).contains("no QR code"));
        let took = worked().saturating_sub(before);
        println!("{name}: {took:?}");
        assert!(took.as_secs() < 20, "{name} took {took:?}");
    }
}
