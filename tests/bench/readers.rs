//! Bench of reading QR codes in 500 pictures of ten kinds, beside `zbarimg`.

use std::process::Command;
use std::time::{Duration, Instant};

use latchkey_core::link::qr::read_picture;

use crate::scenes::{SCENES, link};
use crate::table::heading;

/// Number of pictures of each kind.
const PICTURES: usize = 50;

/// Number of pictures that a reader has read, and its time for all pictures.
#[derive(Clone, Copy, Default)]
struct Score {
    read: usize,
    took: Duration,
}

impl Score {
    /// Reads a picture, and counts it if the text is right.
    fn count(&mut self, expected: &str, read: impl FnOnce() -> Option<String>) {
        let start = Instant::now();
        let text = read();
        self.took += start.elapsed();
        self.read += usize::from(text.as_deref() == Some(expected));
    }

    fn add(&mut self, other: Self) {
        self.read += other.read;
        self.took += other.took;
    }

    fn shown(self, pictures: usize) -> String {
        let millis = self.took.as_secs_f64() * 1_000.0 / pictures as f64;
        format!("{:>4} of {pictures:>3} {millis:>8.1} ms", self.read)
    }
}

pub(crate) fn measure() {
    heading("Pictures: QR codes read, and the mean time of a picture; zbarimg is a process each");
    println!("  {:<14} {:<26} zbarimg", "", "latchkey-core");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("picture");
    let (mut our_total, mut zbar_total) = (Score::default(), Score::default());
    for scene in SCENES {
        let (mut ours, mut zbar) = (Score::default(), Score::default());
        for number in 0..PICTURES {
            let (picture, expected) = (scene.picture(number), link(number));
            ours.count(&expected, || read_picture(&picture).ok());
            std::fs::write(&file, &picture).unwrap();
            zbar.count(&expected, || {
                let output = Command::new("zbarimg")
                    .args(["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable"])
                    .arg(&file)
                    .output()
                    .expect("zbarimg is installed: `cargo xtask bench` does it");
                let text = String::from_utf8(output.stdout).ok()?;
                Some(text.trim_end().to_owned())
            });
        }
        row(&format!("{scene:?}"), ours, zbar, PICTURES);
        our_total.add(ours);
        zbar_total.add(zbar);
    }
    row("all", our_total, zbar_total, PICTURES * SCENES.len());
}

fn row(name: &str, ours: Score, zbar: Score, pictures: usize) {
    println!(
        "  {name:<14} {:<26} {}",
        ours.shown(pictures),
        zbar.shown(pictures)
    );
}
