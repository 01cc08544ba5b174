//! `latchkey links export`.

use jiff::Timestamp;
use latchkey_core::directory::Directory;
use latchkey_core::export::export_links;
use latchkey_core::instance::Hosted;
use latchkey_store::Wait as _;
use serde_json::json;

use super::filter::query_of;
use crate::args::ExportLinksArguments;
use crate::context::Context;
use crate::export::write_lines;
use crate::failure::Failure;
use crate::output::Output;

pub(super) fn export(
    arguments: &ExportLinksArguments,
    ledger: &dyn Directory,
    hosted: Hosted,
    context: &Context,
    output: &Output,
    now: Timestamp,
) -> Result<(), Failure> {
    let query = query_of(&arguments.filter, now)?;
    let (format, out) = (arguments.format, arguments.out.as_deref());
    let written = write_lines(format, out, context, output, |format, write| {
        export_links(ledger, &query, hosted, format, |bytes| write(bytes)).wait()
    })?;
    let Some((links, path)) = written else {
        return Ok(());
    };
    let words = if links == 1 { "link" } else { "links" };
    output.print(
        format!("Wrote {links} {words} to {}.", path.display()),
        || json!({ "links": links, "file": path }),
    )
}
