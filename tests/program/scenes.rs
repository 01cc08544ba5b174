//! Pictures of QR codes as people have them: screenshots, thumbnails and photographs of ten kinds.

use image::imageops::{self, FilterType};
use image::{GrayImage, Luma};
use latchkey_core::link::qr::Qr;

use crate::photo::{Shot, jpeg, photograph};

/// Kind of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scene {
    Clean,
    Thumbnail,
    Turned,
    Skewed,
    Screen,
    Inverted,
    OnDark,
    OnLight,
    LowContrast,
    Noisy,
}

pub(crate) const SCENES: [Scene; 10] = [
    Scene::Clean,
    Scene::Thumbnail,
    Scene::Turned,
    Scene::Skewed,
    Scene::Screen,
    Scene::Inverted,
    Scene::OnDark,
    Scene::OnLight,
    Scene::LowContrast,
    Scene::Noisy,
];

/// Returns a link of 110 to 200 characters that follows from its number.
pub(crate) fn link(number: usize) -> String {
    let start = "https://chat.yourcompany.com/?externalAuthCode=";
    let code: String = (0..110 - start.len() + number * 13 % 91)
        .map(|at| char::from(b'a' + u8::try_from((at * 7 + number * 11) % 26).unwrap()))
        .collect();
    format!("{start}{code}")
}

impl Scene {
    /// Returns a PNG or JPEG file with the QR code of a link.
    pub(crate) fn picture(self, number: usize) -> Vec<u8> {
        let code = Qr::for_url(&link(number)).unwrap().picture();
        let step = tenth(number);
        let grains = &mut Grains(u32::try_from(number).unwrap() * 7 + 1);
        match self {
            Self::Clean => png(&code),
            Self::Thumbnail => png(&imageops::resize(&code, 130, 130, FilterType::Triangle)),
            Self::Turned => photograph(&code, shot(step.mul_add(34.0, 5.0), 0.0)),
            Self::Skewed => photograph(&code, shot(step * 3.0 - 13.0, step.mul_add(0.008, 0.05))),
            Self::Screen => jpeg(&of_screen(&code, number), 35),
            Self::Inverted => png(&mapped(&around(&code, 60, 255), |grey| 255 - grey)),
            Self::OnDark => png(&around(&without_quiet_zone(&code), 50, 20)),
            Self::OnLight => png(&around(&without_quiet_zone(&code), 50, 250)),
            Self::LowContrast => {
                let faint = 100 + u8::try_from(number % 10).unwrap();
                jpeg(
                    &mapped(
                        &around(&code, 40, 255),
                        |grey| {
                            if grey == 0 { faint } else { 140 }
                        },
                    ),
                    80,
                )
            }
            Self::Noisy => {
                let half = imageops::resize(
                    &code,
                    code.width() / 2,
                    code.height() / 2,
                    FilterType::Triangle,
                );
                jpeg(
                    &mapped(&around(&half, 40, 170), |grey| {
                        let grain = i32::try_from(grains.next(121)).unwrap() - 60;
                        (60 + i32::from(grey) * 140 / 255 + grain).clamp(0, 255) as u8
                    }),
                    75,
                )
            }
        }
    }
}

/// Returns a number from 0 to 9, which varies the pictures of a kind.
fn tenth(number: usize) -> f64 {
    f64::from(u8::try_from(number % 10).unwrap())
}

fn shot(degrees: f64, tilt: f64) -> Shot {
    Shot {
        degrees,
        scale: 0.7,
        tilt,
        quality: 50,
    }
}

/// Generator of pseudo-random numbers, so that each run has the same pictures.
struct Grains(u32);

impl Grains {
    fn next(&mut self, below: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 16) % below
    }
}

/// Returns a photograph of a screen, whose rows of pixels show as bands.
fn of_screen(code: &GrayImage, number: usize) -> GrayImage {
    let side = code.width() * 4 / 5;
    let period = 3.1 + tenth(number) / 7.0;
    let smaller = imageops::resize(code, side, side, FilterType::Triangle);
    let placed = around(&smaller, 40, 200);
    GrayImage::from_fn(placed.width(), placed.height(), |x, y| {
        let band = (f64::from(x) / period).sin() * (f64::from(y) / period).sin() * 40.0;
        let grey = 40.0 + f64::from(placed.get_pixel(x, y).0[0]) * 0.65 + band;
        Luma([grey.clamp(0.0, 255.0) as u8])
    })
}

fn without_quiet_zone(code: &GrayImage) -> GrayImage {
    let zone = 4 * latchkey_core::link::qr::PNG_MODULE_PX;
    let side = code.width() - 2 * zone;
    imageops::crop_imm(code, zone, zone, side, side).to_image()
}

fn around(code: &GrayImage, margin: u32, grey: u8) -> GrayImage {
    let side = code.width() + 2 * margin;
    let mut picture = GrayImage::from_pixel(side, side, Luma([grey]));
    imageops::replace(&mut picture, code, i64::from(margin), i64::from(margin));
    picture
}

fn mapped(picture: &GrayImage, mut change: impl FnMut(u8) -> u8) -> GrayImage {
    let mut picture = picture.clone();
    for pixel in picture.pixels_mut() {
        pixel.0[0] = change(pixel.0[0]);
    }
    picture
}

fn png(picture: &GrayImage) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}
