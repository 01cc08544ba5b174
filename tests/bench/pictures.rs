//! Bench of drawing a link as a QR code, beside the bare `qrcode` crate, `qrencode` and Python's
//! `segno`.

use std::io::Cursor;
use std::process::{Command, Stdio};
use std::time::Instant;

use image::{ImageFormat, Luma};
use latchkey_core::link::qr::{PNG_MODULE_PX, Qr};
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use serde_json::json;

use crate::peer::Peer;
use crate::table::{heading, median, per_second, row};

/// Returns a link with a little metadata: version 13 at level M, 12 at level L.
fn link() -> String {
    let rest = "x".repeat(325 - "https://chat.yourcompany.com/?externalAuthCode=".len());
    format!("https://chat.yourcompany.com/?externalAuthCode={rest}")
}

pub(crate) fn measure() {
    let link = link();
    let bare = |level| QrCode::with_error_correction_level(&link, level).unwrap();
    // The bare crate gets the level that Latchkey chooses.
    let [our_svg, bare_svg, our_png, bare_png] = per_second([
        &mut || drop(Qr::for_url(&link).unwrap().svg()),
        &mut || drop(bare(EcLevel::L).render::<svg::Color<'_>>().build()),
        &mut || drop(Qr::for_url(&link).unwrap().png().unwrap()),
        &mut || {
            let picture = bare(EcLevel::L)
                .render::<Luma<u8>>()
                .module_dimensions(PNG_MODULE_PX, PNG_MODULE_PX)
                .build();
            let mut bytes = Cursor::new(Vec::new());
            picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
        },
    ]);
    let mut python = Peer::python();
    for (kind, ours, bare) in [("svg", our_svg, bare_svg), ("png", our_png, bare_png)] {
        heading(&format!(
            "Pictures: a link of 325 characters to {}, the level chosen; baseline: the bare qrcode crate, told the level",
            kind.to_uppercase()
        ));
        row("latchkey-core", ours, bare);
        row("qrcode (Rust), bare", bare, bare);
        row("qrencode, a process each", qrencode(kind, &link), bare);
        let request =
            json!({ "op": "bench", "what": format!("qr_{kind}"), "text": link, "iterations": 30 });
        row(
            "segno",
            python.ask(&request)["per_second"].as_f64().unwrap(),
            bare,
        );
    }
}

fn qrencode(kind: &str, link: &str) -> f64 {
    let mut rates: Vec<f64> = (0..40)
        .map(|_| {
            let start = Instant::now();
            let status = Command::new("qrencode")
                .args(["-l", "M", "-s", "8", "-t", kind, "-o", "-", link])
                .stdout(Stdio::null())
                .status()
                .expect("qrencode is installed: `cargo xtask bench` does it");
            assert!(status.success());
            1.0 / start.elapsed().as_secs_f64()
        })
        .collect();
    median(&mut rates)
}
