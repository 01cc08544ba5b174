//! The command `latchkey users export`, and the files of exports.

use std::path::Path;
use std::process::ExitCode;

use latchkey_core::Result;
use latchkey_core::directory::Directory;
use latchkey_core::export::{ExportFormat, export as export_users};
use latchkey_store::Wait as _;
use serde_json::json;

use crate::args::{ExportArguments, FormatArgument};
use crate::context::Context;
use crate::failure::Failure;
use crate::filter::query_of;
use crate::output::Output;

pub(crate) fn export(
    arguments: &ExportArguments,
    directory: &dyn Directory,
    context: &Context,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let query = query_of(&arguments.filter);
    let format = match arguments.format {
        FormatArgument::Csv => ExportFormat::Csv,
        FormatArgument::Json => ExportFormat::Json,
    };
    let written = write_export(arguments.out.as_deref(), context, |write| {
        export_users(directory, &query, format, |bytes, _| write(bytes)).wait()
    })?;
    let Some((users, path)) = written else {
        return Ok(ExitCode::SUCCESS);
    };
    let people = if users == 1 { "user" } else { "users" };
    output.print(
        format!("Wrote {users} {people} to {}.", path.display()),
        || json!({ "users": users, "file": path }),
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Writes an export to a file that only its owner can read, or to standard output. `export` gets the
/// function that writes, and returns the number of rows. Returns it with the path of the file.
pub(crate) fn write_export<'a>(
    out: Option<&'a Path>,
    context: &Context,
    export: impl FnOnce(&mut (dyn FnMut(&[u8]) -> Result<()> + Send)) -> Result<u64>,
) -> Result<Option<(u64, &'a Path)>, Failure> {
    let about = |failure: Failure| failure.about("out");
    let Some(path) = out else {
        let mut unwritten = None;
        let exported = export(&mut |bytes| {
            Output::content(bytes).map_err(|failure| {
                let error = failure.error();
                unwritten = Some(failure);
                error
            })
        });
        if let Some(unwritten) = unwritten {
            return Err(unwritten);
        }
        exported?;
        return Ok(None);
    };
    let mut file = context.begin(path).map_err(about)?;
    let rows = export(&mut |bytes| file.write(bytes))?;
    file.finish().map_err(|error| about(error.into()))?;
    Ok(Some((rows, path)))
}
