//! The smallest Tauri program with the window of Studio: the baseline for Studio's start.

use std::borrow::Cow;

use latchkey_desktop_lib::context;
use tauri::utils::assets::{AssetKey, AssetsIter, CspHash};
use tauri::{Assets, Builder, Wry};

const PAGE: &str = "<!doctype html><html lang=en><meta charset=utf-8><title>Empty</title>\
                    <button data-testid=ready>Ready</button></html>";

/// Assets with one page for every path.
struct OnePage;

impl Assets<Wry> for OnePage {
    fn get(&self, _: &AssetKey) -> Option<Cow<'_, [u8]>> {
        Some(Cow::Borrowed(PAGE.as_bytes()))
    }

    fn iter(&self) -> Box<AssetsIter<'_>> {
        Box::new(std::iter::empty())
    }

    fn csp_hashes(&self, _: &AssetKey) -> Box<dyn Iterator<Item = CspHash<'_>> + '_> {
        Box::new(std::iter::empty())
    }
}

fn main() -> tauri::Result<()> {
    let mut context = context();
    context.set_assets(Box::new(OnePage));
    Builder::default().run(context)
}
