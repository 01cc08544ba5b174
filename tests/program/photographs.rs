//! Tests of reading QR codes in pictures as phones take them.

use latchkey_core::ErrorCode;
use latchkey_core::link::qr::{Qr, read_picture};

use crate::photo::{Shot, jpeg, photograph};
use crate::scenes::{self, SCENES};
use crate::soak::{figure, share};

fn link(length: usize) -> String {
    let start = "https://chat.yourcompany.com/?externalAuthCode=";
    let code: String = (0..length)
        .map(|at| char::from(b'a' + u8::try_from(at * 7 % 26).unwrap()))
        .collect();
    format!("{start}{code}")
}

#[test]
fn a_turned_scaled_and_compressed_picture_is_read() {
    for length in [90, 180, 300] {
        let url = link(length);
        let picture = Qr::for_url(&url).unwrap().picture();
        for degrees in [0.0, 7.0, -13.0, 31.0, 90.0, 178.0] {
            for (scale, tilt, quality) in [(0.8, 0.0, 70), (1.0, 0.05, 50), (1.6, 0.08, 30)] {
                let shot = Shot {
                    degrees,
                    scale,
                    tilt,
                    quality,
                };
                let read = read_picture(&photograph(&picture, shot));
                assert_eq!(
                    read.as_ref().ok(),
                    Some(&url),
                    "{length} {shot:?}: {read:?}"
                );
            }
        }
    }
}

#[test]
fn thumbnails_and_skewed_noisy_inverted_and_borderless_pictures_are_read() {
    let each = share(160);
    for scene in SCENES {
        for number in 0..each {
            let read = read_picture(&scene.picture(number));
            assert_eq!(
                read.as_ref().ok(),
                Some(&scenes::link(number)),
                "{scene:?} {number}: {read:?}"
            );
        }
    }
    figure("kinds of pictures", SCENES.len());
    figure("pictures", SCENES.len() * each);
    figure("pictures that were not read", 0);
}

#[test]
fn a_picture_of_something_else_says_that_there_is_no_qr_code() {
    let stripes = image::GrayImage::from_fn(640, 480, |x, y| image::Luma([(x * y % 251) as u8]));
    let refused = read_picture(&jpeg(&stripes, 60)).unwrap_err();
    assert_eq!(refused.code, ErrorCode::InvalidPicture);
    assert!(
        refused.message.contains("no QR code"),
        "{}",
        refused.message
    );
}
