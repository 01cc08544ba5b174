//! The command `latchkey users export`.

use std::process::ExitCode;

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
    let about = |failure: Failure| failure.about("out");
    let Some(path) = &arguments.out else {
        let mut unwritten = None;
        let exported = export_users(directory, &query, format, |bytes, _| {
            Output::content(bytes).map_err(|failure| {
                let error = failure.error();
                unwritten = Some(failure);
                error
            })
        });
        let exported = exported.wait();
        if let Some(unwritten) = unwritten {
            return Err(unwritten);
        }
        exported?;
        return Ok(ExitCode::SUCCESS);
    };
    let mut file = context.begin(path).map_err(about)?;
    let users = export_users(directory, &query, format, |bytes, _| file.write(bytes)).wait()?;
    file.finish().map_err(|error| about(error.into()))?;
    let people = if users == 1 { "user" } else { "users" };
    output.print(
        format!("Wrote {users} {people} to {}.", path.display()),
        || json!({ "users": users, "file": path }),
    )?;
    Ok(ExitCode::SUCCESS)
}
