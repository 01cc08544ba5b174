//! The command `latchkey users export`, and the output of all exports.

use std::path::Path;
use std::process::ExitCode;

use latchkey_core::Result;
use latchkey_core::directory::Directory;
use latchkey_core::export::{ExportFormat, LineFormat, export as export_users};
use latchkey_store::Wait as _;
use serde_json::json;

use crate::args::{ExportArguments, FormatArgument, LineFormatArgument};
use crate::context::Context;
use crate::failure::Failure;
use crate::filter::query_of;
use crate::output::Output;
use crate::text::Syntax;

pub(crate) fn export(
    arguments: &ExportArguments,
    directory: &dyn Directory,
    context: &Context,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let query = query_of(&arguments.filter);
    let out = arguments.out.as_deref();
    let format = arguments.format.map(|format| match format {
        FormatArgument::Csv => ExportFormat::Csv,
        FormatArgument::Json => ExportFormat::Json,
    });
    let format = format_of(format, [ExportFormat::Csv, ExportFormat::Json], out, output)?;
    let syntax = match format {
        ExportFormat::Csv => Syntax::Csv,
        ExportFormat::Json => Syntax::Json,
    };
    let written = write_export(out, syntax, context, |write| {
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

/// Returns the format of an export: the wanted one, or by default CSV. On standard output, `--json`
/// asks for JSON. `formats` are the formats for CSV and for JSON.
///
/// Fails if CSV and `--json` are wanted on standard output.
pub(crate) fn format_of<F: PartialEq>(
    wanted: Option<F>,
    formats: [F; 2],
    out: Option<&Path>,
    output: &Output,
) -> Result<F, Failure> {
    let [csv, json] = formats;
    if out.is_some() || !output.is_json() {
        return Ok(wanted.unwrap_or(csv));
    }
    if wanted == Some(csv) {
        let message = "With --json, standard output is JSON. Leave out --format csv or --json, or write the CSV into a file with --out.";
        return Err(Failure::usage(message).about("format"));
    }
    Ok(json)
}

/// Writes the activity or links like [`write_export`], in the format that [`format_of`] returns.
pub(crate) fn write_lines<'a>(
    wanted: Option<LineFormatArgument>,
    out: Option<&'a Path>,
    context: &Context,
    output: &Output,
    export: impl FnOnce(LineFormat, &mut Write<'_>) -> Result<u64>,
) -> Result<Option<(u64, &'a Path)>, Failure> {
    let formats = [LineFormat::Csv, LineFormat::JsonLines];
    let format = format_of(wanted.map(Into::into), formats, out, output)?;
    let syntax = match format {
        LineFormat::Csv => Syntax::Csv,
        LineFormat::JsonLines => Syntax::Json,
    };
    write_export(out, syntax, context, |write| export(format, write))
}

/// Function that writes a piece of an export.
pub(crate) type Write<'a> = dyn FnMut(&[u8]) -> Result<()> + Send + 'a;

/// Writes an export to a file that only its owner can read, or to standard output. `export` gets the
/// function that writes, and returns the number of rows. Returns it with the path of the file.
fn write_export<'a>(
    out: Option<&'a Path>,
    syntax: Syntax,
    context: &Context,
    export: impl FnOnce(&mut Write<'_>) -> Result<u64>,
) -> Result<Option<(u64, &'a Path)>, Failure> {
    let about = |failure: Failure| failure.about("out");
    let Some(path) = out else {
        let mut unwritten = None;
        let exported = export(&mut |bytes| {
            Output::content(bytes, syntax).map_err(|failure| {
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
