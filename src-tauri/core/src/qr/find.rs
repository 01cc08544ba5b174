//! Finds QR codes in grey pixels: first in the picture itself, then in changed copies of it (blurred,
//! framed, doubled, halved), because noise, size or a missing quiet zone can hide a code.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::panic::{self, AssertUnwindSafe};

use image::imageops::{self, FilterType};
use image::{GrayImage, Luma};
use rxing::common::cpp_essentials::ConcentricPattern;
use rxing::common::{
    BitMatrix, DetectorRXingResult as _, GlobalHistogramBinarizer, HybridBinarizer,
};
use rxing::qrcode::cpp_port::decoder::Decode;
use rxing::qrcode::cpp_port::detector::{FindFinderPatterns, GenerateFinderPatternSets, SampleQR};
use rxing::{Binarizer, Luma8Source, Point};

/// Larger pictures are shrunk to this side, in pixels: more holds noise and no more of a code.
const WORKING_SIDE_PX: u32 = 2_000;
/// Maximum side of a picture that is also tried in double size.
const MAX_DOUBLED_PX: u32 = 1_000;
/// Minimum side of a picture that is also tried in half size.
const MIN_HALVED_PX: u32 = 200;
/// Width of the border that replaces a missing quiet zone, in pixels.
const BORDER_PX: u32 = 40;
/// Maximum number of finder patterns in a pass, the largest first. A code has three.
const MAX_PATTERNS: usize = 300;

/// Limit of the work on one picture, in units of about a nanosecond.
pub(super) struct Budget {
    left: u64,
}

/// Cost of sampling a possible code.
const SAMPLE_COST: u64 = 20_000;
/// Cost of scanning a pixel.
const PIXEL_COST: u64 = 10;
/// Cost of comparing two finder patterns. The library compares each with each other.
const PAIR_COST: u64 = 8;

impl Default for Budget {
    fn default() -> Self {
        Self {
            left: 1_200_000_000,
        }
    }
}

impl Budget {
    /// Takes the cost from what is left, and returns whether there was as much.
    fn spend(&mut self, cost: u64) -> bool {
        let enough = self.left >= cost;
        self.left = self.left.saturating_sub(cost);
        enough
    }
}

/// A form of the picture to look at; `None` where the form does not suit the picture.
type Form = fn(&GrayImage) -> Option<Cow<'_, GrayImage>>;

/// The forms in the order in which they are tried.
const FORMS: [Form; 7] = [
    |picture| Some(Cow::Borrowed(picture)),
    |picture| Some(Cow::Owned(imageops::fast_blur(picture, 1.0))),
    |picture| framed(picture, true),
    |picture| framed(picture, false),
    |picture| {
        let (width, height) = picture.dimensions();
        (width.max(height) <= MAX_DOUBLED_PX).then(|| resized(picture, width * 2, height * 2))
    },
    |picture| halved(picture).map(Cow::Owned),
    |picture| halved(picture).map(|half| Cow::Owned(imageops::fast_blur(&half, 1.0))),
];

/// Returns the texts of the QR codes of a picture that are found before the budget is spent. The search
/// ends with the first form of the picture in which one is wanted.
pub(super) fn find(
    picture: &GrayImage,
    is_wanted: fn(&str) -> bool,
    budget: &mut Budget,
) -> Vec<String> {
    let (width, height) = picture.dimensions();
    let larger = width.max(height);
    let picture = if larger > WORKING_SIDE_PX {
        let shrunk = |side: u32| {
            let side = u64::from(side) * u64::from(WORKING_SIDE_PX) / u64::from(larger);
            u32::try_from(side).unwrap_or(WORKING_SIDE_PX).max(1)
        };
        resized(picture, shrunk(width), shrunk(height))
    } else {
        Cow::Borrowed(picture)
    };
    let mut texts = Vec::new();
    for form in FORMS {
        let Some(picture) = form(&picture) else {
            continue;
        };
        for text in read_form(&picture, is_wanted, budget) {
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        if texts.iter().any(|text| is_wanted(text)) {
            break;
        }
    }
    texts
}

fn resized(picture: &GrayImage, width: u32, height: u32) -> Cow<'_, GrayImage> {
    Cow::Owned(imageops::resize(
        picture,
        width,
        height,
        FilterType::Triangle,
    ))
}

fn halved(picture: &GrayImage) -> Option<GrayImage> {
    let (width, height) = picture.dimensions();
    (width.min(height) >= MIN_HALVED_PX)
        .then(|| imageops::resize(picture, width / 2, height / 2, FilterType::Triangle))
}

/// Cuts the picture to its light part, or to its dark part, and puts a border of the same
/// brightness around it: the quiet zone of a code that has none on a ground of its own colour.
fn framed(picture: &GrayImage, light: bool) -> Option<Cow<'_, GrayImage>> {
    let (darkest, lightest) = picture
        .pixels()
        .fold((u8::MAX, u8::MIN), |(low, high), pixel| {
            (low.min(pixel.0[0]), high.max(pixel.0[0]))
        });
    let middle = darkest.midpoint(lightest);
    let (mut left, mut top, mut right, mut bottom) = (u32::MAX, u32::MAX, 0, 0);
    for (x, y, pixel) in picture.enumerate_pixels() {
        if (pixel.0[0] > middle) == light {
            (left, right) = (left.min(x), right.max(x));
            (top, bottom) = (top.min(y), bottom.max(y));
        }
    }
    if left > right {
        return None;
    }
    let (width, height) = (right - left + 1, bottom - top + 1);
    let border = if light { lightest } else { darkest };
    let mut framed = GrayImage::from_pixel(
        width + 2 * BORDER_PX,
        height + 2 * BORDER_PX,
        Luma([border]),
    );
    let inside = imageops::crop_imm(picture, left, top, width, height).to_image();
    imageops::replace(
        &mut framed,
        &inside,
        i64::from(BORDER_PX),
        i64::from(BORDER_PX),
    );
    Some(Cow::Owned(framed))
}

/// Looks at one form with a local and with a global threshold, plain and inverted, until a QR code with a
/// wanted text is found.
fn read_form(picture: &GrayImage, is_wanted: fn(&str) -> bool, budget: &mut Budget) -> Vec<String> {
    let mut texts = Vec::new();
    // The library takes some values for granted that a strange picture does not have.
    let _ = panic::catch_unwind(AssertUnwindSafe(|| {
        let source =
            Luma8Source::new_with_slice(picture, picture.width(), picture.height()).ok()?;
        let local = HybridBinarizer::new(source.clone());
        read_binarized(&local, is_wanted, budget, &mut texts);
        if !texts.iter().any(|text| is_wanted(text)) {
            let global = GlobalHistogramBinarizer::new(source);
            read_binarized(&global, is_wanted, budget, &mut texts);
        }
        Some(())
    }));
    texts
}

fn read_binarized(
    binarizer: &impl Binarizer,
    is_wanted: fn(&str) -> bool,
    budget: &mut Budget,
    texts: &mut Vec<String>,
) {
    let Ok(matrix) = binarizer.get_black_matrix() else {
        return;
    };
    read_matrix(matrix, budget, texts);
    if !texts.iter().any(|text| is_wanted(text)) {
        let mut inverted = matrix.clone();
        inverted.flip_self();
        read_matrix(&inverted, budget, texts);
    }
}

/// Looks at some rows first, which shows most codes, and then at more rows, unless the first look
/// found that the whole picture looks like finder patterns.
fn read_matrix(matrix: &BitMatrix, budget: &mut Budget, texts: &mut Vec<String>) {
    let pixels = u64::from(matrix.width()) * u64::from(matrix.height());
    if !budget.spend(pixels * PIXEL_COST) {
        return;
    }
    let known = texts.len();
    let some = FindFinderPatterns(matrix, false, 0);
    let is_busy = some.len() > MAX_PATTERNS;
    read_at(matrix, some, budget, texts);
    if texts.len() == known && !is_busy {
        read_at(matrix, FindFinderPatterns(matrix, true, 0), budget, texts);
    }
}

/// Reads the QR codes whose corners are among the patterns. A corner belongs to one code.
fn read_at(
    matrix: &BitMatrix,
    mut patterns: Vec<ConcentricPattern>,
    budget: &mut Budget,
    texts: &mut Vec<String>,
) {
    let found = u64::try_from(patterns.len()).unwrap_or(u64::MAX);
    if !budget.spend(found.saturating_mul(found).saturating_mul(PAIR_COST)) {
        return;
    }
    patterns.sort_by_key(|pattern| Reverse(pattern.size));
    patterns.truncate(MAX_PATTERNS);
    let mut read: Vec<Point> = Vec::new();
    for set in GenerateFinderPatternSets(&mut patterns) {
        let corners = [set.bl.p, set.tl.p, set.tr.p];
        if corners.iter().any(|corner| read.contains(corner)) {
            continue;
        }
        if !budget.spend(SAMPLE_COST) {
            return;
        }
        let decoded = SampleQR(matrix, &set).and_then(|sampled| Decode(sampled.getBits()));
        let Ok(decoded) = decoded else { continue };
        let text = decoded.text();
        if decoded.isValid() && !text.is_empty() {
            read.extend(corners);
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
    }
}
