//! Test of a QR code in a terminal: the text is drawn in the colours of light and dark terminals,
//! and read.

use std::process::Command;

use image::{GrayImage, Luma};

use crate::run::SECRET;

const CELL: (u32, u32) = (8, 16);

/// Returns the picture that a terminal with these colours shows of a text.
fn drawn(text: &str, ground: u8, ink: u8) -> GrayImage {
    let (mut foreground, mut background) = (ink, ground);
    let mut cells: Vec<(u32, u32, u8, u8)> = Vec::new();
    let (mut x, mut y) = (0, 0);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\n' => (x, y) = (0, y + 1),
            '\r' => {}
            '\u{1b}' => {
                let sequence: String = chars.by_ref().skip(1).take_while(|c| *c != 'm').collect();
                (foreground, background) = match sequence.as_str() {
                    "0" => (ink, ground),
                    "38;5;231;48;5;16" => (255, 0),
                    other => panic!("a sequence that this terminal does not know: {other}"),
                };
            }
            _ => {
                let (upper, lower) = match c {
                    '█' => (foreground, foreground),
                    '▀' => (foreground, background),
                    '▄' => (background, foreground),
                    ' ' => (background, background),
                    _ => panic!("no part of a QR code: {c:?}"),
                };
                cells.push((x, y, upper, lower));
                x += 1;
            }
        }
    }
    let width = cells.iter().map(|cell| cell.0 + 1).max().unwrap();
    let mut picture = GrayImage::from_pixel((width + 4) * CELL.0, (y + 4) * CELL.1, Luma([ground]));
    for (x, y, upper, lower) in cells {
        for dx in 0..CELL.0 {
            for dy in 0..CELL.1 {
                let value = if dy < CELL.1 / 2 { upper } else { lower };
                picture.put_pixel((x + 2) * CELL.0 + dx, (y + 2) * CELL.1 + dy, Luma([value]));
            }
        }
    }
    picture
}

#[test]
fn a_qr_code_scans_on_light_and_dark_terminals() {
    let folder = tempfile::tempdir().unwrap();
    let command = format!(
        "{} link --url https://chat.example --email ada@b.cd --as qr",
        env!("CARGO_BIN_EXE_latchkey")
    );
    // `script` runs the program in a terminal.
    let ran = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .env("LATCHKEY_KEYCHAIN", "off")
        .env("LATCHKEY_SECRET", SECRET)
        .env("LATCHKEY_DATA_DIR", folder.path())
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let shown = String::from_utf8(ran.stdout).unwrap();
    let (_, code) = shown.split_at(shown.find(['\u{1b}', '█']).unwrap());
    for (scheme, ground, ink) in [("light", 255, 0), ("dark", 0, 255), ("solarized", 43, 147)] {
        let picture = drawn(code, ground, ink);
        let corner = picture.get_pixel(3 * CELL.0, 3 * CELL.1);
        assert_eq!(corner.0, [255], "{scheme}: the quiet zone is white");
        let file = folder.path().join(format!("{scheme}.png"));
        picture.save(&file).unwrap();
        let read = Command::new("zbarimg")
            .args(["-q", "--raw"])
            .arg(&file)
            .output()
            .unwrap();
        let read = String::from_utf8(read.stdout).unwrap();
        assert!(
            read.starts_with("https://chat.example/?"),
            "{scheme}: {read:?}"
        );
    }
}
