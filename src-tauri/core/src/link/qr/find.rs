//! Search for QR codes in grey pixels: first in the picture itself, then in changed copies
//! (blurred, framed, doubled, halved), because noise, size or a missing quiet zone can hide a code.

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

/// Side to which larger pictures are shrunk, in pixels. More pixels add noise and no detail of a
/// code.
const WORKING_SIDE_PX: u32 = 2_000;
/// Maximum side of a picture that is also searched in double size, in pixels.
const MAX_DOUBLED_PX: u32 = 1_000;
/// Minimum side of a picture that is also searched in half size, in pixels.
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
/// Cost of comparing two finder patterns. The library compares all pairs.
const PAIR_COST: u64 = 8;

impl Default for Budget {
    fn default() -> Self {
        Self {
            left: 1_200_000_000,
        }
    }
}

impl Budget {
    /// Takes a cost from the budget. Returns whether enough was left.
    fn spend(&mut self, cost: u64) -> bool {
        let enough = self.left >= cost;
        self.left = self.left.saturating_sub(cost);
        enough
    }
}

/// Makes a form of the picture to search. `None` if the form does not suit the picture.
type Form = fn(&GrayImage) -> Option<Cow<'_, GrayImage>>;

/// Forms in the order in which they are searched.
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

/// QR codes that were found in a picture.
struct Found {
    texts: Vec<String>,
    /// Number of corners that belong to none of the found codes.
    corners_left: usize,
    is_wanted: fn(&str) -> bool,
}

impl Found {
    /// Returns whether a wanted text was found, or no corners of other codes are left.
    fn is_enough(&self) -> bool {
        let is_whole = !self.texts.is_empty() && self.corners_left < 3;
        is_whole || self.texts.iter().any(|text| (self.is_wanted)(text))
    }
}

/// Returns the texts of the QR codes that are found before the budget is spent. The search ends
/// with the first form of the picture that has a wanted code, or in which all codes are found.
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
    let mut found = Found {
        texts: Vec::new(),
        corners_left: 0,
        is_wanted,
    };
    for form in FORMS {
        if let Some(picture) = form(&picture) {
            read_form(&picture, budget, &mut found);
        }
        if found.is_enough() {
            break;
        }
    }
    found.texts
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

/// Cuts the picture to its light part or to its dark part, and adds a border of that brightness. It
/// replaces the missing quiet zone of a code on a ground of its own colour.
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

/// Searches one form with a local and with a global threshold, plain and inverted.
fn read_form(picture: &GrayImage, budget: &mut Budget, found: &mut Found) {
    // The library panics for some strange pictures.
    let _ = panic::catch_unwind(AssertUnwindSafe(|| {
        let source =
            Luma8Source::new_with_slice(picture, picture.width(), picture.height()).ok()?;
        read_binarized(&HybridBinarizer::new(source.clone()), budget, found);
        if !found.is_enough() {
            read_binarized(&GlobalHistogramBinarizer::new(source), budget, found);
        }
        Some(())
    }));
}

fn read_binarized(binarizer: &impl Binarizer, budget: &mut Budget, found: &mut Found) {
    let Ok(matrix) = binarizer.get_black_matrix() else {
        return;
    };
    read_matrix(matrix, budget, found);
    if !found.is_enough() {
        let mut inverted = matrix.clone();
        inverted.flip_self();
        read_matrix(&inverted, budget, found);
    }
}

/// Searches a few rows first, which is enough for most codes. Then searches more rows, unless the
/// first pass found patterns all over the picture.
fn read_matrix(matrix: &BitMatrix, budget: &mut Budget, found: &mut Found) {
    let pixels = u64::from(matrix.width()) * u64::from(matrix.height());
    if !budget.spend(pixels * PIXEL_COST) {
        return;
    }
    let known = found.texts.len();
    let some = FindFinderPatterns(matrix, false, 0);
    let is_busy = some.len() > MAX_PATTERNS;
    read_at(matrix, some, budget, found);
    if found.texts.len() == known && !is_busy {
        read_at(matrix, FindFinderPatterns(matrix, true, 0), budget, found);
    }
}

/// Reads the QR codes whose corners are among the patterns. A corner belongs to one code only.
fn read_at(
    matrix: &BitMatrix,
    mut patterns: Vec<ConcentricPattern>,
    budget: &mut Budget,
    found: &mut Found,
) {
    let count = u64::try_from(patterns.len()).unwrap_or(u64::MAX);
    if !budget.spend(count.saturating_mul(count).saturating_mul(PAIR_COST)) {
        return;
    }
    patterns.sort_by_key(|pattern| Reverse(pattern.size));
    patterns.truncate(MAX_PATTERNS);
    let corners_found = patterns.len();
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
            found.corners_left = corners_found.saturating_sub(read.len());
            if !found.texts.contains(&text) {
                found.texts.push(text);
            }
        }
    }
}
