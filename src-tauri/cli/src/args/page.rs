//! Arguments of lists that are read a page at a time.

use clap::Args;
use latchkey_core::paging::PageStart;
use serde::de::DeserializeOwned;

use super::values::page_size;

/// Direction and beginning of a page, and its size.
#[derive(Debug, Args)]
pub(crate) struct PageArguments {
    /// Reverse the order.
    #[arg(long)]
    pub(crate) descending: bool,
    /// Begin after an earlier page, at the position that was printed there.
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<String>,
    /// Maximum number of rows.
    #[arg(long, value_name = "N", default_value_t = 100, allow_negative_numbers = true, value_parser = page_size)]
    pub(crate) limit: usize,
}

impl PageArguments {
    /// Returns the beginning of the page.
    pub(crate) fn start<By: DeserializeOwned>(&self) -> latchkey_core::Result<PageStart<By>> {
        match &self.after {
            Some(cursor) => Ok(PageStart::After(cursor.parse()?)),
            None => Ok(PageStart::First),
        }
    }
}
